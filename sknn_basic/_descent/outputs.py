"""The output layer with its loss and error (sections 1.1.2 and 1.2.1), chosen by the number of classes."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit

from .activations import sigmoid
from .arithmetic import by_class, by_numpy
from .arrays import astype, at_least, namespace, row_max, row_sum


class Output(NamedTuple):
    """The output layer: what is computed from its Z."""

    targets: Callable  # (labels 0 ... n_classes - 1, n_classes, dtype of NumPy): T or Y (m, k)
    probabilities: Callable  # Z: one column for each class
    log_probabilities: Callable  # Z: their logarithms
    loss: Callable  # (Z, T or Y): L (m, 1) = -(y log a + (1 - y) log(1 - a)), or -log a of the true class
    error: Callable  # (Z, T or Y): A - Y (m, k)
    error_change: Callable  # (Z, RZ): the derivative of A - Y in a direction RZ (m, k)
    class_frequencies: Callable  # (T or Y, s): weighted frequency of each class (n_classes,)
    max_slope: float  # the largest slope of A, which bounds the curvature of L


def logistic_targets(labels, n_classes, dtype):
    return namespace(labels).reshape(astype(1 - 2 * labels, dtype), (-1, 1))


@by_numpy(expit)
def probability(Z):
    with np.errstate(over="ignore"):  # of libraries that compute by NumPy
        return sigmoid(Z)


@by_numpy(log_expit)
def log_probability(Z):
    return -logistic_loss(Z, -1)


def logistic_probabilities(Z):
    return namespace(Z).concat([probability(-Z), probability(Z)], axis=-1)


def logistic_log_probabilities(Z):
    return namespace(Z).concat([log_probability(-Z), log_probability(Z)], axis=-1)


def logistic_loss(Z, T):
    """log(1 + e^(T Z)) without overflow, 4 to 11 times as fast as np.logaddexp(0, T Z)."""
    TZ, xp = T * Z, namespace(Z)
    return at_least(0, TZ) + xp.log1p(xp.exp(-xp.abs(TZ)))


def logistic_error(Z, T):
    return T * sigmoid(T * Z)


def logistic_error_change(Z, RZ):
    return sigmoid(Z) * sigmoid(-Z) * RZ


def logistic_class_frequencies(T, s):
    xp = namespace(T)
    return xp.stack([xp.sum(s * (1 + T)), xp.sum(s * (1 - T))]) / 2


def softmax_targets(labels, n_classes, dtype):
    xp = namespace(labels)
    numbers = xp.arange(n_classes, dtype=labels.dtype, device=labels.device)
    return astype(labels == xp.reshape(numbers, (-1, 1)), dtype).T


@by_class
def softmax_probabilities(Z):
    E = namespace(Z).exp(Z - row_max(Z))
    return E / row_sum(E)


@by_class
def softmax_log_probabilities(Z):
    Z = Z - row_max(Z)
    return Z - log_sum_exp(Z)


@by_numpy(partial(np.logaddexp.reduce, axis=-1, keepdims=True))
def log_sum_exp(Z):
    """log(sum e^z), where the largest z is 0: log1p keeps what the others add."""
    xp = namespace(Z)
    n = row_sum(xp.astype(Z == 0, Z.dtype))
    others = row_sum(xp.where(Z == 0, 0.0, xp.exp(Z)))
    return xp.log(n) + xp.log1p(others / n)


def softmax_loss(Z, Y):
    return -row_sum(Y * softmax_log_probabilities(Z))


def softmax_error(Z, Y):
    # Where Y is 1, A - Y is minus the sum of the other probabilities: no cancellation.
    wrong = (1 - Y) * softmax_probabilities(Z)
    return wrong - Y * row_sum(wrong)


def softmax_error_change(Z, RZ):
    A = softmax_probabilities(Z)
    return A * (RZ - row_sum(A * RZ))


def softmax_class_frequencies(Y, s):
    return namespace(Y).sum(Y * s, axis=0)


logistic = Output(
    targets=logistic_targets,
    probabilities=logistic_probabilities,
    log_probabilities=logistic_log_probabilities,
    loss=logistic_loss,
    error=logistic_error,
    error_change=logistic_error_change,
    class_frequencies=logistic_class_frequencies,
    max_slope=1 / 4,
)
softmax = Output(
    targets=softmax_targets,
    probabilities=softmax_probabilities,
    log_probabilities=softmax_log_probabilities,
    loss=softmax_loss,
    error=softmax_error,
    error_change=softmax_error_change,
    class_frequencies=softmax_class_frequencies,
    max_slope=1 / 2,  # Böhning, 1992
)


def choose_output(n_classes):
    return logistic if n_classes == 2 else softmax
