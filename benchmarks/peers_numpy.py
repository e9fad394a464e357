"""NumPy: the notes' own code, their loop with samples as rows, and what is written by hand without checks."""

import numpy as np
from scipy.special import expit

from tests.longhand import logistic_descent


def as_float64(layers):
    return [(np.asarray(W, np.float64), np.asarray(b, np.float64)) for W, b in layers]


def as_layer(w, b):
    return as_float64([(np.reshape(w, (-1, 1)), np.reshape(b, (1, 1)))])


def notes_logistic(X, y, rate, steps):
    """Section 1.2.2, samples as columns, with its cost at every step."""

    def job():
        w, b, _ = logistic_descent(X.T, y.astype(X.dtype), rate, steps)
        return as_layer(w, b)

    return job


def notes_network(X, y, start, rate, steps):
    """Section 1.3.5 from given weights, samples as columns, with its cost at every step as in 1.2.2."""
    X, Y, m = X.T, y.astype(X.dtype).reshape(1, -1), len(X)

    def job():
        (W1, b1), (W2, b2) = [(W.T.astype(X.dtype), b.T.astype(X.dtype)) for W, b in start]
        for _ in range(steps):
            A1 = np.tanh(W1 @ X + b1)
            A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
            _cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
            dZ2 = A2 - Y
            dW2, db2 = dZ2 @ A1.T / m, np.sum(dZ2, axis=1, keepdims=True) / m
            dZ1 = W2.T @ dZ2 * (1 - A1**2)
            dW1, db1 = dZ1 @ X.T / m, np.sum(dZ1, axis=1, keepdims=True) / m
            W1, b1 = W1 - rate * dW1, b1 - rate * db1
            W2, b2 = W2 - rate * dW2, b2 - rate * db2
        return as_float64([(W1.T, b1.T), (W2.T, b2.T)])

    return job


def rows_as_matrices(X, y, rate, steps):
    Y, m = y.astype(X.dtype).reshape(-1, 1), len(X)

    def job(steps=steps):
        w, b = np.zeros((X.shape[1], 1), X.dtype), X.dtype.type(0)
        for _ in range(steps):
            A = 1 / (1 + np.exp(-(X @ w + b)))
            dZ = A - Y
            w = w - rate * (X.T @ dZ / m)
            b = b - rate * (np.sum(dZ) / m)
        return as_layer(w, b)

    return job


def rows_rank_1(X, y, rate, steps):
    Y, m = y.astype(X.dtype), len(X)

    def job(steps=steps):
        w, b = np.zeros(X.shape[1], X.dtype), X.dtype.type(0)
        for _ in range(steps):
            A = 1 / (1 + np.exp(-(X @ w + b)))
            dZ = A - Y
            w = w - rate * (X.T @ dZ / m)
            b = b - rate * (np.sum(dZ) / m)
        return as_layer(w, b)

    return job


def transposed_rank_1(X, y, rate, steps):
    return rows_rank_1(np.asfortranarray(X), y, rate, steps)


ROWS = {
    "matrices": rows_as_matrices,
    "rank 1": rows_rank_1,
    "rank 1, transposed copy": transposed_rank_1,
}


def small_forms(X, y, start, rate, steps):
    """The network into memory allocated once, samples as rows or as columns: no cost, no check."""
    return {
        "rows": lambda: network_by_rows(X, y, start, rate, steps),
        "columns": lambda: network_by_columns(X, y, start, rate, steps),
    }


def network_by_rows(X, y, start, rate, steps):
    m, T = len(X), np.where(y == 1, -1.0, 1.0).reshape(-1, 1)
    T_over_m, ones = T / m, np.ones((1, m))

    def job(steps=steps):
        (W1, b1), (W2, b2) = [(W.copy(), b.copy()) for W, b in start]
        h = W1.shape[1]
        A1, slope, Z2 = np.empty((m, h)), np.empty((m, h)), np.empty((m, 1))
        dW1, db1, dW2, db2 = np.empty_like(W1), np.empty_like(b1), np.empty_like(W2), np.empty_like(b2)
        XT, A1T = X.T, A1.T
        for _ in range(steps):
            np.matmul(X, W1, out=A1)
            A1 += b1
            np.tanh(A1, out=A1)
            np.matmul(A1, W2, out=Z2)
            Z2 += b2
            Z2 *= T
            expit(Z2, out=Z2)
            Z2 *= T_over_m
            np.matmul(A1T, Z2, out=dW2)
            np.matmul(ones, Z2, out=db2)
            np.multiply(A1, A1, out=slope)
            np.subtract(1, slope, out=slope)
            slope *= Z2
            slope *= W2.T
            np.matmul(XT, slope, out=dW1)
            np.matmul(ones, slope, out=db1)
            for parameter, gradient in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
                gradient *= rate
                parameter -= gradient
        return [(W1, b1), (W2, b2)]

    return job


def network_by_columns(X, y, start, rate, steps):
    """The biases are weights of a feature, or of a hidden unit, that is always 1."""
    m = len(X)
    X1 = np.vstack([X.T, np.ones(m)])  # (n + 1, m)
    Y = y.astype(np.float64).reshape(1, -1)

    def job(steps=steps):
        V1, V2 = [np.vstack([W, b]).T.copy() for W, b in start]  # (h, n + 1) and (1, h + 1)
        h = len(V1)
        A, dA, Z2 = np.ones((h + 1, m)), np.empty((h, m)), np.empty((1, m))
        A1, V2T, X1T, AT = A[:h], V2[:, :h].T, X1.T, A.T
        dV1, dV2 = np.empty_like(V1), np.empty_like(V2)
        for _ in range(steps):
            np.matmul(V1, X1, out=dA)
            np.tanh(dA, out=A1)
            np.matmul(V2, A, out=Z2)
            np.negative(Z2, out=Z2)
            np.exp(Z2, out=Z2)
            Z2 += 1
            np.divide(1, Z2, out=Z2)
            Z2 -= Y
            Z2 *= rate / m
            np.matmul(Z2, AT, out=dV2)
            np.multiply(A1, A1, out=dA)
            np.subtract(1, dA, out=dA)
            dA *= Z2
            dA *= V2T
            np.matmul(dA, X1T, out=dV1)
            V1 -= dV1
            V2 -= dV2
        return [(V[:, :-1].T.copy(), V[:, -1:].T.copy()) for V in (V1, V2)]

    return job


def gram_forms(X, y, rate, steps):
    """Logistic regression on the Gram matrix of the rows, in float64: W = X' C."""
    return {
        "matrices": lambda: gram_job(X, y.reshape(-1, 1), rate, steps),
        "rank 1": lambda: gram_job(X, y, rate, steps),
        "rank 1, in place": lambda: gram_in_place(X, y, rate, steps),
    }


def gram_job(X, Y, rate, steps):
    m = len(X)

    def job(steps=steps):
        gram = (X @ X.T).astype(np.float64)
        C, b = np.zeros(Y.shape), 0.0
        for _ in range(steps):
            dZ = (expit(gram @ C + b) - Y) * (rate / m)
            C -= dZ
            b -= dZ.sum()
        return as_layer(X.T @ C, b)

    return job


def gram_in_place(X, y, rate, steps):
    m = len(X)

    def job(steps=steps):
        gram = (X @ X.T).astype(np.float64)
        C, Z, b, ones = np.zeros(m), np.empty(m), 0.0, np.ones(m)
        for _ in range(steps):
            np.matmul(gram, C, out=Z)
            Z += b
            expit(Z, out=Z)
            Z -= y
            Z *= rate / m
            C -= Z
            b -= ones @ Z
        return as_layer(X.T @ C, b)

    return job
