"""What the compiled steps share: numbers, activations, errors and the update, by Numba (extra `fast`).

`compiled_rows.py` takes steps on samples as rows, `compiled_columns.py` as columns. Each kernel takes a step
as `propagate` and `update` in `network.py` do, in loops over tiles of samples: a tile is multiplied, its
errors computed and its share of the gradient added while it is in the cache. One call takes `n_steps` steps
and leaves its results in the layers and gradients; with `n_steps` 0 only cost and gradients are computed, by
the same machine code, so that the bits agree. J gets the costs before the steps `records` (0 is the first),
and `peak` the largest parameter at these: somebody has to see whether a descent diverges.

No kernel checks its arguments: `engine.py` does. None is compiled with all of `fastmath`, which would drop
infinities: `SUM` lets a sum be added in several parts, `PRODUCT` lets products and sums be fused. An update
uses neither, so it has the bits of NumPy's. Only `sigmoid`, `softplus` and `exp_below` drop numbers below the
normal ones.
"""

import numpy as np
from numba import njit

PRODUCT = {"contract"}
SUM = {"contract", "reassoc", "nsz"}
UNROLLED = 4  # rows, or features, that are multiplied at a time
SHIFT = 1.5 * 2.0**52


def compiled(fastmath=False, inline="never", is_kernel=False):
    """Compile without the GIL, and cache on disk where a folder can be written.

    A kernel contains all that it calls. The process that compiles a called function keeps it by itself too,
    and would link the kernel to that one; a process that loads the kernel from the cache has only what was
    compiled with it, which may round in another way.
    """

    def decorate(function):
        options = {"nogil": True, "fastmath": fastmath, "error_model": "numpy", "inline": inline}
        options["forceinline"] = not is_kernel
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
def exp_below(x):
    """e^x for x <= 0: 0 below -708, NaN for NaN."""
    p, c, h = exp_parts(-354.0 if x < -708 else x / 2)
    return 0.0 if x < -708 else p * ((c + h) / (c - h))


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


@compiled(PRODUCT)
def log1p(u):
    """log(1 + u) for 0 <= u <= 1: 2 atanh(h) for h = u / (2 + u), a series in h^2 <= 1 / 9."""
    h = u / (2 + u)
    x = h * h
    c = 1 / 25 + x * (1 / 27 + x * (1 / 29 + x * (1 / 31 + x / 33)))
    c = 1 / 13 + x * (1 / 15 + x * (1 / 17 + x * (1 / 19 + x * (1 / 21 + x * (1 / 23 + x * c)))))
    c = 1 / 3 + x * (1 / 5 + x * (1 / 7 + x * (1 / 9 + x * (1 / 11 + x * c))))
    return 2 * (h + h * x * c)


@compiled(PRODUCT)
def log1p_of_many(u):
    """log(1 + u) for 0 <= u < 256: 8 log of the eighth root; sqrt(1 + u) - 1 is u / (1 + sqrt(1 + u))."""
    for _ in range(3):
        u = u / (1 + np.sqrt(1 + u))
    return 8 * log1p(u)


@compiled(PRODUCT)
def softplus(z):
    """log(1 + e^z): the loss of one sample for z = T Z; 0 where e^z is below the smallest normal number."""
    return max(z, 0.0) + log1p(exp_below(-abs(z)))


SIGMOID, TANH, RELU, LEAKY_RELU = range(4)


@compiled()
def activate(activation, m, A):
    """Compute A = g(A) of the first m samples, as in `activations.py`: one loop for each."""
    for u in range(len(A)):
        if activation == SIGMOID:
            for i in range(m):
                A[u, i] = sigmoid(A[u, i])
        elif activation == TANH:
            for i in range(m):
                A[u, i] = tanh(A[u, i])
        elif activation == RELU:
            for i in range(m):
                A[u, i] = 0.0 if A[u, i] < 0 else A[u, i]
        else:
            for i in range(m):
                A[u, i] = 0.1 * A[u, i] if A[u, i] < 0 else A[u, i]


@compiled()
def backward(activation, m, dA, W2, A):
    """Compute dZ1 = dA1 g'(Z1), the slope from A, in place of A; with one output, dA1 is dZ2 W2'."""
    is_one = W2.shape[1] == 1
    for u in range(len(A)):
        row, w = (0, W2[u, 0]) if is_one else (u, 1.0)
        if activation == SIGMOID:
            for i in range(m):
                A[u, i] = dA[row, i] * w * (A[u, i] * (1 - A[u, i]))
        elif activation == TANH:
            for i in range(m):
                A[u, i] = dA[row, i] * w * (1 - A[u, i] * A[u, i])
        elif activation == RELU:
            for i in range(m):
                A[u, i] = dA[row, i] * w * (1.0 if A[u, i] > 0 else 0.0)
        else:
            for i in range(m):
                A[u, i] = dA[row, i] * w * (1.0 if A[u, i] > 0 else 0.1)


