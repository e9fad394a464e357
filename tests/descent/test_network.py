"""The formulas against central differences, analytic tails and one another; no estimator here."""

import numpy as np
import pytest

from longhand import distance
from models import ACTIVATIONS, flat, moved, step_of
from sknn_basic._descent.network import forward, init_layers, penalize, penalized_cost, propagate


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", ["logistic", *ACTIVATIONS])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_gradients_equal_central_differences(name, k, l2):
    """Law 2: dW and db are the derivatives of the cost, penalty included."""
    X, targets, s, layers, network = step_of(name, k)
    layers, step = moved(layers), 1e-5

    def cost_and_gradients():
        squares = sum(np.sum(W**2) for W, _ in layers)
        J, gradients = propagate(network, X, layers, targets, s)
        return penalized_cost(J, l2, squares), penalize(gradients, layers, l2)

    _, gradients = cost_and_gradients()
    for array, gradient in zip(flat(layers), flat(gradients), strict=True):
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            value, costs = array[index], []
            for array[index] in (value + step, value - step):
                costs.append(cost_and_gradients()[0])
            array[index] = value
            numeric[index] = (costs[0] - costs[1]) / (2 * step)
        assert distance(gradient, numeric) < 1e-7


@pytest.mark.parametrize("k", [1, 3])
def test_error_is_output_minus_labels(k):
    """In the middle of the range A - Y is what the notes write."""
    X, targets, _, layers, network = step_of("logistic", k)
    _, Z = forward(network, X, moved(layers))
    A = network.output.probabilities(Z)[:, -k:]
    Y = (1 - targets) / 2 if k == 1 else targets
    np.testing.assert_allclose(network.output.error(Z, targets), A - Y, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_penalised_neighbour_changes_no_bit_of_a_member(dtype):
    """Law 9: where ||W||^2 overflows, a member without a penalty has the cost that it has alone."""
    W = np.full((2, 3, 1), np.sqrt(np.finfo(dtype).max), dtype)
    gradients = [(np.ones((2, 3, 1), dtype), np.ones((2, 1, 1), dtype))]
    l2 = np.array([0, 0.1], dtype).reshape(2, 1, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.sum(W * W, axis=(-2, -1))
        J = penalized_cost(np.array([0.5, 0.5], dtype), l2, squares)
        penalized = penalize(gradients, [(W, 0 * l2)], l2)
    assert squares[0] == J[1] == np.inf
    assert J[0] == 0.5
    np.testing.assert_array_equal(penalized[0][0][0], gradients[0][0][0])


def test_layers_start_as_in_the_notes():
    """Zeros without a hidden layer; else W[1] (h, n), then W[2] (k, h), drawn in that order and scaled."""
    for zeros in flat(init_layers((5, 3), np.float32)):
        assert not zeros.any()
        assert zeros.dtype == np.float32
    draws = np.random.RandomState(7).standard_normal(4 * 5 + 2 * 4)
    (W1, b1), (W2, b2) = init_layers((5, 4, 2), np.float64, np.random.RandomState(7), [0.5, 0.25])
    np.testing.assert_array_equal(W1, 0.5 * draws[:20].reshape(4, 5).T)
    np.testing.assert_array_equal(W2, 0.25 * draws[20:].reshape(2, 4).T)
    assert (b1.shape, b2.shape) == ((1, 4), (1, 2))
