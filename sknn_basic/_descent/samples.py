"""Samples: the two products that `network.py` takes of the data, and little else.

`Samples` multiplies X itself. `SamplesProtocol` lists what any representation of the samples must provide;
`gram.py` has another, and `choice.py` chooses.
"""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from .rows import Rows

# X is processed in blocks of about this size: temporaries stay small, and the second product of a step finds
# the block in the cache. Of 0.25 to 16 MiB, 4 and 8 MiB are the fastest (benchmarks/tall.py).
BLOCK_BYTES = 2**23
# But for one column of W dense X up to this size is one block, if temporaries stay small: the threads of BLAS
# share its two products. 10,000 x 100 in blocks takes 1.3 times as long.
WHOLE_BYTES = 2**27
MOMENTS_BLOCK = 2**16  # values converted to float64 at a time; a quarter of it if they are sparse


class SamplesProtocol(Protocol):
    """What gradient descent needs of the rows of X (m, n).

    The first layer is trained through parameters P, of which its weights W (n, k) are a linear function: W
    itself, or coefficients. P may carry leading stack axes; `P0` are the parameters of the initial weights.

    W multiplies X itself, since predictions take X as it is: no transformation of X can be hidden here.
    """

    shape: tuple[int, int]  # (m, n)
    dtype: np.dtype  # precision of P, of Z = X W and of everything computed from Z
    weight_dtype: np.dtype  # precision of X and of the fitted weights
    mT: Any  # `mT @ dZ` is the gradient of the cost with respect to P, for dZ (..., m, k)
    in_memory: bool  # if not, only blocks can be multiplied, not all rows at once

    def __matmul__(self, P):
        """Return X W (..., m, k)."""

    def parameters_of(self, W):
        """Return P0 for the initial weights W."""

    def weights_of(self, P):
        """Return W."""

    def with_rows(self, samples):
        """Return validation samples in a form that multiplies the same parameters."""

    def are_finite(self, P):
        """Return whether W is finite in the precision of X."""

    def bound(self, P):
        """Return an upper bound on all |X W| and on their partial sums."""

    def sum_of_squares(self, P):
        """Return ||W||^2, for each member of a stack."""

    def blocks(self, width):
        """Return [(slice, samples)] that cover all rows, small for a first layer of `width` columns."""

    def pieces(self, width):
        """Yield (slice, samples) that cover all rows, in memory and as small as such blocks."""

    def panels(self, n_bytes):
        """Yield (slice, X) that cover all rows: arrays of about so many bytes, unless X is in memory."""

    def rows(self, groups, targets, s):
        """Return `Rows` of groups of such blocks, with their targets and weights."""

    def moments(self, rows, s, n_rows=None):
        """Return the mean and variance (n,) of each feature, with the weights s, in float64.

        With `n_rows`, estimates from about so many rows without weights, if that is less work. `rows` are
        `Rows` of all samples, for those that are not in memory.
        """


class Direct:
    """Samples X (m, n) that are multiplied directly: the parameters are W itself."""

    def parameters_of(self, W):
        return W

    def weights_of(self, W):
        return W

    def with_rows(self, samples):
        return samples

    def are_finite(self, W):
        return bool(np.isfinite(W).all())

    def bound(self, W):
        return len(W) * self.largest * float(np.abs(W).max())

    def sum_of_squares(self, W):
        return np.sum(W * W, axis=(-2, -1))


