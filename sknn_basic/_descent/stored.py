"""Samples that are elsewhere, or of another type: read block by block at every step, and converted.

`Stored` stands for X: its shape, and functions that read its blocks. `StoredSamples` trains on it as
`Samples` does on an array, and with the same numbers.
"""

from functools import cached_property, partial
from threading import local
from typing import NamedTuple

import numpy as np

from .arithmetic import product
from .rows import Rows, added, slices
from .samples import BaseSamples, Samples, moment_sums, moments_of
from .threads import threads

# Bytes of floats in a small block: rows that are converted, and multiplied while they are in the cache. Up to
# four times as many for several columns of W, as adding up gradients takes time, and for a kernel (width 0).
SMALL_BLOCK_BYTES = 2**22
_buffers = local()  # of the thread: the pages of new memory would take longer than converting


class Block(NamedTuple):
    """Rows of X: `read()` returns them as they are stored, and X is these values over the divisor."""

    rows: slice
    read: object
    dtype: np.dtype  # of X
    divisor: float = 1.0
    width: int = 1  # columns of the first layer, if they have temporaries

    def small_blocks(self):
        """Yield (slice, samples): a few of the rows at a time, counted from the first of the block."""
        values = self.read()
        if len(values) != self.rows.stop - self.rows.start:
            raise ValueError(
                f"X has {len(values)} rows where it should have those from {self.rows.start} to "
                f"{self.rows.stop}: the sizes of its chunks are not what they say."
            )
        bytes_per_row = self.dtype.itemsize * (values.shape[1] + 5 * self.width)
        n_rows = max((min(self.width, 4) or 4) * SMALL_BLOCK_BYTES // bytes_per_row, 1)
        for rows in slices(len(values), n_rows):
            yield rows, self.samples(values[rows])

    def finite_blocks(self):
        """Yield the same with slices of X; raise ValueError, as scikit-learn does, for NaN or infinity."""
        for rows, few in self.small_blocks():
            start = self.rows.start + rows.start
            if few.stored_dtype.kind == "f" and not np.isfinite(few.largest):
                raise ValueError(not_finite(few.X, start))
            yield slice(start, start + few.shape[0]), few

    def samples(self, values):
        """Return some of the values as samples, valid until the next: they share a buffer per thread."""
        values = np.require(values, requirements="CA")  # a cluster sends arrays that are not aligned
        if values.dtype == self.dtype and self.divisor == 1:
            return Samples(values)
        return ConvertedSamples(values, self.dtype, self.divisor)


class ConvertedSamples(BaseSamples):
    """X = values / divisor: the values are converted, but weights and gradients divided: they are fewer."""

    def __init__(self, values, dtype, divisor):
        self.values, self.divisor, self.stored_dtype = values, divisor, values.dtype
        self.shape = values.shape
        self.dtype = self.weight_dtype = dtype

    @cached_property
    def floats(self):
        """The values as floats, in the buffer of the thread."""
        n_bytes = self.values.size * self.dtype.itemsize
        if len(getattr(_buffers, "bytes", "")) < n_bytes:
            _buffers.bytes = np.empty(n_bytes, np.uint8)
        floats = _buffers.bytes[:n_bytes].view(self.dtype).reshape(self.shape)
        np.copyto(floats, self.values, casting="unsafe")
        return floats

    @property
    def X(self):
        return self.floats / self.divisor

    def __matmul__(self, W):
        return product(self.floats, W / self.divisor)

    def transposed_product(self, dZ):
        return product(self.floats.T, dZ) / self.divisor

    def for_kernels(self):
        return self.values if self.values.dtype == np.uint8 else self.floats, self.divisor


class Stored:
    """X (m, n) in place of an array: its blocks are read whenever they are needed.

    Parameters
    ----------
    shape : tuple of int
        (m, n).
    stored_dtype : dtype
        The type of the values that are read.
    blocks : list of Block
        All rows, in their order: of a few megabytes each, since each thread reads one at a time.
    max_gram_bytes : float, default=0
        The largest Gram matrix that may be computed, so that steps read nothing; 0 for samples of a cluster.
    """

    ndim = 2

    def __init__(self, shape, stored_dtype, blocks, max_gram_bytes=0):
        self.shape, self.stored_dtype, self.blocks = shape, np.dtype(stored_dtype), blocks
        self.dtype, self.max_gram_bytes = blocks[0].dtype, max_gram_bytes
        self.moments = None  # once computed

    def rows(self, groups, targets, s):
        """Return `Rows` of groups of blocks; raise ValueError if a value is not finite."""
        _ = self.largest
        return StoredRows.of(groups, targets, s)

    @cached_property
    def largest(self):
        """An upper bound on |X|: for integers by their type. Floats are scanned once, and must be finite."""
        if self.stored_dtype.kind == "f":
            return max(threads.map(largest_of, self.blocks))
        if self.stored_dtype.kind == "b":
            return 1.0
        limits = np.iinfo(self.stored_dtype)
        return max(limits.max, -limits.min) / self.blocks[0].divisor

    @cached_property
    def first_row(self):
        _, block = next(self.blocks[0].small_blocks())
        return block.X[0].astype(np.float64)

    def describe_reading(self):
        """Return a sentence on how the samples are read."""
        n = len(self.blocks)
        return f"X is read in {n} block{'s' if n > 1 else ''} at each step."

    def large_blocks(self, n_bytes):
        """Return neighbouring blocks joined to blocks of about so many bytes when stored."""
        bytes_per_row, joined = self.shape[1] * self.stored_dtype.itemsize, []
        for block in self.blocks:
            if joined and (block.rows.stop - joined[-1][0].rows.start) * bytes_per_row <= n_bytes:
                joined[-1].append(block)
            else:
                joined.append([block])
        return [self._joined(blocks) for blocks in joined]

    def _joined(self, blocks):
        rows = slice(blocks[0].rows.start, blocks[-1].rows.stop)
        return blocks[0]._replace(rows=rows, read=partial(self._read, rows, blocks))

    def _read(self, rows, blocks):
        values = np.empty((rows.stop - rows.start, self.shape[1]), self.stored_dtype)
        for block in blocks:
            values[block.rows.start - rows.start : block.rows.stop - rows.start] = block.read()
        return values


def largest_of(block):
    """Return the largest |value| of a block; raise ValueError, as scikit-learn does, for NaN or infinity."""
    return max((few.largest for _, few in block.finite_blocks()), default=0.0)


def not_finite(X, first):
    """Say which is the first row that is not finite, if that of X is row `first`."""
    row = int(np.flatnonzero(~np.isfinite(X).all(axis=1))[0])
    what = "NaN" if np.isnan(X[row]).any() else f"infinity or a value too large for {X.dtype!r}"
    return f"Input X contains {what}, first in row {first + row}."


class StoredRows(Rows):
    """Rows whose blocks are read, a small block at a time."""

    def only_block(self):
        return None

    def _total_of(self, group, f, arguments):
        return added(
            f(few, targets[rows], s[rows], *arguments)
            for block, targets, s in group
            for rows, few in block.small_blocks()
        )


class StoredSamples(BaseSamples):
    """Samples whose blocks alone can be multiplied."""

    in_memory = False
    fits_kernels = True  # what is read is in C order
    __matmul__ = transposed_product = None  # only blocks can be multiplied

    def __init__(self, X):
        super().__init__(X)
        self.stored_dtype = X.stored_dtype
        self.rows, self.describe_reading = X.rows, X.describe_reading

    @property
    def largest(self):
        return self.X.largest

    def blocks(self, width):
        return [(block.rows, block._replace(width=width)) for block in self.X.blocks]

    def loaded_blocks(self, width):
        for _, block in self.blocks(width):
            yield from block.finite_blocks()

    def arrays(self, n_bytes):
        """Yield (slice, matrix): floats in arrays of their own."""
        ratio = self.dtype.itemsize / self.stored_dtype.itemsize
        for block in self.X.large_blocks(n_bytes / ratio):
            yield block.rows, block.samples(block.read()).X.copy()

    def moments(self, rows, s, n_rows=None):
        return stored_moments(self.X, rows)


def stored_moments(X, rows):
    """Return mean and variance of the features, from one read of X."""
    if X.moments is None:
        X.moments = moments_of(X.first_row, *rows.total(_moment_sums, X.first_row))
    return X.moments


def _moment_sums(X, targets, s, origin):
    return moment_sums(X.X, s, origin)