@compiled(inline="always")
def errors(targets, s, start, m, Z, dZ, want_cost):
    """Compute dZ = s (A - Y) of m samples from `start` on; return the sum of s L, if wanted."""
    J = 0.0
    if len(Z) == 1:
        logistic_errors(targets, s, start, m, Z, dZ)
        if want_cost:
            J = logistic_losses(targets, s, start, m, Z)
    else:
        softmax_errors(targets, s, start, m, Z, dZ)
        if want_cost:
            J = softmax_losses(targets, s, start, m, Z)
    return J


@compiled()
def logistic_errors(T, s, start, m, Z, dZ):
    """Compute dZ = s T sigmoid(T Z)."""
    for i in range(m):
        dZ[0, i] = s[start + i] * (T[0, start + i] * sigmoid(T[0, start + i] * Z[0, i]))


@compiled(SUM)
def logistic_losses(T, s, start, m, Z):
    J = 0.0
    for i in range(m):
        J += s[start + i] * softplus(T[0, start + i] * Z[0, i])
    return J


@compiled()
def softmax_errors(Y, s, start, m, Z, dZ):
    """Compute dZ = s (A - Y) as `softmax_error` has it: of the true class, minus the sum of the others."""
    largest, scale, wrong = np.empty(m), np.zeros(m), np.zeros(m)
    for i in range(m):
        largest[i] = Z[0, i]
    for c in range(1, len(Z)):
        for i in range(m):
            largest[i] = Z[c, i] if Z[c, i] > largest[i] else largest[i]
    for c in range(len(Z)):
        for i in range(m):
            dZ[c, i] = exp_below(Z[c, i] - largest[i])
            scale[i] += dZ[c, i]
    for i in range(m):
        scale[i] = s[start + i] / scale[i]
    for c in range(len(Z)):
        for i in range(m):
            dZ[c, i] = (1 - Y[c, start + i]) * (dZ[c, i] * scale[i])
            wrong[i] += dZ[c, i]
    for c in range(len(Z)):
        for i in range(m):
            dZ[c, i] -= Y[c, start + i] * wrong[i]


@compiled(SUM)
def softmax_losses(Y, s, start, m, Z):
    """Return the sum of s L, with L = -log a of the true class; log1p keeps the tail of a near 1."""
    largest, true, others = np.empty(m), np.zeros(m), np.full(m, -1.0)
    for i in range(m):
        largest[i] = Z[0, i]
    for c in range(1, len(Z)):
        for i in range(m):
            largest[i] = Z[c, i] if Z[c, i] > largest[i] else largest[i]
    for c in range(len(Z)):
        for i in range(m):
            true[i] = Z[c, i] if Y[c, start + i] else true[i]
            others[i] += (
                1.0 if Z[c, i] == largest[i] else 0.0
            )  # all but one of them; first, so that it is exact
    for c in range(len(Z)):
        for i in range(m):
            e = exp_below(Z[c, i] - largest[i])  # computed in any case, so that the loop is vectorised
            others[i] += 0.0 if Z[c, i] == largest[i] else e
    J = 0.0
    for i in range(m):
        J += s[start + i] * ((largest[i] - true[i]) + log1p_of_many(others[i]))
    return J


@compiled(inline="always")
def largest(values, peak):
    """Return the largest |value|, or `peak`."""
    for i in range(len(values)):
        peak = max(peak, abs(values[i]))
    return peak


@compiled(inline="always")
def clear(values):
    for i in range(len(values)):
        values[i] = 0


@compiled()
def move(W, dW, rate, l2):
    """W = W - rate (dW + l2 W)."""
    for j in range(len(W)):
        slope = dW[j] + l2 * W[j] if l2 != 0 else dW[j]
        W[j] = W[j] - rate * slope


@compiled()
def move_biases(b, db, rate):
    """Compute b = b - rate db; not by `move`, whose l2 would make float64 of float32."""
    for j in range(len(b)):
        b[j] = b[j] - rate * db[j]


@compiled(SUM)
def total(values):
    result = 0.0
    for i in range(len(values)):  # Numba does not vectorise a loop over the values themselves
        result += values[i]
    return result
