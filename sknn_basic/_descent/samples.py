"""How X is held: the two products that `network.py` takes of it, and what else a descent asks of it.

`BaseSamples` is the contract. `Samples` is a matrix in memory, `StoredSamples` (`stored.py`) reads its rows
block by block, `GramSamples` (`gram.py`) multiplies the Gram matrix of its rows, `DeviceSamples`
(`device.py`) holds an array of another library; `choice.py` chooses. Rows that are somewhere else need no
class, since `Stored` takes functions that read them. Write a class for another way to compute X W.
"""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from scipy import sparse

from .arithmetic import product
from .arrays import are_finite, namespace, on_host
from .arrays import largest as largest_of
from .rows import N_GROUPS, Rows, slices

# X is processed in blocks of about this size: temporaries stay small, and the second product of a step finds
# the block in the cache. Of 0.25 to 16 MiB, 4 and 8 MiB are the fastest (benchmarks/tall.py).
BLOCK_BYTES = 2**23
# Work of a step that is worth a thread, in some 0.1 ns: 0.8 ms. To wake a thread takes 0.05 ms, and each call
# of NumPy beside another thread some more: 10,000 x 100 in two blocks takes 1.3 times as long as in one.
BLOCK_WORK = 2**23
MOMENTS_BLOCK = 2**16  # values converted to float64 at a time; a quarter of it if they are sparse


