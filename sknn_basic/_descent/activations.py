"""The activations g of the hidden layer and their slopes g'(Z), written in A = g(Z) (notes, section 1.3.4).

A new activation is two functions and a record in `ACTIVATIONS`.
"""

from collections.abc import Callable
from typing import NamedTuple

from scipy.special import expit

from .arithmetic import VECTORIZED, by_numpy
from .arrays import at_least, namespace


def linear_bound(largest):
    """1 + |z|: holds if no slope is beyond 1 and |g(0)| is at most 1."""
    return 1 + largest


class Activation(NamedTuple):
    """All that the package knows of an activation."""

    g: Callable  # of Z, elementwise, in the precision of Z
    slope: Callable  # g'(Z) as a function of A = g(Z), in the precision of A
    bend: Callable  # the derivative of `slope` over A, so g''(Z) = bend(A) slope(A)
    gain: float  # initial weights have the variance gain / fan-in: 2 if about half of the inputs pass, else 1
    onnx: str | Callable  # its operator in ONNX, or (op, Z): those that it is made of, each op(name, *inputs)
    bound: Callable = linear_bound  # an upper bound on |g(z)|, from one on |z|
    kernel: str | None = None  # its code in `compiled.py`, or None: NumPy takes the steps


@by_numpy(expit, below=VECTORIZED)
def sigmoid(Z):
    """1 / (1 + e^-z): 0 where e^-z overflows."""
    return 1 / (1 + namespace(Z).exp(-Z))


def sigmoid_slope(A):
    return A * (1 - A)


def sigmoid_bend(A):
    return 1 - 2 * A


def tanh(Z):
    return namespace(Z).tanh(Z)


def tanh_slope(A):
    return 1 - A * A


def tanh_bend(A):
    return -2 * A


def relu(Z):
    return at_least(0, Z)


def relu_slope(A):
    return namespace(A).sign(A)  # 0 or 1, in the precision of A


def leaky_relu(Z):
    return namespace(Z).maximum(0.1 * Z, Z)


def leaky_relu_slope(A):
    return at_least(0.1, namespace(A).sign(A))


def no_bend(A):
    return namespace(A).zeros_like(A)


def leaky_relu_onnx(op, Z):
    return op("Max", Z, op("Mul", Z, 0.1))  # ONNX Runtime has its LeakyRelu in float32 only


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_slope, sigmoid_bend, gain=1, onnx="Sigmoid", kernel="SIGMOID"),
    "tanh": Activation(tanh, tanh_slope, tanh_bend, gain=1, onnx="Tanh", kernel="TANH"),
    "relu": Activation(relu, relu_slope, no_bend, gain=2, onnx="Relu", kernel="RELU"),
    "leaky_relu": Activation(
        leaky_relu, leaky_relu_slope, no_bend, gain=2, onnx=leaky_relu_onnx, kernel="LEAKY_RELU"
    ),
}
