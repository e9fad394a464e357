"""The notes' formulas: logistic regression (section 1.2.1) and one hidden layer (section 1.3.5).

Rows are samples, so every matrix is the transpose of the notes' matrix.
m samples, n features, h hidden units, k outputs (1 for two classes, else one for each class):

    X  (m, n)   Y  (m, k)   s (m, 1)    samples, labels, shares of the cost (1/m, or weights / their sum)
    W1 (n, h)   b1 (1, h)   Z1, A1, dZ1 (m, h)
    W2 (h, k)   b2 (1, k)   Z2, A2, dZ2 (m, k)

Y is 0 or 1; where there is one output, T = 1 - 2y stands in its place: the sign that both formulas need.
`layers` is [(W1, b1), (W2, b2)], or [(W, b)] for logistic regression: the same without the hidden layer.
W and b may carry leading stack axes, W (..., n, k) and b (..., 1, k), with learning rate and l2 (..., 1, 1):
many descents in one. X is an array, or an object that offers `X @ W` and `X.mT @ dZ`: nothing else touches
the data. Costs and errors come from Z, which keeps its tail where 1 - A is rounded to 0; slopes from A.
"""

from itertools import pairwise

import numpy as np
from scipy.special import expit, log_expit

# Activations g and their slopes g'(Z), written in A = g(Z) (section 1.3.4)


def sigmoid(Z):
    return expit(Z)  # 1 / (1 + e^-z)


def sigmoid_slope(A):
    return A * (1 - A)


def tanh_slope(A):
    return 1 - A * A


def relu(Z):
    return np.maximum(0, Z)


def relu_slope(A):
    return A > 0


def leaky_relu(Z):
    return np.maximum(0.1 * Z, Z)


def leaky_relu_slope(A):
    return np.maximum(np.sign(A), 0.1)  # 1 or 0.1, in the precision of A


ACTIVATIONS = {
    "sigmoid": (sigmoid, sigmoid_slope),
    "tanh": (np.tanh, tanh_slope),
    "relu": (relu, relu_slope),
    "leaky_relu": (leaky_relu, leaky_relu_slope),
}

# The output and its cost (sections 1.1.2 and 1.2.1): sigmoid for one output, softmax for more


def output(Z):
    """A = sigmoid(Z), or softmax(Z): the probability of class 1, or of each class."""
    if Z.shape[-1] == 1:
        return sigmoid(Z)
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def log_output(Z):
    """log A."""
    if Z.shape[-1] == 1:
        return log_expit(Z)
    Z = Z - Z.max(axis=-1, keepdims=True)
    return Z - np.logaddexp.reduce(Z, axis=-1, keepdims=True)


def cross_entropy(Z, Y, s):
    """J = sum_i s_i L_i with L = -(y log a + (1 - y) log(1 - a)), or -log a of the true class."""
    if Z.shape[-1] == 1:
        T = Y
        L = np.logaddexp(0, T * Z)
    else:
        L = -np.sum(Y * log_output(Z), axis=-1, keepdims=True)
    return np.sum(s * L, axis=(-2, -1))


def output_error(Z, Y):
    """A - Y; where Y is 1 that is minus the probability of everything else, never a difference near 0."""
    if Z.shape[-1] == 1:
        T = Y
        return T * sigmoid(T * Z)
    wrong = (1 - Y) * output(Z)
    return wrong - Y * wrong.sum(axis=-1, keepdims=True)


# Gradient descent (sections 1.1.3, 1.2.1 and 1.3.5)


def init_layers(sizes, dtype, rng=None, init_scale=0.01):
    """Zeros for sizes (n, k); small normal weights from `rng` and zero biases for (n, h, k)."""
    pairs = list(pairwise(sizes))
    if len(pairs) == 1:
        weights = [np.zeros(pairs[0])]
    else:  # drawn in the notes' orientation, W[1] (h, n) and then W[2] (k, h)
        weights = [(rng.standard_normal((n_out, n_in)) * init_scale).T for n_in, n_out in pairs]
    return [(np.asarray(W, dtype, order="C"), np.zeros((1, W.shape[1]), dtype)) for W in weights]


def forward(X, layers, g):
    """Return the input of every layer, [X] or [X, A1], and Z of the output."""
    inputs, Z = [X], X @ layers[0][0] + layers[0][1]
    for W, b in layers[1:]:
        inputs.append(g(Z))
        Z = inputs[-1] @ W + b
    return inputs, Z


def propagate(X, layers, Y, s, activation, want_cost=True):
    """Forward, then backward: return J (None unless wanted) and its gradients [(dW1, db1), ...]."""
    g, g_slope = activation
    inputs, Z = forward(X, layers, g)
    cost = cross_entropy(Z, Y, s) if want_cost else None
    dZ = s * output_error(Z, Y)
    ones = np.ones(s.shape, s.dtype)  # ones' dZ sums over rows, five times as fast as dZ.sum(axis=-2)
    gradients = []
    for A, (W, _) in zip(reversed(inputs), reversed(layers), strict=True):
        gradients.insert(0, (A.mT @ dZ, ones.mT @ dZ))
        if A is not X:
            dZ = (dZ @ W.mT) * g_slope(A)
    return cost, gradients


def penalize(cost, gradients, layers, l2, sum_of_squares):
    """Add l2/2 ||W||^2 to J (unless it is None) and l2 W to each dW; biases are free."""
    if cost is not None:
        cost = cost + np.reshape(l2, np.shape(cost)) / 2 * sum_of_squares
    return cost, [(dW + l2 * W, db) for (dW, db), (W, _) in zip(gradients, layers, strict=True)]


def descend(gradients, layers, learning_rate, recorded):
    """For each step of `recorded` yield the cost before it (None where False) and the layers after it."""
    for want_cost in recorded:
        cost, dlayers = gradients(layers, want_cost)
        layers = [
            (W - learning_rate * dW, b - learning_rate * db)
            for (W, b), (dW, db) in zip(layers, dlayers, strict=True)
        ]
        yield cost, layers
