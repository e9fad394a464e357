"""Compiled steps on samples as columns, X' (n, m): softmax, and networks with one hidden layer.

The values of a feature are neighbours, and so are those of a unit: all loops run along the samples.
"""

import numpy as np

from .compiled import (
    PRODUCT,
    SUM,
    UNROLLED,
    activate,
    backward,
    clear,
    compiled,
    errors,
    largest,
    move,
    move_biases,
    total,
)

# The columns of X, A1 and dZ1 of a tile should fit in the second cache, and few rows of them in the first.
TILE_BYTES = 2**18
MIN_TILE, MAX_TILE = 64, 512  # samples


@compiled(PRODUCT)
def begin_products(W, b, XT, start, m, Z):
    """Z = X W + b of m samples from `start` on and the first features: all but whole fours."""
    n = len(XT) % UNROLLED
    for u in range(len(b)):
        c = b[u]
        if n == 0:
            for i in range(m):
                Z[u, i] = c
        elif n == 1:
            w0 = W[0, u]
            for i in range(m):
                Z[u, i] = XT[0, start + i] * w0 + c
        elif n == 2:
            w0, w1 = W[0, u], W[1, u]
            for i in range(m):
                Z[u, i] = XT[0, start + i] * w0 + (XT[1, start + i] * w1 + c)
        else:
            w0, w1, w2 = W[0, u], W[1, u], W[2, u]
            for i in range(m):
                Z[u, i] = (XT[0, start + i] * w0 + XT[1, start + i] * w1) + (XT[2, start + i] * w2 + c)


@compiled(PRODUCT)
def add_products(W, XT, start, m, u, Z):
    """Add the products of the other features to Z[u], four at a time."""
    for j in range(len(XT) % UNROLLED, len(XT), UNROLLED):
        w0, w1, w2, w3 = W[j, u], W[j + 1, u], W[j + 2, u], W[j + 3, u]
        for i in range(m):
            x0, x1 = XT[j, start + i], XT[j + 1, start + i]
            x2, x3 = XT[j + 2, start + i], XT[j + 3, start + i]
            Z[u, i] += (x0 * w0 + x1 * w1) + (x2 * w2 + x3 * w3)


@compiled(PRODUCT)
def add_pairs_of_products(W, XT, start, m, u, Z):
    """Add the same products to Z[u] and Z[u + 1], which read each value of X once for both."""
    v = u + 1
    for j in range(len(XT) % UNROLLED, len(XT), UNROLLED):
        w0, w1, w2, w3 = W[j, u], W[j + 1, u], W[j + 2, u], W[j + 3, u]
        v0, v1, v2, v3 = W[j, v], W[j + 1, v], W[j + 2, v], W[j + 3, v]
        for i in range(m):
            x0, x1 = XT[j, start + i], XT[j + 1, start + i]
            x2, x3 = XT[j + 2, start + i], XT[j + 3, start + i]
            Z[u, i] += (x0 * w0 + x1 * w1) + (x2 * w2 + x3 * w3)
            Z[v, i] += (x0 * v0 + x1 * v1) + (x2 * v2 + x3 * v3)


@compiled(inline="always")
def products(W, b, XT, start, m, Z):
    """Z = X W + b of m samples from `start` on."""
    k = W.shape[1]
    begin_products(W, b, XT, start, m, Z)
    if len(XT) < UNROLLED:
        return
    for u in range(0, k - 1, 2):
        add_pairs_of_products(W, XT, start, m, u, Z)
    if k % 2:
        add_products(W, XT, start, m, k - 1, Z)


@compiled(SUM)
def begin_dots(XT, start, m, dZ, dW, db):
    """Add X' dZ to dW for the first features, and the sums of dZ to db."""
    n = len(XT) % UNROLLED
    for u in range(len(db)):
        d0 = d1 = d2 = db_u = 0.0
        if n == 0:
            for i in range(m):
                db_u += dZ[u, i]
        elif n == 1:
            for i in range(m):
                d0 += XT[0, start + i] * dZ[u, i]
                db_u += dZ[u, i]
        elif n == 2:
            for i in range(m):
                d0 += XT[0, start + i] * dZ[u, i]
                d1 += XT[1, start + i] * dZ[u, i]
                db_u += dZ[u, i]
        else:
            for i in range(m):
                d0 += XT[0, start + i] * dZ[u, i]
                d1 += XT[1, start + i] * dZ[u, i]
                d2 += XT[2, start + i] * dZ[u, i]
                db_u += dZ[u, i]
        db[u] += db_u
        if n > 0:
            dW[0, u] += d0
        if n > 1:
            dW[1, u] += d1
        if n > 2:
            dW[2, u] += d2


@compiled(SUM)
def add_dots(XT, start, m, u, dZ, dW):
    """Add X' dZ[u] to dW[:, u] for the other features, four at a time."""
    for j in range(len(XT) % UNROLLED, len(XT), UNROLLED):
        d0 = d1 = d2 = d3 = 0.0
        for i in range(m):
            d = dZ[u, i]
            d0 += XT[j, start + i] * d
            d1 += XT[j + 1, start + i] * d
            d2 += XT[j + 2, start + i] * d
            d3 += XT[j + 3, start + i] * d
        dW[j, u] += d0
        dW[j + 1, u] += d1
        dW[j + 2, u] += d2
        dW[j + 3, u] += d3


