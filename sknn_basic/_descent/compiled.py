"""The steps of `network.py` compiled by Numba (extra `fast`), for one output and dense samples in C order.

Each kernel takes a step as `propagate` and `update` do, in loops over rows: a tile of rows is multiplied, its
errors computed and its share of the gradient added while it is in the cache. One call takes `n_steps` steps
and leaves its results in `layers` and `gradients`; with `n_steps` 0 only the cost and the gradients are
computed, by the same machine code, so that the bits agree.

No kernel checks its arguments: `engine.py` does. None is compiled with all of `fastmath`, which would drop
infinities: `SUM` lets a sum be added in several parts, `PRODUCT` lets products and sums be fused. An update
uses neither, so it has the bits of NumPy's. Only `sigmoid` and `softplus` drop numbers below the normal ones.
"""

import numpy as np
from numba import njit

PRODUCT = {"contract"}
SUM = {"contract", "reassoc", "nsz"}
# A tile is read twice, so it should fit in the second cache, and the elementwise work on it in the first.
TILE_BYTES = 2**17
MAX_TILE, UNROLLED = 512, 4  # rows
SHIFT = 1.5 * 2.0**52


def compiled(fastmath=False):
    """Compile without the GIL, and cache on disk where a folder can be written."""

    def decorate(function):
        options = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # there is no such folder
            return njit(**options)(function)

    return decorate


@compiled(PRODUCT)
def exp_parts(y):
    """Return p, c, h for which e^2y is p (c + h) / (c - h): p = 2^k, c = h coth(h), |h| <= log(2) / 4.

    y lies between -354 and 354.5. A series, since Numba has no vectorised exponential of its own.
    """
    shifted = y * 2.8853900817779268 + SHIFT  # its last bits are those of the integer k
    k = shifted - SHIFT
    h = (y - k * 3.46573590184561908245e-01) - k * 9.5410746463529385001e-11  # log(2) / 2 in two parts
    x = h * h
    c = x * (2 / 93555 - x * (1382 / 638512875)) - 1 / 4725
    c = 1 + x * (1 / 3 + x * (x * (2 / 945 + x * c) - 1 / 45))
    bits = np.float64(shifted).view(np.int64)
    return np.int64((bits + 1023) << 52).view(np.float64), c, h


@compiled(PRODUCT)
def exp(x):
    p, c, h = exp_parts(min(max(x / 2, -354.0), 354.5))
    return p * ((c + h) / (c - h))


@compiled(PRODUCT)
def sigmoid(z):
    """1 / (1 + e^-z); 0 below -709, NaN for NaN."""
    p, c, h = exp_parts(min(max(z / -2, -354.0), 354.5))
    a = (c - h) / ((c - h) + p * (c + h))
    return a if z > -709 else (z if z != z else 0.0)


@compiled(PRODUCT)
def tanh(z):
    """(e^2z - 1) / (e^2z + 1); with p = 1 for small z, which keep their precision as h / c."""
    p, c, h = exp_parts(min(abs(z), 20.0))
    a = ((p - 1) * c + (p + 1) * h) / ((p + 1) * c + (p - 1) * h)
    return np.copysign(a, z) if z == z else z


@compiled()
def softplus(z):
    """log(1 + e^z): the loss of one sample for z = T Z; 0 where e^z is below the smallest normal number."""
    if z != z or abs(z) > 708:
        return z if z != z else max(z, 0.0)
    return max(z, 0.0) + np.log1p(exp(-abs(z)))


@compiled()
def errors(T, s, Z, dZ, want_cost):
    """Compute dZ = s T sigmoid(T Z); return the sum of s L, if wanted."""
    for i in range(len(Z)):
        dZ[i] = s[i] * (T[i] * sigmoid(T[i] * Z[i]))
    J = 0.0
    if want_cost:
        for i in range(len(Z)):
            J += s[i] * softplus(T[i] * Z[i])
    return J


