"""Rows of an array that the candidates of a search share, and know again without a look at their values."""

from contextlib import suppress
from functools import cached_property

import numpy as np

from .._descent.gram import GramSamples

KEPT_BYTES = 2**28  # of the rows that are kept; further ones are taken anew for each candidate


class SharedArray(np.ndarray):
    """A read-only view of an array. For the same indices it returns the same rows, one object while kept.

    `name` tells the rows of a split from any others; it is None for whatever else is made from the array.
    """

    def __array_finalize__(self, other):
        self.whole = self.index = self.name = None

    def __getitem__(self, key):
        index = key[0] if isinstance(key, tuple) and key[1:] == (Ellipsis,) else key
        if self.whole is None or self.index is not None or not isinstance(index, np.ndarray):
            return super().__getitem__(key)
        name = id(self.whole), index.dtype.char, index.tobytes()
        if name in self.whole.parts:
            return self.whole.parts[name]
        part = super().__getitem__(key)
        part.whole, part.index, part.name = self.whole, index, name
        part.flags.writeable = False
        kept = self.whole.parts
        if part.nbytes + sum(other.nbytes for other in kept.values()) <= KEPT_BYTES:
            kept[name] = part
        return part

    def gram(self):
        """Return the Gram matrix of these rows, taken from that of the whole array; None without memory."""
        gram = self.whole.gram
        return None if gram is None else gram[np.ix_(self.index, self.index)]


class Whole:
    """The array of a `SharedArray`, and the rows of it that are kept, by name."""

    def __init__(self, values):
        self.values, self.parts = values, {}

    def shared(self):
        array = self.values.view(SharedArray)
        array.flags.writeable = False
        array.whole = self
        return array

    @cached_property
    def gram(self):
        """X X' in float64; None if it does not fit in memory."""
        dtype = self.values.dtype if self.values.dtype in (np.float32, np.float64) else np.float64
        with suppress(MemoryError):
            return GramSamples(self.values.astype(dtype, copy=False)).gram
