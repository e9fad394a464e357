"""The formulas against central differences, analytic tails and one another; no estimator here."""

import ast
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from longhand import G_SLOPE, distance
from sknn_basic import _network
from sknn_basic._network import (
    ACTIVATIONS,
    cross_entropy,
    descend,
    forward,
    init_layers,
    log_output,
    output,
    output_error,
    penalize,
    propagate,
)

rng = np.random.RandomState(0)
M, N, H = 12, 5, 4
X = rng.standard_normal((M, N))
NAMES = ["logistic", *ACTIVATIONS]


def problem(name, k, seed=0):
    """Random layers, labels and shares for one model: `name` is an activation or "logistic"."""
    rng = np.random.RandomState(seed)
    sizes = (N, k) if name == "logistic" else (N, H, k)
    layers = [(rng.standard_normal(pair), rng.standard_normal((1, pair[1]))) for pair in pairwise(sizes)]
    labels = rng.randint(0, max(k, 2), size=M)
    Y = 1.0 - 2 * labels.reshape(-1, 1) if k == 1 else np.eye(k)[labels]
    s = rng.random_sample((M, 1))
    return layers, Y, s / s.sum(), ACTIVATIONS.get(name, (None, None))


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_gradients_equal_central_differences(name, k, l2):
    """Law 2: dW and db are the derivatives of the cost, penalty included."""
    layers, Y, s, activation = problem(name, k)

    def cost_and_gradients(layers):
        squares = sum(np.sum(W**2) for W, _ in layers)
        return penalize(*propagate(X, layers, Y, s, activation), layers, l2, squares)

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


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_slope_from_activation_equals_slope_from_z(name, dtype):
    """g'(Z) written in A is g'(Z), in the precision of Z."""
    Z = np.linspace(-4, 4, 81, dtype=dtype)
    g, g_slope = ACTIVATIONS[name]
    A = g(Z)
    assert A.dtype == dtype
    assert (A * g_slope(A)).dtype == dtype
    exact = G_SLOPE[name](Z.astype(float))
    np.testing.assert_allclose(g_slope(A), exact, rtol=0, atol=4 * np.finfo(dtype).eps)


def test_activations_are_those_of_the_notes():
    """Section 1.3.4 with its values: leaky ReLU is max(0.1 z, z)."""
    Z = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(ACTIVATIONS["relu"][0](Z), [0, 0, 3])
    np.testing.assert_allclose(ACTIVATIONS["leaky_relu"][0](Z), [-0.2, 0, 3], rtol=1e-15)
    np.testing.assert_allclose(ACTIVATIONS["tanh"][0](Z), np.tanh(Z), rtol=1e-15)
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"][0](Z), 1 / (1 + np.exp(-Z)), rtol=1e-15)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_largest_floats_are_finite_and_silent(k, dtype):
    """|z| up to the largest float (half of it for softmax): all is finite, without a warning."""
    largest = np.finfo(dtype).max / (1 if k == 1 else 2)
    values = np.array([-largest, -1e4, -50, 0, 50, 1e4, largest], dtype)
    Z = np.array(np.meshgrid(*[values] * k)).reshape(k, -1).T
    for label in range(max(k, 2)):
        Y = np.zeros_like(Z)
        if k == 1:
            Y[:] = 1 - 2 * label
        else:
            Y[:, label] = 1
        one_row_each = (cross_entropy(z[np.newaxis], y[np.newaxis], 1) for z, y in zip(Z, Y, strict=True))
        assert np.isfinite(list(one_row_each)).all()
        for function in (output_error(Z, Y), output(Z), log_output(Z)):
            assert np.isfinite(function).all()
            assert function.dtype == dtype
    for g, g_slope in ACTIVATIONS.values():
        A = g(values)
        assert np.isfinite(A).all()
        assert np.isfinite(g_slope(A)).all()


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("dtype", "z_max"), [(np.float64, 700), (np.float32, 80)])
def test_tails_of_cost_and_error(k, dtype, z_max):
    """For a confident right answer cost and error shrink as e^-z, far below the rounding of 1 - A."""
    for z in np.linspace(5, z_max, 9):
        if k == 1:
            Z, Y = np.array([[z]], dtype), -np.ones((1, 1), dtype)
            odds = np.exp(-z)  # of everything else
        else:
            Z, Y = np.array([[z, 0, 0]], dtype), np.array([[1, 0, 0]], dtype)
            odds = 2 * np.exp(-z)
        rtol = 4 * np.finfo(dtype).eps * z
        np.testing.assert_allclose(cross_entropy(Z, Y, 1), np.log1p(odds), rtol=rtol)
        np.testing.assert_allclose(output_error(Z, Y)[0, 0], -odds / (1 + odds), rtol=rtol)
        np.testing.assert_allclose(log_output(Z)[0, 0], -np.log1p(odds), rtol=rtol)
        if k == 3:
            np.testing.assert_allclose(log_output(Z)[0, 1], -z - np.log1p(odds), rtol=rtol)


