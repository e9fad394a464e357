"""Wide samples, represented by the Gram matrix of their rows: a step then costs m^2 instead of m n."""

from functools import cached_property, partial

import numpy as np

from .arithmetic import product
from .rows import N_GROUPS, grouped, slices
from .samples import BLOCK_BYTES, BaseSamples, Samples
from .stored import StoredRows, stored_moments
from .threads import threads

# Values of a Gram matrix from which threads share a step: 8 MiB, 0.7 ms.
SHARED_VALUES = 2**20
MIN_ROWS = 64  # of a product that one thread takes: fewer use the processor badly
# Where all these squares have a quarter of the values of P, threads share its columns: this takes 0.7 of the
# time that its rows take, or BLAS with all its threads (209 x 12,288).
WIDE, N_COLUMN_GROUPS = 16, 4


class GramSamples(BaseSamples):
    """A dense X (m, n) with m < n, represented by the Gram matrix of its rows.

    Gradient descent only adds multiples of samples to W, so W = B' C for the rows B = [X; W0'] (just X when
    W0 = 0). The coefficients C (m or m + k, k) are trained in place of W: `samples @ C` is (X B') C, with
    X B' computed once, and the gradient is dZ itself, with zeros for the rows of W0. The matrix and C are
    float64 whatever the dtype of X, since their products cancel where rows are similar. Blocks of columns
    spare a copy of [X; W0'] and of X in float64.
    """

    fits_kernels = True

    def __init__(self, X, W0=None, gram=None):
        super().__init__(X)
        self.dtype = self.stored_dtype = np.dtype(np.float64)
        self.W0 = np.empty((X.shape[1], 0), X.dtype) if W0 is None else W0
        self.gram = self._make_gram(gram)
        self.products = self.gram.T[: X.shape[0]]  # X B'; transposed, a stack of 10 takes half the time

    def _make_gram(self, known):
        """Return B B'; if X X' is known, only the products with W0 are computed."""
        m, n_initial = self.shape[0], self.W0.shape[1]
        if known is not None and n_initial == 0:
            return known
        gram = np.zeros((m + n_initial, m + n_initial))
        with np.errstate(over="ignore", invalid="ignore"):
            for columns in self._column_blocks():
                B = self._basis(columns)
                if known is None:
                    add_squares(gram, B)
                else:
                    gram[m:] += B[m:] @ B.T
        if known is not None:
            gram[:m, :m], gram[:m, m:] = known, gram[m:, :m].T
        return gram

    def __matmul__(self, C):
        m, n_values = self.shape[0], self.gram.size
        if n_values < SHARED_VALUES:
            return product(self.products, C)
        rows = [*slices(m, -(-m // N_GROUPS))]
        return np.concatenate(threads.map(lambda some: product(self.products[some], C), rows), axis=-2)

    def transposed_product(self, dZ):
        """Return dZ, followed by zeros for the rows of W0."""
        n = self.W0.shape[1]
        return dZ if n == 0 else np.concatenate([dZ, np.zeros((*dZ.shape[:-2], n, dZ.shape[-1]))], axis=-2)

    def parameters_of(self, W):
        """Return C for which B' C is W, which must be W0 (zero if there is none)."""
        C = np.zeros((len(self.gram), W.shape[1]))
        C[self.shape[0] :] = np.eye(self.W0.shape[1], W.shape[1])
        return C

    def weights_of(self, C):
        """Return W = B' C, in float64."""
        W = np.empty((*C.shape[:-2], C.shape[-1], self.shape[1])).mT
        blocks = [*_columns(self.shape[1], len(self.gram), BLOCK_BYTES)]
        threads.map(partial(self._compute_weights, W, C), blocks)
        return W

    def _compute_weights(self, W, C, columns):
        W[..., columns, :] = product(self._basis(columns).T, C)

    def with_rows(self, samples):
        """Return other samples in a form that multiplies C: X W = (X B') C."""
        products = np.zeros((samples.shape[0], len(self.gram)))
        with np.errstate(over="ignore", invalid="ignore"):
            for rows, X in samples.arrays(LARGE_BLOCK_BYTES):
                self._add_products(products[rows], X)
        if not np.isfinite(products).all():
            raise ValueError(
                "The features of the validation samples (X_val) are so large that their products with X "
                "overflow. Scale X and X_val, as StandardScaler does."
            )
        return Samples(products)

    def _add_products(self, out, X):
        """Add X B' to `out`, for dense or CSR X."""
        for columns in self._column_blocks():
            add_products(out, X[:, columns], self._basis(columns))

    def are_finite(self, C):
        """Whether W = B' C is finite in the precision of X: |W| <= sum_i |C_i| ||B_i||."""
        bound = np.sqrt(self.gram.diagonal()) @ np.abs(C).sum(axis=-1)
        return bool(np.isfinite(C).all() and bound < np.finfo(self.weight_dtype).max)

    def bound(self, C):
        return C.size * self.largest_product * float(np.abs(C).max())

    @cached_property
    def largest_product(self):
        """The largest ||B_i||^2, which no product of rows exceeds, or 1: then neither does |B|."""
        return max(float(self.gram.diagonal().max()), 1.0)

    def inner_product(self, C, D):
        """sum_ij W_ij V_ij = sum_ij C_ij (B B' D)_ij."""
        return np.sum(C * product(self.gram, D), axis=(-2, -1))

    def for_kernels(self):
        return self.gram[: self.shape[0]], 1.0

    @cached_property
    def columns(self):
        return np.ascontiguousarray(self.gram[:, : self.shape[0]])

    def _column_blocks(self):
        if self.X.dtype == self.dtype and self.W0.shape[1] == 0:  # nothing to convert or to stack
            return [slice(None)]
        return _columns(self.shape[1], len(self.W0.T) + self.shape[0], BLOCK_BYTES)

    def _basis(self, columns):
        """Return the columns of B = [X; W0'] in float64."""
        if self.W0.shape[1] == 0:
            return self.X[:, columns].astype(np.float64, copy=False)
        return np.vstack([self.X[:, columns], self.W0[columns].T], dtype=np.float64)


def add_products(out, P, Q):
    """Add P Q' to `out`, for dense or CSR P; threads share the rows of P."""
    threads.map(partial(_add_rows, out, P, Q), [*slices(P.shape[0], _group_size(P.shape[0]))])


def _add_rows(out, P, Q, rows):
    out[rows] += P[rows] @ Q.T


def add_squares(out, P):
    """Add P P' to `out`, which is symmetric; threads share the columns of wide P, or the rows."""
    n = P.shape[1]
    if n >= WIDE * len(P):
        for squares in threads.map(partial(_squares, P), [*slices(n, -(-n // N_COLUMN_GROUPS))]):
            out += squares
        return
    groups = [*slices(len(P), _group_size(len(P)))]
    threads.map(partial(_add_lower_rows, out, P), groups)
    for rows in groups:
        out[: rows.start, rows] = out[rows, : rows.start].T


def _squares(P, columns):
    return P[:, columns] @ P[:, columns].T


def _add_lower_rows(out, P, rows):
    out[rows, : rows.stop] += P[rows] @ P[: rows.stop].T


def _group_size(m):
    return max(-(-m // N_GROUPS), MIN_ROWS)


def _columns(n, n_rows, n_bytes):
    """Return slices of n columns, of so many rows and about so many bytes in float64."""
    return slices(n, max(n_bytes // (8 * n_rows), 1))


# Bytes of a large block of stored rows, of which pairs are multiplied; of the columns at a time, as floats.
LARGE_BLOCK_BYTES, COLUMN_BYTES = 2**27, 2**25


class StoredGram(GramSamples):
    """The Gram matrix of stored rows: they are read a few times, and then once more for the weights."""

    def _make_gram(self, known):
        m, k = self.shape[0], self.W0.shape[1]
        gram = np.empty((m + k, m + k))
        gram[m:, m:] = self.W0.T.astype(np.float64) @ self.W0
        large = self.X.large_blocks(LARGE_BLOCK_BYTES)
        for i, block in enumerate(large):
            P, rows = block.read(), block.rows
            gram[rows, rows], gram[rows, m:] = self._own_products(P)
            gram[m:, rows] = gram[rows, m:].T
            for other in large[i + 1 :]:
                gram[rows, other.rows] = self._products(P, other.read())
                gram[other.rows, rows] = gram[rows, other.rows].T
        return gram

    def describe_reading(self):
        n_reads = (len(self.X.large_blocks(LARGE_BLOCK_BYTES)) + 1) / 2
        times = "once" if n_reads == 1 else f"{n_reads:g} times"
        return f"X is read {times} for its Gram matrix, and once for the weights: no step reads it."

    def _own_products(self, P):
        """Return P P' and P W0."""
        squares, with_start = np.zeros((len(P), len(P))), np.zeros((len(P), self.W0.shape[1]))
        for columns in _columns(self.shape[1], len(P), COLUMN_BYTES):
            p = self._floats(P[:, columns])
            add_squares(squares, p)
            with_start += p @ self.W0[columns]
        return squares, with_start

    def _products(self, P, Q):
        """Return P Q'."""
        products = np.zeros((len(P), len(Q)))
        for columns in _columns(self.shape[1], len(P) + len(Q), COLUMN_BYTES):
            add_products(products, self._floats(P[:, columns]), self._floats(Q[:, columns]))
        return products

    def _floats(self, values):
        floats = values.astype(np.float64)
        if self.X.blocks[0].divisor != 1:
            floats /= self.X.blocks[0].divisor
        return floats

    def weights_of(self, C):
        columns = np.moveaxis(C, -2, 0).reshape(len(self.gram), -1)  # of all members of a stack
        m = self.shape[0]
        rows = self._stored_rows(columns[:m])
        W = rows.total(_transposed_product) + self.W0 @ columns[m:]
        return np.moveaxis(W.reshape(-1, *C.shape[:-2], C.shape[-1]), 0, -2)

    def _add_products(self, out, X):
        for block in self.X.blocks:
            for rows, few in block.small_blocks():
                first = block.rows.start
                out[:, first + rows.start : first + rows.stop] = X @ few.X.T.astype(np.float64, copy=False)
        out[:, self.shape[0] :] = X @ self.W0

    def moments(self, rows, s, n_rows=None):
        return stored_moments(self.X, self._stored_rows(s))

    def _stored_rows(self, s):
        return StoredRows.of(grouped([(block.rows, block) for block in self.X.blocks]), s, s)


def _transposed_product(X, targets, s):
    return X.X.T.astype(np.float64, copy=False) @ s
