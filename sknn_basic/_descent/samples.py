"""Representations of the samples: the two products that `network.py` takes of the data, and little else.

`Samples` multiplies X itself, `GramSamples` the Gram matrix of its rows. The choice affects only the
speed: the descent is the same. `SamplesProtocol` lists what a representation must provide, and
`choose_samples` is the one place that chooses, for training, validation and prediction.
"""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse

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

    def __matmul__(self, P):
        """Return X W (..., m, k)."""

    def parameters_of(self, W):
        """Return P0 for the initial weights W."""

    def weights_of(self, P):
        """Return W."""

    def with_rows(self, X):
        """Return the validation samples X, which multiply the same parameters."""

    def are_finite(self, P):
        """Return whether W is finite in the precision of X."""

    def bound(self, P):
        """Return an upper bound on all |X W| and on their partial sums."""

    def sum_of_squares(self, P):
        """Return ||W||^2, for each member of a stack."""

    def blocks(self, width):
        """Return [(slice, samples)] that cover all rows, small for a first layer of `width` columns."""

    def moments(self, s, n_rows=None):
        """Return the weighted mean and variance (n,) of each feature, in float64.

        With `n_rows`, estimates from about so many rows without weights, if that is less work.
        """


def choose_samples(X, W=None, n_steps=0, gram=None):
    """Return `GramSamples` if its matrix pays off within `n_steps` steps, else `Samples`.

    Parameters
    ----------
    X : dense or CSR matrix (m, n)
        The samples.
    W : ndarray (n, k)
        The initial weights, for training only.
    n_steps : int
        How many steps will be taken.
    gram : ndarray (m, m)
        X X' in float64, if already known.
    """
    if n_steps and prefers_gram(X, W.shape[1], W.any(), n_steps):
        samples = GramSamples(X, W if W.any() else None, gram)
        if np.isfinite(samples.gram).all():
            return samples
    return Samples(X)


def prefers_gram(X, k, has_start, n_steps):
    """Whether X X' is small enough, and saves enough in `n_steps` steps, to be worth computing."""
    m, n = X.shape
    gram_bytes = 8 * (m + k * bool(has_start)) ** 2
    is_dense = not sparse.issparse(X)
    return is_dense and n_steps * k * (2 * n - m) > m * n and 2 * gram_bytes <= m * n * X.itemsize


class Samples:
    """A dense or CSR matrix X (m, n), multiplied directly: the parameters are W itself."""

    def __init__(self, X):
        self.X = X
        self.shape = X.shape
        self.dtype = self.weight_dtype = X.dtype

    def __matmul__(self, W):
        return _product(self.X, W)

    @cached_property
    def mT(self):
        return Samples(self.X.T)

    def parameters_of(self, W):
        return W

    def weights_of(self, W):
        return W

    def with_rows(self, X):
        return choose_samples(X)

    def are_finite(self, W):
        return bool(np.isfinite(W).all())

    def bound(self, W):
        return len(W) * self._largest * float(np.abs(W).max())

    @cached_property
    def _largest(self):
        """The largest |X|, found without a copy."""
        values = self.X.data if sparse.issparse(self.X) else self.X
        return max(float(values.max(initial=0)), -float(values.min(initial=0)))

    def sum_of_squares(self, W):
        return np.sum(W * W, axis=(-2, -1))

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

    def _is_whole(self):
        """Whether dense X is one block for one column of W."""
        is_small = 5 * self.shape[0] * self.dtype.itemsize <= BLOCK_BYTES  # of the size that temporaries have
        return is_small and isinstance(self.X, np.ndarray) and self.X.nbytes <= WHOLE_BYTES

    def moments(self, s, n_rows=None):
        return _moments(self.X, s, n_rows)


