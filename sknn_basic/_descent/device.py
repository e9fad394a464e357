"""X in an array of another library than NumPy, such as one on a graphics card."""

from functools import cached_property

import numpy as np

from .arithmetic import product
from .arrays import largest, namespace, on_host, placed
from .rows import slices
from .samples import BaseSamples, Samples, moments_of

# Bytes of Z in a block of rows, of which a step makes some five arrays; and of X, for its moments.
BLOCK_BYTES, MOMENTS_BYTES = 2**28, 2**24


class OnDevice:
    """X (m, n) of float32 or float64, of a library that follows the array API standard."""

    def __init__(self, array):
        self.array, self.shape = array, tuple(array.shape)
        self.xp = namespace(array)
        self.dtype = np.dtype(np.float32 if array.dtype == self.xp.float32 else np.float64)

    def place(self, array, dtype=None):
        """Return a copy of an array, of any library, where X is."""
        return placed(array, self.xp, self.array.device, dtype)


class DeviceSamples(BaseSamples):
    """The samples where X is, with parameters, targets and s: no step waits for a value on the host."""

    n_groups = 1

    def __matmul__(self, W):
        return product(self.X.array, W)

    def transposed_product(self, dZ):
        return product(self.X.array.mT, dZ)

    def asarray(self, array):
        return self.X.place(array, self.dtype)

    def on_host(self):
        return Samples(on_host(self.X.array))

    @cached_property
    def largest(self):
        return largest(self.X.array)

    def blocks(self, width):
        n_rows = max(BLOCK_BYTES // (width * self.dtype.itemsize), 1)
        if self.shape[0] <= n_rows:
            return [(slice(None), self)]
        parts = slices(self.shape[0], n_rows)
        return [(rows, DeviceSamples(OnDevice(self.X.array[rows, ...]))) for rows in parts]

    def moments(self, rows, s, n_rows=None):
        if n_rows is not None:  # so few that the host may have them
            few = Samples(on_host(self.X.array[:: -(-self.shape[0] // n_rows), :]))
            return few.moments(rows, s, n_rows)
        origin, sums = self.X.array[:1, :], (0.0, 0.0)
        n_rows = max(MOMENTS_BYTES // (self.shape[1] * self.dtype.itemsize), 1)
        for part in slices(self.shape[0], n_rows):
            x = self.X.array[part, ...] - origin
            sums = [total + y.mT @ s[part, ...] for total, y in zip(sums, (x, x * x), strict=True)]
        origin, *sums = (on_host(array).astype(np.float64).ravel() for array in (origin, *sums))
        return moments_of(origin, *sums, rounding=5000 * np.finfo(self.dtype).eps)
