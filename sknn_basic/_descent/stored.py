"""Samples that are stored elsewhere, or as bytes: read block by block, and converted, at every step.

`Stored` stands for X: its shape, and functions that read its blocks. `StoredSamples` trains on it as
`Samples` does on an array, and with the same numbers.
"""

from functools import cached_property
from threading import local
from typing import NamedTuple

import numpy as np

from .rows import Rows, added
from .samples import Direct, Samples, moment_sums, moments_of, product
from .threads import threads

# Bytes of floats in a piece of a block: rows that are converted, and multiplied while they are in the cache.
# With several columns of W up to four times as many, or adding up the gradients of pieces takes longer; and
# for a kernel, which needs no floats of bytes (width 0).
PIECE_BYTES = 2**22
_buffers = local()  # of the thread: the pages of new memory would take longer than converting


class Block(NamedTuple):
    """Rows of X: `read()` returns them as they are stored, and X is these values over the divisor."""

    rows: slice
    read: object
    dtype: np.dtype  # of X
    divisor: float = 1.0
    width: int = 1  # columns of the first layer, if they have temporaries

    def pieces(self):
        """Yield (slice, samples): a few of the rows at a time, counted from the first of the block."""
        values = self.read()
        if len(values) != self.rows.stop - self.rows.start:
            raise ValueError(
                f"X has {len(values)} rows where it should have those from {self.rows.start} to "
                f"{self.rows.stop}: the sizes of its chunks are not what they say."
            )
        bytes_per_row = self.dtype.itemsize * (values.shape[1] + 5 * self.width)
        n_rows = max((min(self.width, 4) or 4) * PIECE_BYTES // bytes_per_row, 1)
        for start in range(0, len(values), n_rows):
            piece = values[start : start + n_rows]
            yield slice(start, start + len(piece)), self.samples(piece)

    def samples(self, values):
        """Return some of the values as samples; those of the same thread before are then no longer valid."""
        values = np.require(values, requirements="CA")  # a cluster sends arrays that are not aligned
        if values.dtype == self.dtype and self.divisor == 1:
            return Samples(values)
        return ConvertedSamples(values, self.dtype, self.divisor)


class ConvertedSamples(Samples):
    """X = values / divisor: values are converted, but weights and gradients divided, which are fewer."""

    def __init__(self, values, dtype, divisor):
        self.values, self.divisor, self.kind = values, divisor, values.dtype
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

    @property
    def mT(self):
        return DividedTranspose(self)

    def as_stored(self):
        return self.values if self.values.dtype == np.uint8 else self.floats, self.divisor


class DividedTranspose:
    """X' of `ConvertedSamples`."""

    def __init__(self, samples):
        self.samples = samples

    def __matmul__(self, dZ):
        return product(self.samples.floats.T, dZ) / self.samples.divisor


class Stored:
    """X (m, n) in place of an array: its blocks are read whenever they are needed.

    Parameters
    ----------
    shape : tuple of int
        (m, n).
    kind : dtype
        The type of the values that are read.
    blocks : list of Block
        All rows, in their order.
    max_gram_bytes : float
        The largest Gram matrix of the rows that may be made.
    """

    ndim = 2

    def __init__(self, shape, kind, blocks, max_gram_bytes=0):
        self.shape, self.kind, self.blocks = shape, np.dtype(kind), blocks
        self.dtype, self.max_gram_bytes = blocks[0].dtype, max_gram_bytes
        self.moments = None  # once computed

    def rows(self, groups, targets, s):
        """Return `Rows` of groups of blocks; raise ValueError if a value is not finite."""
        _ = self.largest
        return StoredRows.of(groups, targets, s)

    @cached_property
    def largest(self):
        """A bound on all |X|: the largest, for floats; which are looked at once, and must be finite."""
        if self.kind.kind == "f":
            with threads.shared_out():
                return max(threads.map(_largest_of, self.blocks))
        if self.kind.kind == "b":
            return 1.0
        return max(np.iinfo(self.kind).max, -np.iinfo(self.kind).min) / self.blocks[0].divisor

    @cached_property
    def first_row(self):
        _, piece = next(self.blocks[0].pieces())
        return piece.X[0].astype(np.float64)

    def way(self):
        """Say how the samples are read."""
        n = len(self.blocks)
        return f"X is read in {n} block{'s' if n > 1 else ''} at each step."

    def panels(self, n_bytes):
        """Return [(slice, blocks), ...]: as many neighbours as have about so many bytes when stored."""
        bytes_per_row, panels = self.shape[1] * self.kind.itemsize, []
        for block in self.blocks:
            n_rows = block.rows.stop - panels[-1][0].start if panels else 0
            if panels and n_rows * bytes_per_row <= n_bytes:
                rows, blocks = panels[-1]
                panels[-1] = slice(rows.start, block.rows.stop), [*blocks, block]
            else:
                panels.append((block.rows, [block]))
        return panels


def read_panel(blocks, kind, n):
    """Return the values of neighbouring blocks as one array."""
    first, end = blocks[0].rows.start, blocks[-1].rows.stop
    values = np.empty((end - first, n), kind)
    for block in blocks:
        values[block.rows.start - first : block.rows.stop - first] = block.read()
    return values


def _largest_of(block):
    """Return the largest |value| of a block; raise ValueError, as scikit-learn does, for NaN or infinity."""
    largest = 0.0
    for rows, piece in block.pieces():
        if not np.isfinite(piece.largest):
            raise ValueError(not_finite(piece.X, block.rows.start + rows.start))
        largest = max(largest, piece.largest)
    return largest


def not_finite(X, first):
    """Say which is the first row that is not finite, if that of X is row `first`."""
    row = int(np.flatnonzero(~np.isfinite(X).all(axis=1))[0])
    what = "NaN" if np.isnan(X[row]).any() else f"infinity or a value too large for {X.dtype!r}"
    return f"Input X contains {what}, first in row {first + row}."


class StoredRows(Rows):
    """Rows whose blocks are read, piece by piece."""

    def only_block(self):
        return None

    def _total_of(self, group, f, arguments):
        return added(
            f(piece, targets[rows], s[rows], *arguments)
            for block, targets, s in group
            for rows, piece in block.pieces()
        )


class StoredSamples(Direct):
    """Samples whose blocks alone can be multiplied."""

    in_memory = False

    def __init__(self, X):
        self.X, self.kind, self.shape = X, X.kind, X.shape
        self.dtype = self.weight_dtype = X.dtype

    @property
    def largest(self):
        return self.X.largest

    def way(self):
        return self.X.way()

    def blocks(self, width):
        return [(block.rows, block._replace(width=width)) for block in self.X.blocks]

    def pieces(self, width):
        for rows, block in self.blocks(width):
            for piece_rows, piece in block.pieces():
                start = rows.start + piece_rows.start
                if self.kind.kind == "f" and not np.isfinite(piece.largest):
                    raise ValueError(not_finite(piece.X, start))
                yield slice(start, start + piece.shape[0]), piece

    def panels(self, n_bytes):
        """Yield (slice, X): floats in arrays of about so many bytes, each of its own."""
        ratio = self.dtype.itemsize / self.kind.itemsize
        for rows, blocks in self.X.panels(n_bytes / ratio):
            yield rows, blocks[0].samples(read_panel(blocks, self.kind, self.shape[1])).X.copy()

    def rows(self, groups, targets, s):
        return self.X.rows(groups, targets, s)

    def moments(self, rows, s, n_rows=None):
        return stored_moments(self.X, rows)


def stored_moments(X, rows):
    """Return mean and variance of the features, from one read of X."""
    if X.moments is None:
        X.moments = moments_of(X.first_row, *rows.total(_moment_sums, X.first_row))
    return X.moments


def _moment_sums(X, targets, s, origin):
    return moment_sums(X.X, s, origin)
