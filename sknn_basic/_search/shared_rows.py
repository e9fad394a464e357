"""X of a search as an array whose training and test rows are taken once for each split."""

import numpy as np

KEPT_BYTES = 2**28  # of the rows that are kept; further ones are taken anew for each candidate


class SharedArray(np.ndarray):
    """A read-only view of X. For the same indices it returns the same rows: the same object, while it is kept.

    `name` tells the rows of a split from any others. It is None for whatever else is made from the array.
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
        self.whole.keep(part)
        return part


class Whole:
    """The values that a `SharedArray` shows, and the rows of it that are kept."""

    def __init__(self, values):
        self.values = values
        self.parts = {}  # by name

    def view(self):
        array = self.values.view(SharedArray)
        array.flags.writeable = False
        array.whole = self
        return array

    def keep(self, part):
        """Keep a part, unless the parts would take too much memory."""
        if part.nbytes + sum(kept.nbytes for kept in self.parts.values()) <= KEPT_BYTES:
            self.parts[part.name] = part
