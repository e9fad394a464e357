"""Datasets of an HDF5 file that may be damaged: found and read."""

from contextlib import contextmanager
from math import prod

import h5py
import numpy as np

MAX_SOFT_LINKS = 16  # HDF5's own limit, against circular links


@contextmanager
def reading(where):
    """Turn any exception of h5py about a damaged file (KeyError, RuntimeError, ...) into an OSError.

    A MemoryError stays a MemoryError. Both messages name what was read.
    """
    try:
        yield
    except MemoryError as error:
        reason = one_line(error) or type(error).__name__
        raise MemoryError(f"{where} cannot be read for lack of memory: {reason}.") from error
    except Exception as error:
        raise OSError(
            f"{where} cannot be read ({one_line(error)}), expected a complete HDF5 file."
        ) from error


def one_line(error):
    return " ".join(str(error).split()).rstrip(".")


def find(file, key, where):
    """Return the dataset; links are resolved one by one, since HDF5 itself would open other files."""
    item, names, n_links = file, [key], 0
    while names:
        name = names.pop(0)
        with reading(where):
            link = item.get(name, getlink=True) if isinstance(item, h5py.Group) else None
        if isinstance(link, h5py.HardLink):
            with reading(where):
                item = item[name]
        elif isinstance(link, h5py.SoftLink) and n_links < MAX_SOFT_LINKS:
            n_links += 1
            item = file if link.path.startswith("/") else item
            names = [part for part in link.path.split("/") if part not in ("", ".")] + names
        elif isinstance(link, h5py.ExternalLink):
            raise ValueError(f"{where} is a link to {link.filename!r}, expected the data in the file itself.")
        else:
            raise ValueError(f"{where} is a broken or circular link, expected a dataset.")
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"{where} is a {type(item).__name__.lower()}, expected a dataset.")
    with reading(where):
        outside = item.is_virtual or item.external
    if outside:
        raise ValueError(f"{where} keeps its values in other files, expected them in the file itself.")
    return item


def read_values(dataset):
    """Return the values of a dataset; raise MemoryError if memory does not suffice for them.

    HDF5 may report a lack of memory like damage, such as "filter returned failure during read". So after any
    error, check whether NumPy can allocate as much memory as reading takes.
    """
    try:
        return np.asarray(dataset[()])
    except Exception as error:
        # gzip decompresses into a buffer that doubles: up to twice the size of a chunk
        n_bytes = dataset.nbytes + 2 * prod(dataset.chunks or [0]) * dataset.dtype.itemsize
        try:
            np.empty(n_bytes, np.uint8)
        except (MemoryError, ValueError):  # ValueError: more than the address space
            raise MemoryError(
                f"{n_bytes / 2**30:,.1f} GiB are needed for values of shape {dataset.shape} and type "
                f"{dataset.dtype}"
            ) from error
        raise
