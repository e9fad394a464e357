"""Rows of an array that the candidates of a search share, and know again without a look at their values."""

from contextlib import suppress

import numpy as np

from .._descent.gram import GramSamples

KEPT_BYTES = 2**28  # of the rows that are kept; further ones are taken anew for each candidate


class SharedArray(np.ndarray):
    """A read-only view of an array. For the same indices it returns the same rows, one object while kept.

    `name` tells the rows of a split from any others; it is None for whatever else is made from the array.
    """

    def __array_finalize__(self, other):
        self.parts = self.whole = self.index = self.name = None

    def __getitem__(self, key):
        index = key[0] if isinstance(key, tuple) and key[1:] == (Ellipsis,) else key
        if self.parts is None or not isinstance(index, np.ndarray) or index.ndim != 1:
            return super().__getitem__(key)
        name = id(self), index.dtype.char, index.tobytes()
        if name in self.parts:
            return self.parts[name]
        part = super().__getitem__(key)
        part.whole, part.index, part.name = self, index.copy(), name
        part.flags.writeable = False
        if part.nbytes + sum(kept.nbytes for kept in self.parts.values()) <= KEPT_BYTES:
            self.parts[name] = part
        return part

    def gram(self):
        """Return the Gram matrix of these rows, taken from that of all; None if memory does not suffice."""
        if "gram_of_all" not in vars(self.whole):
            self.whole.gram_of_all = None
            with suppress(MemoryError):
                dtype = self.dtype if self.dtype in (np.float32, np.float64) else np.float64
                self.whole.gram_of_all = GramSamples(np.asarray(self.whole).astype(dtype, copy=False)).gram
        gram = self.whole.gram_of_all
        return None if gram is None else gram[np.ix_(self.index, self.index)]


def shared(X):
    """Return an array as a shared one; clear its `parts` in the end, since these refer to it."""
    X = X.view(SharedArray)
    X.flags.writeable, X.parts = False, {}
    return X
