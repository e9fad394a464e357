"""The formulas against central differences, analytic tails and one another; no estimator here."""

from itertools import pairwise

import numpy as np
import pytest

from longhand import distance
from models import ACTIVATIONS
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.network import (
    Network,
    choose_output,
    cost,
    forward,
    init_layers,
    logistic,
    penalize,
    propagate,
    softmax,
    update,
)

rng = np.random.RandomState(0)
M, N, H = 12, 5, 4
X = rng.standard_normal((M, N))
NAMES = ["logistic", *ACTIVATIONS]


def problem(name, k, seed=0):
    """Random layers, targets and shares for one model: `name` is an activation or "logistic"."""
    rng = np.random.RandomState(seed)
    sizes = (N, k) if name == "logistic" else (N, H, k)
    layers = [(rng.standard_normal(pair), rng.standard_normal((1, pair[1]))) for pair in pairwise(sizes)]
    labels = rng.randint(0, max(k, 2), size=M)
    targets = 1.0 - 2 * labels.reshape(-1, 1) if k == 1 else np.eye(k)[labels]
    s = rng.random_sample((M, 1))
    return layers, targets, s / s.sum(), Network(FUNCTIONS.get(name), logistic if k == 1 else softmax)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_gradients_equal_central_differences(name, k, l2):
    """Law 2: dW and db are the derivatives of the cost, penalty included."""
    layers, Y, s, network = problem(name, k)

    def cost_and_gradients(layers):
        squares = sum(np.sum(W**2) for W, _ in layers)
        return penalize(*propagate(network, X, layers, Y, s), layers, l2, squares)

    _, gradients = cost_and_gradients(layers)
    step = 1e-5
    for layer, pair in enumerate(layers):
        for which, array in enumerate(pair):
            numeric = np.empty_like(array)
            for index in np.ndindex(array.shape):
                costs = []
                for sign in (1, -1):
                    moved = [[W.copy(), b.copy()] for W, b in layers]
                    moved[layer][which][index] += sign * step
                    costs.append(cost_and_gradients(moved)[0])
                numeric[index] = (costs[0] - costs[1]) / (2 * step)
            assert distance(gradients[layer][which], numeric) < 1e-7


def test_the_number_of_classes_chooses_the_output():
    """T = 1 - 2y for two classes, rows of the identity for more; both in the precision asked for."""
    assert choose_output(2) is logistic
    assert choose_output(3) is softmax
    T = logistic.targets(np.array([0, 1, 1]), 2, np.float32)
    Y = softmax.targets(np.array([2, 0, 1]), 3, np.float32)
    assert (T.tolist(), T.dtype) == ([[1], [-1], [-1]], np.float32)
    assert (Y.tolist(), Y.dtype) == ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float32)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_largest_floats_are_finite_and_silent(k, dtype):
    """|z| up to the largest float (half of it for softmax): all is finite, without a warning."""
    output = logistic if k == 1 else softmax
    largest = np.finfo(dtype).max / (1 if k == 1 else 2)
    values = np.array([-largest, -1e4, -50, 0, 50, 1e4, largest], dtype)
    Z = np.array(np.meshgrid(*[values] * k)).reshape(k, -1).T
    for label in range(max(k, 2)):
        targets = output.targets(np.full(len(Z), label), max(k, 2), dtype)
        assert np.isfinite(output.loss(Z, targets)).all()
        for array in (output.error(Z, targets), output.probabilities(Z), output.log_probabilities(Z)):
            assert np.isfinite(array).all()
            assert array.dtype == dtype


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("dtype", "z_max"), [(np.float64, 700), (np.float32, 80)])
def test_tails_of_cost_and_error(k, dtype, z_max):
    """For a confident right answer cost and error shrink as e^-z, far below the rounding of 1 - A."""
    output = logistic if k == 1 else softmax
    for z in np.linspace(5, z_max, 9):
        if k == 1:
            Z, label = np.array([[z]], dtype), np.array([1])
            odds = np.exp(-z)  # of everything else
        else:
            Z, label = np.array([[z, 0, 0]], dtype), np.array([0])
            odds = 2 * np.exp(-z)
        targets = output.targets(label, max(k, 2), dtype)
        rtol = 4 * np.finfo(dtype).eps * z
        np.testing.assert_allclose(output.loss(Z, targets)[0, 0], np.log1p(odds), rtol=rtol)
        np.testing.assert_allclose(output.error(Z, targets)[0, 0], -odds / (1 + odds), rtol=rtol)
        log_A = output.log_probabilities(Z)[0]
        np.testing.assert_allclose(log_A[label[0]], -np.log1p(odds), rtol=rtol)
        if k == 3:
            np.testing.assert_allclose(log_A[1], -z - np.log1p(odds), rtol=rtol)