@compiled(SUM)
def products(X, w, b, Z):
    """Z = X w + b, a row from each quarter of X at a time: 0.72 of the time of four neighbours (1e6 x 50)."""
    m, n = X.shape
    q = m // UNROLLED
    for i in range(q):
        z0, z1, z2, z3 = b, b, b, b
        for j in range(n):
            z0 += X[i, j] * w[j]
            z1 += X[i + q, j] * w[j]
            z2 += X[i + 2 * q, j] * w[j]
            z3 += X[i + 3 * q, j] * w[j]
        Z[i], Z[i + q], Z[i + 2 * q], Z[i + 3 * q] = z0, z1, z2, z3
    for i in range(UNROLLED * q, m):
        z = b
        for j in range(n):
            z += X[i, j] * w[j]
        Z[i] = z


@compiled(SUM)
def transposed_products(X, dZ, dw):
    """Add X' dZ to dw, four rows at a time."""
    m, n = X.shape
    whole = m - m % UNROLLED
    for i in range(0, whole, UNROLLED):
        d0, d1, d2, d3 = dZ[i], dZ[i + 1], dZ[i + 2], dZ[i + 3]
        for j in range(n):
            dw[j] += (X[i, j] * d0 + X[i + 1, j] * d1) + (X[i + 2, j] * d2 + X[i + 3, j] * d3)
    for i in range(whole, m):
        for j in range(n):
            dw[j] += X[i, j] * dZ[i]


@compiled(SUM)
def total(values):
    result = 0.0
    for i in range(len(values)):  # Numba does not vectorise a loop over the values themselves
        result += values[i]
    return result