class Samples(Direct):
    """A dense or CSR matrix X."""

    in_memory = True

    def __init__(self, X):
        self.X = X
        self.shape = X.shape
        self.dtype = self.weight_dtype = X.dtype

    def __matmul__(self, W):
        return product(self.X, W)

    @cached_property
    def mT(self):
        return Samples(self.X.T)

    def as_stored(self):
        """Return values and a divisor, of which X is the ratio."""
        return self.X, 1.0

    @cached_property
    def largest(self):
        """The largest |X|, found without a copy."""
        values = self.X.data if sparse.issparse(self.X) else self.X
        return max(float(values.max(initial=0)), -float(values.min(initial=0)))

    def blocks(self, width):
        """Return [(rows, samples)]: slices that cover all rows, for a first layer of `width` columns."""
        m = self.shape[0]
        bytes_per_row = self.X.data.nbytes // m + 5 * width * self.dtype.itemsize
        # About 8 rows per column of W, or adding up the blocks' dW (n, width) costs more than it saves.
        n_rows = max(BLOCK_BYTES // max(bytes_per_row, 1), 8 * width, 1)
        if m <= 2 * n_rows or (width == 1 and self._is_whole()):
            return [(slice(None), self)]
        n_rows = -(-m // -(-m // n_rows))  # blocks of one size
        slices = [slice(start, start + n_rows) for start in range(0, m, n_rows)]
        return [(rows, Samples(_rows_of(self.X, rows))) for rows in slices]

    def pieces(self, width):
        return self.blocks(width)

    def panels(self, n_bytes):
        return [(slice(None), self.X)]

    def rows(self, groups, targets, s):
        return Rows.of(groups, targets, s)

    def _is_whole(self):
        """Whether dense X is one block for one column of W."""
        is_small = 5 * self.shape[0] * self.dtype.itemsize <= BLOCK_BYTES  # of the size that temporaries have
        return is_small and isinstance(self.X, np.ndarray) and self.X.nbytes <= WHOLE_BYTES

    def moments(self, rows, s, n_rows=None):
        return moments(self.X, s, n_rows)


def moments(X, s, n_rows):
    """Return mean and variance of the columns of X in float64, block by block."""
    is_dense = not sparse.issparse(X)
    if n_rows is not None and is_dense:
        X = X[:: -(-X.shape[0] // n_rows)]
        s = np.full((X.shape[0], 1), 1 / X.shape[0])
    # Relative to the first row: the squares of values far from 0 would cancel.
    origin = X[0].astype(np.float64) if is_dense else np.zeros(X.shape[1])
    return moments_of(origin, *moment_sums(X, s, origin))


def moment_sums(X, s, origin):
    """Return the sums of s (x - origin) and s (x - origin)^2 over the rows x of X."""
    is_dense = not sparse.issparse(X)
    first, second = np.zeros((2, X.shape[1]))
    size = MOMENTS_BLOCK // (1 if is_dense else 4) * X.shape[0] // max(X.size, 1) + 1
    for start in range(0, X.shape[0], size):
        rows = slice(start, start + size)
        x, weights = _rows_of(X, rows), s[rows].astype(np.float64).ravel()
        x = x - origin if is_dense else x.astype(np.float64, copy=False)
        first += x.T @ weights
        second += (x * x if is_dense else x.multiply(x)).T @ weights
    return first, second


def moments_of(origin, first, second):
    """Return mean and variance from the sums."""
    variance = second - first**2
    variance[variance < 1e-12 * second] = 0  # rounding
    return origin + first, variance


def product(X, W):
    """Return X @ W; for a stack of W as one product, with samples contiguous in memory."""
    if W.ndim == 2:
        if W.shape[1] == 1 or not isinstance(X, np.ndarray):
            return X @ W
        if X.dtype == np.float32 and X.flags.c_contiguous:
            return np.asfortranarray(X @ W)  # the product below takes 1.3 times as long in this case
        return (W.T @ X.T).T  # 1.2 times as fast as X @ W for 64 columns on 60,000 x 784
    columns = W.mT.reshape(-1, W.shape[-2])
    return (columns @ X.T).reshape(*W.shape[:-2], W.shape[-1], -1).mT


def _rows_of(X, rows):
    """Return X[rows] as a view, where SciPy's own slices and constructors of CSR matrices copy."""
    if not sparse.issparse(X):
        return X[rows]
    ends = X.indptr[rows.start : rows.stop + 1]
    values = slice(ends[0], ends[-1])
    block = type(X)((len(ends) - 1, X.shape[1]), dtype=X.dtype)
    block.data, block.indices, block.indptr = X.data[values], X.indices[values], ends - ends[0]
    return block