class BaseSamples(ABC):
    """What gradient descent needs of X (m, n); the defaults are those of a matrix in memory.

    The first layer is trained through parameters P, of which its weights W (n, k) are a linear function: W
    itself, or coefficients. P may carry leading stack axes. W multiplies X as it is, as predictions do: no
    transformation of X can be hidden here.

    Parameters
    ----------
    X : dense or CSR matrix (m, n)
        The samples; or what stands for them, if all methods that use it are replaced.

    Attributes
    ----------
    shape : tuple of int
        (m, n).
    dtype : dtype
        The precision of P, of Z = X W and of everything computed from Z.
    weight_dtype : dtype
        The precision of X and of the fitted weights.
    stored_dtype : dtype
        The type of the values that are multiplied.
    in_memory : bool
        If not, only blocks can be multiplied, not all rows at once.
    fits_kernels : bool
        Whether compiled steps can multiply it, since they check nothing: aligned native floats in C order.
    gram : ndarray or None
        The Gram matrix that is multiplied in place of X.
    """

    in_memory = True
    fits_kernels = False
    gram = None
    n_groups = N_GROUPS  # of blocks of rows, which threads share

    def __init__(self, X):
        self.X, self.shape = X, X.shape
        self.dtype = self.weight_dtype = self.stored_dtype = X.dtype

    @abstractmethod
    def __matmul__(self, P):
        """Return Z = X W (..., m, k) of the parameters P."""

    @abstractmethod
    def transposed_product(self, dZ):
        """Return the gradient of the cost over P for dZ (..., m, k): X' dZ (..., n, k), if P is W."""

    @property
    def mT(self):
        """X', whose product `mT @ dZ` is `transposed_product`."""
        return Transpose(self)

    def asarray(self, array):
        """Return parameters, targets or weights where they are multiplied, in the precision of P."""
        return on_host(array).astype(self.dtype, copy=False)

    def parameters_of(self, W):
        """Return P of the initial weights W (n, k)."""
        return W

    def weights_of(self, P):
        """Return W (..., n, k)."""
        return P

    def with_rows(self, samples):
        """Return other samples in a form that multiplies the same parameters."""
        return samples

    def are_finite(self, P):
        """Whether W is finite in the precision of X."""
        return are_finite(P)

    def bound(self, P):
        """Return an upper bound on all |X W|, on their partial sums, and on |W|."""
        return P.shape[-2] * max(self.largest, 1.0) * largest_of(P)

    def inner_product(self, P, Q):
        """Return the sum of W V over all weights W and V of P and Q, one for each member of a stack."""
        return namespace(P).sum(P * Q, axis=(-2, -1))

    @cached_property
    def largest(self):
        """The largest |X|, or an upper bound; found without a copy."""
        values = self.X.data if sparse.issparse(self.X) else self.X
        return max(float(values.max(initial=0)), -float(values.min(initial=0)))

    def moments(self, rows, s, n_rows=None):
        """Return the mean and variance (n,) of each feature, with the weights s (m, 1), in float64.

        `rows` are `Rows` of all samples, for those that are not in memory. With `n_rows`, estimates from
        about so many rows without weights, if that is less work.
        """
        X, is_dense = self.X, not sparse.issparse(self.X)
        if n_rows is not None and is_dense:
            X = X[:: -(-len(X) // n_rows)]
            s = np.full((len(X), 1), 1 / len(X))
        # Relative to the first row: the squares of values far from 0 would cancel.
        origin = X[0].astype(np.float64) if is_dense else np.zeros(X.shape[1])
        return moments_of(origin, *moment_sums(X, s, origin))

    def blocks(self, width):
        """Return [(slice, X)] that cover all rows, in blocks that suit a first layer of `width` columns."""
        return [(slice(None), self)]

    def loaded_blocks(self, width):
        """Yield (slice, samples) that cover all rows, in memory and as small as such blocks."""
        return self.blocks(width)

    def arrays(self, n_bytes):
        """Yield (slice, matrix) that cover all rows, of about so many bytes unless X is in memory."""
        return [(slice(None), self.X)]

    def rows(self, groups, targets, s):
        """Return `Rows` of groups of `blocks`, with their targets (m, k) and weights s (m, 1)."""
        return Rows.of(groups, targets, s)

    def for_kernels(self):
        """Return the values (m, ...) that kernels multiply, and the divisor that makes them X."""
        return self.X, 1.0

    @cached_property
    def columns(self):
        """X' in C order, for kernels that take samples as columns: a copy, unless X is in Fortran order."""
        return np.ascontiguousarray(self.X.T)

    def describe_reading(self):
        """Return a sentence on how X is read, or "" if it is in memory."""
        return ""


class Transpose:
    """X' of samples, for products alone."""

    def __init__(self, samples):
        self.samples = samples

    def __matmul__(self, dZ):
        return self.samples.transposed_product(dZ)


class Samples(BaseSamples):
    """A dense or CSR matrix in memory."""

    def __matmul__(self, W):
        return product(self.X, W)

    def transposed_product(self, dZ):
        return self.mT @ dZ

    @cached_property
    def mT(self):  # once: 0.3 us, of a step that may take 10
        return Samples(_transposed(self.X))

    @property
    def fits_kernels(self):
        X = self.X
        is_dense = isinstance(X, np.ndarray) and X.dtype in (np.float32, np.float64) and X.dtype.isnative
        return is_dense and X.flags.c_contiguous and X.flags.aligned

    def blocks(self, width):
        m = self.shape[0]
        n_bytes = self.X.data.nbytes + 5 * m * width * self.dtype.itemsize
        n_blocks = max(-(-n_bytes // BLOCK_BYTES), min(self._work(width) // BLOCK_WORK, N_GROUPS))
        # About 8 rows per column of W, or adding up the blocks' dW (n, width) costs more than it saves.
        n_rows = max(-(-m // max(n_blocks, 1)), 8 * width)
        if m <= n_rows:
            return [(slice(None), self)]
        n_rows = -(-m // -(-m // n_rows))  # blocks of one size
        return [(rows, Samples(_rows_of(self.X, rows))) for rows in slices(m, n_rows)]

    def _work(self, width):
        """Return an estimate of the work of a step: reading X, multiplying it, and the values of Z and A."""
        return self.X.size * (8 + width) + 128 * self.shape[0] * width


def moment_sums(X, s, origin):
    """Return the sums of s (x - origin) and s (x - origin)^2 over the rows x of X."""
    is_dense = not sparse.issparse(X)
    first, second = np.zeros((2, X.shape[1]))
    size = MOMENTS_BLOCK // (1 if is_dense else 4) * X.shape[0] // max(X.size, 1) + 1
    for rows in slices(X.shape[0], size):
        x, weights = _rows_of(X, rows), s[rows].astype(np.float64).ravel()
        x = x - origin if is_dense else x.astype(np.float64, copy=False)
        first += x.T @ weights
        second += (x * x if is_dense else x.multiply(x)).T @ weights
    return first, second


def moments_of(origin, first, second, rounding=1e-12):
    """Return mean and variance from the sums, which are exact to `rounding`."""
    variance = second - first**2
    variance[variance < rounding * second] = 0
    return origin + first, variance


def _rows_of(X, rows):
    """Return X[rows] as a view, where SciPy's own slices and constructors of CSR matrices copy."""
    if not sparse.issparse(X):
        return X[rows]
    ends = X.indptr[rows.start : rows.stop + 1]
    values = slice(ends[0], ends[-1])
    shape = len(ends) - 1, X.shape[1]
    return _view(type(X), shape, X.data[values], X.indices[values], ends - ends[0])


def _transposed(X):
    """Return X' as a view, where SciPy copies the values of CSR matrices that are views themselves."""
    if not sparse.issparse(X):
        return X.T
    kind = sparse.csc_matrix if isinstance(X, sparse.spmatrix) else sparse.csc_array
    return _view(kind, X.shape[::-1], X.data, X.indices, X.indptr)


def _view(kind, shape, data, indices, indptr):
    """Return a sparse matrix of these arrays, none of which is copied."""
    view = kind(shape, dtype=data.dtype)
    view.data, view.indices, view.indptr = data, indices, indptr
    return view