@compiled()
def logistic_gradient(X, T, s, w, b, dw, want_cost):
    """Return J and db of floats or bytes X, and leave dw: sums in float64 of tiles in the precision of w."""
    m, n = X.shape
    size = min(max(TILE_BYTES // (n * X.itemsize), UNROLLED), MAX_TILE)
    sums, tile_sums = np.zeros(n), np.empty(n, w.dtype)
    Z, dZ = np.empty(size, w.dtype), np.empty(size, w.dtype)
    J = db = 0.0
    for start in range(0, m, size):
        end = min(start + size, m)
        x, z, dz = X[start:end], Z[: end - start], dZ[: end - start]
        products(x, w, b, z)
        J += errors(T[start:end], s[start:end], z, dz, want_cost)
        tile_sums[:] = 0
        transposed_products(x, dz, tile_sums)
        for j in range(n):
            sums[j] += tile_sums[j]
        db += total(dz)
    for j in range(n):
        dw[j] = sums[j]
    return J, db


@compiled()
def move(W, dW, rate, l2):
    """W = W - rate (dW + l2 W)."""
    for j in range(len(W)):
        slope = dW[j] + l2 * W[j] if l2 != 0 else dW[j]
        W[j] = W[j] - rate * slope


@compiled()
def logistic_steps(X, T, s, w, b, dw, db, J, rates, n_steps, fit_intercept, want_cost):
    """Logistic regression on rows of X; `rates` are the learning rate and l2."""
    for _ in range(max(n_steps, 1)):
        J[0], db[0] = logistic_gradient(X, T, s, w, b[0], dw, want_cost)
        if n_steps:
            move(w, dw, rates[0], rates[1])
            if fit_intercept:
                b[0] = b[0] - rates[0] * db[0]


@compiled()
def gram_steps(G, T, s, C, b, dC, db, J, rates, n_steps, fit_intercept, want_cost):
    """Logistic regression on a Gram matrix: dC is dZ, and 0 for the rows of the initial weights."""
    m = len(T)
    Z, dZ = np.empty(m), dC[:m]
    dC[m:] = 0
    for _ in range(max(n_steps, 1)):
        products(G, C, b[0], Z)
        J[0] = errors(T, s, Z, dZ, want_cost)
        db[0] = total(dZ)
        if n_steps:
            move(C, dC, rates[0], rates[1])
            if fit_intercept:
                b[0] = b[0] - rates[0] * db[0]


SIGMOID, TANH, RELU, LEAKY_RELU = range(4)


@compiled(PRODUCT)
def column_products(W, b, XT, u, z):
    """Z = X W[:, u] + b, with samples as columns, four features at a time."""
    n, m = XT.shape
    first = n % UNROLLED
    if first == 0:
        z[:] = b
    elif first == 1:
        for i in range(m):
            z[i] = XT[0, i] * W[0, u] + b
    elif first == 2:
        for i in range(m):
            z[i] = XT[0, i] * W[0, u] + (XT[1, i] * W[1, u] + b)
    else:
        for i in range(m):
            z[i] = (XT[0, i] * W[0, u] + XT[1, i] * W[1, u]) + (XT[2, i] * W[2, u] + b)
    for j in range(first, n, UNROLLED):
        w0, w1, w2, w3 = W[j, u], W[j + 1, u], W[j + 2, u], W[j + 3, u]
        for i in range(m):
            z[i] += (XT[j, i] * w0 + XT[j + 1, i] * w1) + (XT[j + 2, i] * w2 + XT[j + 3, i] * w3)


@compiled()
def activate(activation, A):
    """Compute A = g(A), as in `activations.py`: one loop for each."""
    if activation == SIGMOID:
        for i in range(len(A)):
            A[i] = sigmoid(A[i])
    elif activation == TANH:
        for i in range(len(A)):
            A[i] = tanh(A[i])
    elif activation == RELU:
        for i in range(len(A)):
            A[i] = 0.0 if A[i] < 0 else A[i]
    else:
        for i in range(len(A)):
            A[i] = 0.1 * A[i] if A[i] < 0 else A[i]


@compiled()
def backward(activation, A, dZ2, w, dZ1):
    """dZ1 = dZ2 W2' * g'(Z1), the slope from A."""
    if activation == SIGMOID:
        for i in range(len(A)):
            dZ1[i] = dZ2[i] * w * (A[i] * (1 - A[i]))
    elif activation == TANH:
        for i in range(len(A)):
            dZ1[i] = dZ2[i] * w * (1 - A[i] * A[i])
    elif activation == RELU:
        for i in range(len(A)):
            dZ1[i] = dZ2[i] * w * (1.0 if A[i] > 0 else 0.0)
    else:
        for i in range(len(A)):
            dZ1[i] = dZ2[i] * w * (1.0 if A[i] > 0 else 0.1)


@compiled(SUM)
def dot(a, b):
    result = 0.0
    for i in range(len(a)):
        result += a[i] * b[i]
    return result


@compiled(SUM)
def all_dots(XT, dz, u, dW):
    """dW[:, u] = X' dZ[:, u], four features at a time."""
    n, m = XT.shape
    whole = n - n % UNROLLED
    for j in range(0, whole, UNROLLED):
        d0 = d1 = d2 = d3 = 0.0
        for i in range(m):
            d0 += XT[j, i] * dz[i]
            d1 += XT[j + 1, i] * dz[i]
            d2 += XT[j + 2, i] * dz[i]
            d3 += XT[j + 3, i] * dz[i]
        dW[j, u], dW[j + 1, u], dW[j + 2, u], dW[j + 3, u] = d0, d1, d2, d3
    for j in range(whole, n):
        dW[j, u] = dot(XT[j], dz)


@compiled()
def network_steps(
    XT, is_gram, T, s, activation,
    W1, b1, W2, b2, dW1, db1, dW2, db2,
    J, rates, n_steps, fit_intercept, want_cost,
):  # fmt: skip
    """Descend with one hidden layer on samples as columns, XT (n, m), or on their Gram matrix."""
    m, h = len(T), len(b1)
    A1, Z2, dZ2, dZ1 = np.empty((h, m)), np.empty(m), np.empty(m), np.empty(m)
    dW1[:] = 0  # they stay 0 for the initial weights in a Gram matrix
    w1, w2, dw1, dw2 = W1.ravel(), W2.ravel(), dW1.ravel(), dW2.ravel()
    for _ in range(max(n_steps, 1)):
        for u in range(h):
            column_products(W1, b1[u], XT, u, A1[u])
            activate(activation, A1[u])
        column_products(W2, b2[0], A1, 0, Z2)
        J[0] = errors(T, s, Z2, dZ2, want_cost)
        all_dots(A1, dZ2, 0, dW2)
        db2[0] = total(dZ2)
        for u in range(h):
            backward(activation, A1[u], dZ2, W2[u, 0], dZ1)
            if is_gram:
                dW1[:m, u] = dZ1
            else:
                all_dots(XT, dZ1, u, dW1)
            db1[u] = total(dZ1)
        if n_steps:
            move(w1, dw1, rates[0], rates[1])
            move(w2, dw2, rates[0], rates[1])
            if fit_intercept:
                move(b1, db1, rates[0], 0.0)
                move(b2, db2, rates[0], 0.0)
