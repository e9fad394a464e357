"""How much memory there is, and how much of it X takes at a time."""

from math import prod

# Read about this many bytes (as floats) at once: merging small chunks saves Dask's overhead for each.
READ_BYTES = 2**24
# Every computer has at least this much memory. Smaller needs are not compared with the true amount, since
# distributed, which finds it, takes a second to import.
LEAST_MEMORY = 2**30
GRAM_SHARE = 1 / 4  # largest share of memory for the Gram matrix of out-of-core samples


def rows_at_once(row_shape, itemsize=8):
    """Return how many rows of this shape are read at once, at least one."""
    return int(max(READ_BYTES // (itemsize * max(prod(row_shape), 1)), 1))


def share_of_memory(share, n_bytes):
    """Return a share of the memory in bytes; a lower bound if that is enough for `n_bytes`."""
    return share * (LEAST_MEMORY if n_bytes <= share * LEAST_MEMORY else total_memory())


def max_gram_bytes(m, n):
    """Return how large the Gram matrix of m out-of-core samples of n features may be."""
    # It pays only with at least twice as many features as samples. The rows of an initial W make it larger.
    return share_of_memory(GRAM_SHARE, 16 * m * m) if 2 * m <= n else 0


def total_memory():
    """Return the bytes of memory that this process may use, limits included; 8 GiB without distributed."""
    try:
        from distributed.system import MEMORY_LIMIT
    except ImportError:
        return 2**33
    return MEMORY_LIMIT
