"""The notes' algorithms written out plainly, samples as columns: what the package is measured against.

Every formula is spelled as the notes spell it (with the slips of the errata corrected): A from the textbook
sigmoid, costs from log(A), gradients divided by m. Nothing here knows of weights, tails, stacks or penalties.
"""

import numpy as np


def logistic_descent(X, y, learning_rate, n_steps):
    """Section 1.2.2 on X (n, m) and y (m,) of 0 and 1: return w (n, 1), b and the cost before each step."""
    n, m = X.shape
    Y = y.reshape(1, m)
    w, b = np.zeros((n, 1)), 0.0
    costs = []
    for _ in range(n_steps):
        A = 1 / (1 + np.exp(-(w.T @ X + b)))
        costs.append(-np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m)
        dZ = A - Y
        dw, db = X @ dZ.T / m, np.sum(dZ) / m
        w, b = w - learning_rate * dw, b - learning_rate * db
    return w, b, np.array(costs)


def logistic_cost(X, y, w, b):
    """J of section 1.1.3 at w (n,) and b of the samples X (m, n), as rows."""
    A = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(y * np.log(A) + (1 - y) * np.log(1 - A))


def softmax_descent(X, y, learning_rate, n_steps):
    """The same for the classes 0 ... k - 1, with the softmax: return W (n, k), b (k, 1) and costs."""
    n, m = X.shape
    Y = (y == np.arange(y.max() + 1)[:, np.newaxis]).astype(float)
    W, b = np.zeros((n, len(Y))), np.zeros((len(Y), 1))
    costs = []
    for _ in range(n_steps):
        E = np.exp(W.T @ X + b)
        A = E / E.sum(axis=0)
        costs.append(-np.sum(Y * np.log(A)) / m)
        dZ = A - Y
        W, b = W - learning_rate * (X @ dZ.T / m), b - learning_rate * dZ.sum(axis=1, keepdims=True) / m
    return W, b, np.array(costs)


G = {
    "sigmoid": lambda Z: 1 / (1 + np.exp(-Z)),
    "tanh": lambda Z: (np.exp(Z) - np.exp(-Z)) / (np.exp(Z) + np.exp(-Z)),
    "relu": lambda Z: np.where(Z > 0, Z, 0),
    "leaky_relu": lambda Z: np.where(Z > 0, Z, 0.1 * Z),
}
G_SLOPE = {  # as functions of Z
    "sigmoid": lambda Z: np.exp(-Z) / (1 + np.exp(-Z)) ** 2,
    "tanh": lambda Z: 4 / (np.exp(Z) + np.exp(-Z)) ** 2,
    "relu": lambda Z: np.where(Z > 0, 1.0, 0.0),
    "leaky_relu": lambda Z: np.where(Z > 0, 1.0, 0.1),
}
G_EXACT = {  # of a number z, in the arithmetic of mpmath
    "sigmoid": lambda z, mp: 1 / (1 + mp.exp(-z)),
    "tanh": lambda z, mp: mp.tanh(z),
    "relu": lambda z, mp: max(z, 0),
    "leaky_relu": lambda z, mp: max(z / 10, z),
}


def network_descent(X, y, n_hidden, activation, learning_rate, n_steps, seed, scale):
    """Section 1.3.5 on X (n, m) and y (m,) of 0 and 1: return W1, b1, W2, b2 and all costs."""
    n, m = X.shape
    Y = y.reshape(1, m)
    g, g_slope = G[activation], G_SLOPE[activation]
    rng = np.random.RandomState(seed)
    W1, b1 = rng.standard_normal((n_hidden, n)) * scale, np.zeros((n_hidden, 1))
    W2, b2 = rng.standard_normal((1, n_hidden)) * scale, np.zeros((1, 1))
    costs = []
    for _ in range(n_steps):
        Z1 = W1 @ X + b1
        A1 = g(Z1)
        A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
        costs.append(-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m)
        dZ2 = A2 - Y
        dW2, db2 = dZ2 @ A1.T / m, np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = W2.T @ dZ2 * g_slope(Z1)
        dW1, db1 = dZ1 @ X.T / m, np.sum(dZ1, axis=1, keepdims=True) / m
        W1, b1 = W1 - learning_rate * dW1, b1 - learning_rate * db1
        W2, b2 = W2 - learning_rate * dW2, b2 - learning_rate * db2
    return W1, b1, W2, b2, np.array(costs)


def distance(a, b):
    """The largest difference between two arrays, relative to the largest value of b."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    return np.max(np.abs(a - b)) / np.max(np.abs(b))


def assert_close(arrays, expected, tolerance):
    for a, b in zip(arrays, expected, strict=True):
        assert distance(a, b) < tolerance
