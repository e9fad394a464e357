"""The formulas against central differences, analytic tails and one another; no estimator here."""

from itertools import pairwise

import numpy as np
import pytest

from longhand import distance
from models import ACTIVATIONS
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.network import Network, forward, init_layers, penalize, propagate
from sknn_basic._descent.outputs import logistic, softmax

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


def test_error_is_output_minus_labels():
    """In the middle of the range A - Y is what the notes write."""
    for k in (1, 3):
        layers, targets, _, network = problem("logistic", k)
        _, Z = forward(network, X, layers)
        A = network.output.probabilities(Z)[:, -k:]
        Y = (1 - targets) / 2 if k == 1 else targets
        np.testing.assert_allclose(network.output.error(Z, targets), A - Y, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_penalised_neighbour_changes_no_bit_of_a_member(dtype):
    """Law 9: where ||W||^2 overflows, a member without a penalty has the cost that it has alone."""
    W = np.full((3, 1), np.sqrt(np.finfo(dtype).max), dtype)
    layers = [(np.stack([W, W]), np.zeros((2, 1, 1), dtype))]
    l2 = np.array([0, 0.1], dtype).reshape(2, 1, 1)
    gradients = [(np.ones((2, 3, 1), dtype), np.ones((2, 1, 1), dtype))]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.sum(W * W) * np.ones(2, dtype)
        J, penalized = penalize(np.array([0.5, 0.5], dtype), gradients, layers, l2, squares)
    assert squares[0] == J[1] == np.inf
    assert J[0] == 0.5
    np.testing.assert_array_equal(penalized[0][0][0], gradients[0][0][0])


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
