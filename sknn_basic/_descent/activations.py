"""The activations g of the hidden layer and their slopes g'(Z), written in A = g(Z) (notes, section 1.3.4).

A new activation is two functions and a line in `ACTIVATIONS`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

# From this size on NumPy's exponential, which takes several values at a time, beats SciPy's sigmoid: with
# AVX-512 1.6 times in float64, and 2.7 times on 10,000 values; without it they are level here, and NumPy is
# 1.15 times as fast on 16,000.
VECTORIZED = 2**10


class Activation(NamedTuple):
    """An activation; initial weights have the variance `gain` / fan-in.

    The gain is 2 for activations that pass only half of their inputs, as the ReLUs do, else 1. A homogeneous
    activation has g(c z) = c g(z) for c > 0.
    """

    g: Callable
    slope: Callable
    gain: float
    is_homogeneous: bool = False


def sigmoid(Z):
    """1 / (1 + e^-z), which is 0 where e^-z overflows."""
    if Z.size < VECTORIZED:
        return expit(Z)
    E = np.exp(-Z)
    E += 1
    return np.divide(1, E, out=E)


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
    "sigmoid": Activation(sigmoid, sigmoid_slope, gain=1),
    "tanh": Activation(np.tanh, tanh_slope, gain=1),
    "relu": Activation(relu, relu_slope, gain=2, is_homogeneous=True),
    "leaky_relu": Activation(leaky_relu, leaky_relu_slope, gain=2, is_homogeneous=True),
}