def _moments(X, s, n_rows):
    """Return mean and variance of the columns of X in float64, block by block."""
    is_dense = not sparse.issparse(X)
    if n_rows is not None and is_dense:
        X = X[:: -(-X.shape[0] // n_rows)]
        s = np.full((X.shape[0], 1), 1 / X.shape[0])
    # Relative to the first row: the squares of values far from 0 would cancel.
    origin = X[0].astype(np.float64) if is_dense else np.zeros(X.shape[1])
    first, second = np.zeros((2, X.shape[1]))
    size = MOMENTS_BLOCK // (1 if is_dense else 4) * X.shape[0] // max(X.size, 1) + 1
    for start in range(0, X.shape[0], size):
        rows = slice(start, start + size)
        x, weights = _rows_of(X, rows), s[rows].astype(np.float64).ravel()
        x = x - origin if is_dense else x.astype(np.float64, copy=False)
        first += x.T @ weights
        second += (x * x if is_dense else x.multiply(x)).T @ weights
    variance = second - first**2
    variance[variance < 1e-12 * second] = 0  # rounding
    return origin + first, variance


def _product(X, W):
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


class GramSamples:
    """A dense X (m, n) with m < n, represented by the Gram matrix of its rows.

    Gradient descent only adds multiples of samples to W, so W = B' C for the rows B = [X; W0'] (just X when
    W0 = 0). The coefficients C (m or m + k, k) are trained in place of W: `samples @ C` is (X B') C, with
    X B' computed once, and `samples.mT @ dZ` is dZ itself, with zeros for the rows of W0.

    The matrix and C are float64 whatever the dtype of X: their products cancel where the rows are similar. X
    is processed in blocks of columns, so that neither [X; W0'] nor a float64 copy of X is ever made.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, X, W0=None, gram=None):
        self.X = X
        self.shape = X.shape
        self.weight_dtype = X.dtype
        self.W0 = np.empty((X.shape[1], 0), X.dtype) if W0 is None else W0
        self.gram = self._make_gram(gram)
        self.products = self.gram.T[: X.shape[0]]  # X B'; transposed, a stack of 10 takes half the time
        self.mT = _Padding(self.W0.shape[1])

    def _make_gram(self, known):
        """Return B B'; if X X' is known, only the products with W0 are computed."""
        m, n_initial = self.shape[0], self.W0.shape[1]
        if known is not None and n_initial == 0:
            return known
        gram = np.zeros((m + n_initial, m + n_initial))
        first = 0 if known is None else m  # row to compute from
        with np.errstate(over="ignore", invalid="ignore"):
            for columns in self._column_blocks():
                B = self._basis(columns)
                gram[first:] += B[first:] @ B.T
        if known is not None:
            gram[:m, :m], gram[:m, m:] = known, gram[m:, :m].T
        return gram

    def __matmul__(self, C):
        return _product(self.products, C)

    def parameters_of(self, W):
        """Return C for which B' C is W, which must be W0 (zero if there is none)."""
        C = np.zeros((len(self.gram), W.shape[1]))
        C[self.shape[0] :] = np.eye(self.W0.shape[1], W.shape[1])
        return C

    def weights_of(self, C):
        """Return W = B' C, in float64."""
        W = np.empty((*C.shape[:-2], C.shape[-1], self.shape[1])).mT
        for columns in self._column_blocks():
            W[..., columns, :] = _product(self._basis(columns).T, C)
        return W

    def with_rows(self, X):
        """Return other samples, which multiply the same parameters: X W = (X B') C."""
        products = np.zeros((X.shape[0], len(self.gram)))
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, X.shape[0], self.shape[0]):  # no larger than the samples themselves
                rows = X[start : start + self.shape[0]]
                for columns in self._column_blocks():
                    products[start : start + self.shape[0]] += rows[:, columns] @ self._basis(columns).T
        if not np.isfinite(products).all():
            raise ValueError(
                "The features of the validation samples (X_val) are so large that their products with X "
                "overflow. Scale X and X_val, as StandardScaler does."
            )
        return choose_samples(products)

    def are_finite(self, C):
        """Whether W = B' C is finite in the precision of X: |W| <= sum_i |C_i| ||B_i||."""
        bound = np.sqrt(self.gram.diagonal()) @ np.abs(C).sum(axis=-1)
        return bool(np.isfinite(C).all() and bound < np.finfo(self.weight_dtype).max)

    def bound(self, C):
        return len(C) * float(self.gram.diagonal().max() * np.abs(C).max())  # no entry is larger than those

    def sum_of_squares(self, C):
        """||W||^2 = sum_ij C_ij (B B' C)_ij."""
        return np.sum(C * _product(self.gram, C), axis=(-2, -1))

    def blocks(self, width):
        return [(slice(None), self)]

    def moments(self, s, n_rows=None):
        return _moments(self.X, s, n_rows)

    def _column_blocks(self):
        if self.X.dtype == self.dtype and self.W0.shape[1] == 0:  # nothing to convert or to stack
            return [slice(None)]
        n_columns = max(BLOCK_BYTES // (8 * (self.shape[0] + self.W0.shape[1])), 1)
        return [slice(start, start + n_columns) for start in range(0, self.shape[1], n_columns)]

    def _basis(self, columns):
        """Return the columns of B = [X; W0'] in float64."""
        if self.W0.shape[1] == 0:
            return self.X[:, columns].astype(np.float64, copy=False)
        return np.vstack([self.X[:, columns], self.W0[columns].T], dtype=np.float64)


class _Padding:
    """The transpose of GramSamples: its product with dZ is dZ, followed by `n` rows of zeros."""

    def __init__(self, n):
        self.n = n

    def __matmul__(self, dZ):
        if self.n == 0:
            return dZ
        return np.concatenate([dZ, np.zeros((*dZ.shape[:-2], self.n, dZ.shape[-1]))], axis=-2)