@compiled(SUM)
def add_pairs_of_dots(XT, start, m, u, dZ, dW):
    """Add the same to dW[:, u] and dW[:, u + 1], which read each value of X once for both."""
    v = u + 1
    for j in range(len(XT) % UNROLLED, len(XT), UNROLLED):
        d0 = d1 = d2 = d3 = 0.0
        e0 = e1 = e2 = e3 = 0.0
        for i in range(m):
            d, e = dZ[u, i], dZ[v, i]
            x0, x1 = XT[j, start + i], XT[j + 1, start + i]
            x2, x3 = XT[j + 2, start + i], XT[j + 3, start + i]
            d0 += x0 * d
            d1 += x1 * d
            d2 += x2 * d
            d3 += x3 * d
            e0 += x0 * e
            e1 += x1 * e
            e2 += x2 * e
            e3 += x3 * e
        dW[j, u] += d0
        dW[j + 1, u] += d1
        dW[j + 2, u] += d2
        dW[j + 3, u] += d3
        dW[j, v] += e0
        dW[j + 1, v] += e1
        dW[j + 2, v] += e2
        dW[j + 3, v] += e3


@compiled(inline="always")
def dots(XT, start, m, dZ, dW, db):
    """Add X' dZ to dW and the sums of dZ to db."""
    k = dW.shape[1]
    begin_dots(XT, start, m, dZ, dW, db)
    if len(XT) < UNROLLED:
        return
    for u in range(0, k - 1, 2):
        add_pairs_of_dots(XT, start, m, u, dZ, dW)
    if k % 2:
        add_dots(XT, start, m, k - 1, dZ, dW)


@compiled()
def tiles_of(m, width):
    """Return m and the number of samples in a tile, each of `width` numbers.

    Both are unsigned: no index is checked then for being counted from the end, so that loops are vectorised.
    """
    return np.uint64(m), np.uint64(min(max(TILE_BYTES // (8 * width), MIN_TILE), MAX_TILE, m))


@compiled()
def transpose(W, WT):
    for j in range(len(W)):
        for u in range(len(WT)):
            WT[u, j] = W[j, u]


@compiled(is_kernel=True)
def softmax_steps(XT, targets, s, W, b, dW, db, J, peak, rates, n_steps, fit_intercept, records):
    """Descend with one layer of several outputs."""
    n, k = W.shape
    m, size = tiles_of(len(s), n + 2 * k)
    Z, dZ = np.empty((k, size)), np.empty((k, size))
    w, dw, alpha, l2 = W.ravel(), dW.ravel(), rates[0, 0], rates[0, 1]
    at, none = 0, J.shape[1] - 1
    for step in range(max(n_steps, 1)):
        is_record = at < len(records) and records[at] == step
        if is_record:
            peak[0] = largest(b, largest(w, peak[0]))
        clear(dw)
        clear(db)
        for start in range(np.uint64(0), m, size):
            r = min(size, m - start)
            products(W, b, XT, start, r, Z)
            J[0, at if is_record else none] += errors(targets, s, start, r, Z, dZ, is_record)
            dots(XT, start, r, dZ, dW, db)
        at += is_record
        if n_steps:
            move(w, dw, alpha, l2)
            if fit_intercept:
                move_biases(b, db, alpha)


@compiled(is_kernel=True)
def network_steps(
    XT, is_gram, targets, s, activation,
    W1, b1, W2, b2, dW1, db1, dW2, db2,
    J, peak, rates, n_steps, fit_intercept, records,
):  # fmt: skip
    """Descend with one hidden layer, on samples or on their Gram matrix, where dW1 is dZ1."""
    (n, h), k = W1.shape, len(b2)
    m, size = tiles_of(len(s), n + 2 * (h + k))
    A1, dA1, Z2, dZ2 = np.empty((h, size)), np.empty((h, size)), np.empty((k, size)), np.empty((k, size))
    w1, w2, dw1, dw2 = W1.ravel(), W2.ravel(), dW1.ravel(), dW2.ravel()
    W2T, zeros, first = np.empty((k, h)), np.zeros(h), np.uint64(0)
    alpha, l2 = rates[0, 0], rates[0, 1]
    clear(dw1)  # they stay 0 for the initial weights in a Gram matrix
    at, none = 0, J.shape[1] - 1
    for step in range(max(n_steps, 1)):
        is_record = at < len(records) and records[at] == step
        if is_record:
            peak[0] = largest(b2, largest(w2, largest(b1, largest(w1, peak[0]))))
        clear(db1)
        clear(dw2)
        clear(db2)
        if not is_gram:
            clear(dw1)
        transpose(W2, W2T)
        for start in range(np.uint64(0), m, size):
            r = min(size, m - start)
            products(W1, b1, XT, start, r, A1)
            activate(activation, r, A1)
            products(W2, b2, A1, first, r, Z2)
            J[0, at if is_record else none] += errors(targets, s, start, r, Z2, dZ2, is_record)
            dots(A1, first, r, dZ2, dW2, db2)
            if k > 1:
                products(W2T, zeros, dZ2, first, r, dA1)
            backward(activation, r, dA1 if k > 1 else dZ2, W2, A1)  # A1 is dZ1 from here on
            if is_gram:
                for u in range(h):
                    for i in range(r):
                        dW1[start + i, u] = A1[u, i]
                    db1[u] += total(A1[u, :r])
            else:
                dots(XT, start, r, A1, dW1, db1)
        at += is_record
        if n_steps:
            move(w1, dw1, alpha, l2)
            move(w2, dw2, alpha, l2)
            if fit_intercept:
                move_biases(b1, db1, alpha)
                move_biases(b2, db2, alpha)
