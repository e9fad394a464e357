"""The notes' formulas: logistic regression (section 1.2.1) and one hidden layer (section 1.3.5).

Rows are samples, so every matrix is the transpose of the notes' matrix.
m samples, n features, h hidden units, k outputs (1 for two classes, else one for each class):

    X  (m, n)   T or Y (m, k)  s (m, 1)    samples, targets, normalised weights (1/m, or weights / their sum)
    W1 (n, h)   b1 (1, h)   Z1, A1, dZ1 (m, h)
    W2 (h, k)   b2 (1, k)   Z2, A2, dZ2 (m, k)

The targets are T = 1 - 2y for `logistic`, the sign that its loss and error need, and one-hot Y for `softmax`.
`layers` is [(W1, b1), (W2, b2)], or [(W, b)] for logistic regression: the same without the hidden layer. W
and b may carry leading stack axes, W (..., n, k) and b (..., 1, k), with learning rate and l2 (..., 1, 1):
many descents in one. X is an array, or an object that offers `X @ W` and `X.mT @ dZ`: nothing else touches
the data. Costs and errors are computed from Z: they stay accurate where 1 - A rounds to 0. Slopes are from A.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .activations import Activation
from .arithmetic import backward, ones_like
from .arrays import namespace
from .outputs import Output


class Network(NamedTuple):
    """The architecture: activation, output and whether there is an intercept."""

    activation: Activation | None  # of the hidden layer, if there is one
    output: Output
    fit_intercept: bool = True


def init_layers(sizes, dtype, rng=None, scales=()):
    """Zeros for sizes (n, k); normal weights from `rng` times `scales` and zero biases for (n, h, k)."""
    pairs = list(pairwise(sizes))
    if len(pairs) == 1:
        weights = [np.zeros(pairs[0])]
    else:  # drawn in the notes' orientation, W[1] (h, n) and then W[2] (k, h)
        weights = [
            (rng.standard_normal((n_out, n_in)) * scale).T
            for (n_in, n_out), scale in zip(pairs, scales, strict=True)
        ]
    return [(np.asarray(W, dtype, order="C"), np.zeros((1, W.shape[1]), dtype)) for W in weights]


def forward(network, X, layers):
    """Return the input of every layer, [X] or [X, A1], and Z of the output."""
    inputs, Z = [X], X @ layers[0][0] + layers[0][1]
    for W, b in layers[1:]:
        inputs.append(network.activation.g(Z))
        Z = inputs[-1] @ W + b
    return inputs, Z


def cost(network, Z, targets, s):
    """J = sum_i s_i L_i."""
    return namespace(Z).sum(s * network.output.loss(Z, targets), axis=(-2, -1))


def propagate(network, X, layers, targets, s, want_cost=True):
    """Forward, then backward: return J (None unless wanted) and its gradients [(dW1, db1), ...]."""
    inputs, Z = forward(network, X, layers)
    J = cost(network, Z, targets, s) if want_cost else None
    dZ = s * network.output.error(Z, targets)
    ones = ones_like(s)  # 1' dZ is the sum over rows, in a fifth of the time of np.sum
    gradients = []
    for A, (W, _) in zip(reversed(inputs), reversed(layers), strict=True):
        gradients.insert(0, (A.mT @ dZ, ones.mT @ dZ))
        if A is not X:
            dZ = backward(dZ, W, network.activation.slope(A))
    return J, gradients


def curve(network, X, layers, targets, s, direction):
    """Return the Hessian of J times a direction [(RW1, Rb1), (RW2, Rb2)], in the form of the gradients.

    R f is the derivative of f as the layers move along the direction (Pearlmutter, 1994): R of each line of
    `propagate`, so the result is R of the gradients.
    """
    (W1, b1), (W2, b2) = layers
    (RW1, Rb1), (RW2, Rb2) = direction
    both = X @ namespace(W1).concat([W1, RW1], axis=-1)  # one product with the data
    Z1, RZ1 = both[:, : W1.shape[-1]], both[:, W1.shape[-1] :]
    A1 = network.activation.g(Z1 + b1)
    slope = network.activation.slope(A1)
    RA1 = slope * (RZ1 + Rb1)
    Z2, RZ2 = A1 @ W2 + b2, RA1 @ W2 + A1 @ RW2 + Rb2
    dZ2, RdZ2 = s * network.output.error(Z2, targets), s * network.output.error_change(Z2, RZ2)
    Rslope = network.activation.bend(A1) * RA1
    RdZ1 = backward(RdZ2, W2, slope) + backward(dZ2, RW2, slope) + backward(dZ2, W2, Rslope)
    RdW2 = RA1.mT @ dZ2 + A1.mT @ RdZ2
    ones = ones_like(s)
    return [(X.mT @ RdZ1, ones.mT @ RdZ1), (RdW2, ones.mT @ RdZ2)]


def curve_of_output(network, X, layers, targets, s, direction):
    """Return the same for logistic regression, with [(RW, Rb)]."""
    ((W, b),), ((RW, Rb),) = layers, direction
    RdZ = s * network.output.error_change(X @ W + b, X @ RW + Rb)
    return [(X.mT @ RdZ, ones_like(s).mT @ RdZ)]


def penalized_cost(J, l2, sum_of_squares):
    """J + l2/2 ||W||^2; biases are not penalised."""
    if isinstance(l2, float | int):
        return float(J) + l2 / 2 * float(sum_of_squares)
    xp = namespace(J)
    l2 = xp.reshape(l2, J.shape)
    return xp.where(l2 == 0, J, J + l2 / 2 * sum_of_squares)  # 0 * inf is no penalty


def penalize(gradients, layers, l2):
    """dW + l2 W, db."""
    return [(dW + l2 * W, db) for (dW, db), (W, _) in zip(gradients, layers, strict=True)]


def update(layers, gradients, learning_rate):
    """W = W - learning_rate dW, b = b - learning_rate db."""
    return [
        (W - learning_rate * dW, b - learning_rate * db)
        for (W, b), (dW, db) in zip(layers, gradients, strict=True)
    ]