def test_error_is_output_minus_labels():
    """In the middle of the range A - Y is what the notes write."""
    for k in (1, 3):
        layers, Y, _, _ = problem("logistic", k)
        _, Z = forward(X, layers, None)
        labels = (1 - Y) / 2 if k == 1 else Y
        np.testing.assert_allclose(output_error(Z, Y), output(Z) - labels, rtol=1e-12, atol=1e-15)


def test_two_classes_as_softmax():
    """A sigmoid of z is the softmax of (0, z): same cost, same error."""
    z = rng.standard_normal((M, 1)) * 5
    y = rng.randint(0, 2, (M, 1)).astype(float)
    Z, Y = np.hstack([0 * z, z]), np.hstack([1 - y, y])
    y = 1 - 2 * y
    np.testing.assert_allclose(cross_entropy(Z, Y, 1 / M), cross_entropy(z, y, 1 / M), rtol=1e-14)
    np.testing.assert_allclose(output_error(Z, Y)[:, 1:], output_error(z, y), rtol=1e-13)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_its_members(name, k):
    """Law 3: a descent of stacked layers, with a rate and an l2 each, is the descents one by one."""
    members = [problem(name, k, seed)[0] for seed in range(3)]
    _, Y, s, activation = problem(name, k)
    rates, l2s = [0.01, 0.1, 0.3], [0.0, 0.1, 1.0]
    stack = [tuple(map(np.stack, zip(*layer, strict=True))) for layer in zip(*members, strict=True)]

    def descent(layers, rate, l2):
        def gradients(layers, want_cost):
            squares = sum(np.sum(W**2, axis=(-2, -1)) for W, _ in layers)
            cost, dlayers = propagate(X, layers, Y, s, activation, want_cost)
            return penalize(cost, dlayers, layers, l2, squares)

        *_, (cost, layers) = descend(gradients, layers, rate, [True] * 5)
        return cost, layers

    costs, stacked = descent(stack, np.reshape(rates, (3, 1, 1)), np.reshape(l2s, (3, 1, 1)))
    for i, (member, rate, l2) in enumerate(zip(members, rates, l2s, strict=True)):
        cost, layers = descent(member, rate, l2)
        assert abs(costs[i] - cost) < 1e-12 * abs(cost)
        for (W, b), (W_stack, b_stack) in zip(layers, stacked, strict=True):
            assert distance(W_stack[i], W) < 1e-12
            assert distance(b_stack[i], b) < 1e-12


def test_cost_only_where_it_is_wanted():
    """`descend` yields a cost for recorded steps only: that of the layers before the step."""
    layers, Y, s, activation = problem("tanh", 1)
    seen = []

    def gradients(layers, want_cost):
        seen.append(layers)
        return propagate(X, layers, Y, s, activation, want_cost)

    steps = list(descend(gradients, layers, 0.1, [True, False, True]))
    assert [cost is None for cost, _ in steps] == [False, True, False]
    assert seen[0] is layers
    assert seen[2] is steps[1][1]
    assert steps[2][0] == propagate(X, steps[1][1], Y, s, activation)[0]


def test_layers_start_as_in_the_notes():
    """Zeros without a hidden layer; else W[1] (h, n), then W[2] (k, h), drawn in that order and scaled."""
    ((W, b),) = init_layers((N, 3), np.float32)
    assert not W.any()
    assert not b.any()
    assert W.dtype == b.dtype == np.float32
    draws = np.random.RandomState(7).standard_normal(H * N + 2 * H) * 0.5
    (W1, b1), (W2, b2) = init_layers((N, H, 2), np.float64, np.random.RandomState(7), 0.5)
    np.testing.assert_array_equal(W1, draws[: H * N].reshape(H, N).T)
    np.testing.assert_array_equal(W2, draws[H * N :].reshape(2, H).T)
    assert (b1.shape, b2.shape) == ((1, H), (1, 2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3])
def test_precision_is_kept(name, k, dtype):
    """A step in float32 is float32 in every array."""
    layers, Y, s, activation = problem(name, k)
    layers = [(W.astype(dtype), b.astype(dtype)) for W, b in layers]
    cost, gradients = propagate(X.astype(dtype), layers, Y.astype(dtype), s.astype(dtype), activation)
    assert {cost.dtype, *(array.dtype for pair in gradients for array in pair)} == {np.dtype(dtype)}


def test_the_formulas_fit_on_a_page():
    """`_network.py` stays within 150 lines and imports NumPy and scipy.special only."""
    source = Path(_network.__file__).read_text()
    assert len(source.splitlines()) <= 150
    imports = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert imports <= {"itertools", "scipy.special"}