def test_error_is_output_minus_labels():
    """In the middle of the range A - Y is what the notes write."""
    for k in (1, 3):
        layers, targets, _, network = problem("logistic", k)
        _, Z = forward(network, X, layers)
        A = network.output.probabilities(Z)[:, -k:]
        Y = (1 - targets) / 2 if k == 1 else targets
        np.testing.assert_allclose(network.output.error(Z, targets), A - Y, rtol=1e-12, atol=1e-15)


def test_two_classes_as_softmax():
    """A sigmoid of z is the softmax of (0, z): same cost, same error, same probabilities."""
    z = rng.standard_normal((M, 1)) * 5
    labels = rng.randint(0, 2, M)
    Z = np.hstack([0 * z, z])
    T, Y = (output.targets(labels, 2, float) for output in (logistic, softmax))
    costs = cost(Network(None, softmax), Z, Y, 1 / M), cost(Network(None, logistic), z, T, 1 / M)
    assert costs[0] == pytest.approx(costs[1], rel=1e-14)
    np.testing.assert_allclose(softmax.error(Z, Y)[:, 1:], logistic.error(z, T), rtol=1e-13)
    for answer in ("probabilities", "log_probabilities"):
        np.testing.assert_allclose(getattr(softmax, answer)(Z), getattr(logistic, answer)(z), rtol=1e-13)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_its_members(name, k):
    """Law 3: a descent of stacked layers, with a rate and an l2 each, is the descents one by one."""
    members = [problem(name, k, seed)[0] for seed in range(3)]
    _, Y, s, network = problem(name, k)
    rates, l2s = [0.01, 0.1, 0.3], [0.0, 0.1, 1.0]
    stack = [tuple(map(np.stack, zip(*layer, strict=True))) for layer in zip(*members, strict=True)]

    def descent(layers, rate, l2):
        for _ in range(5):
            squares = sum(np.sum(W**2, axis=(-2, -1)) for W, _ in layers)
            J, gradients = penalize(*propagate(network, X, layers, Y, s), layers, l2, squares)
            layers = update(layers, gradients, rate)
        return J, layers

    costs, stacked = descent(stack, np.reshape(rates, (3, 1, 1)), np.reshape(l2s, (3, 1, 1)))
    for i, (member, rate, l2) in enumerate(zip(members, rates, l2s, strict=True)):
        cost, layers = descent(member, rate, l2)
        assert abs(costs[i] - cost) < 1e-12 * abs(cost)
        for (W, b), (W_stack, b_stack) in zip(layers, stacked, strict=True):
            assert distance(W_stack[i], W) < 1e-12
            assert distance(b_stack[i], b) < 1e-12


def test_cost_only_where_it_is_wanted():
    layers, Y, s, network = problem("tanh", 1)
    assert propagate(network, X, layers, Y, s, want_cost=False)[0] is None


def test_layers_start_as_in_the_notes():
    """Zeros without a hidden layer; else W[1] (h, n), then W[2] (k, h), drawn in that order and scaled."""
    ((W, b),) = init_layers((N, 3), np.float32)
    assert not W.any()
    assert not b.any()
    assert W.dtype == b.dtype == np.float32
    draws = np.random.RandomState(7).standard_normal(H * N + 2 * H)
    (W1, b1), (W2, b2) = init_layers((N, H, 2), np.float64, np.random.RandomState(7), [0.5, 0.25])
    np.testing.assert_array_equal(W1, 0.5 * draws[: H * N].reshape(H, N).T)
    np.testing.assert_array_equal(W2, 0.25 * draws[H * N :].reshape(2, H).T)
    assert (b1.shape, b2.shape) == ((1, H), (1, 2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3])
def test_precision_is_kept(name, k, dtype):
    """A step in float32 is float32 in every array."""
    layers, Y, s, network = problem(name, k)
    layers = [(W.astype(dtype), b.astype(dtype)) for W, b in layers]
    J, gradients = propagate(network, X.astype(dtype), layers, Y.astype(dtype), s.astype(dtype))
    assert {J.dtype, *(array.dtype for pair in gradients for array in pair)} == {np.dtype(dtype)}
