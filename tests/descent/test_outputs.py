"""The two outputs: analytic tails, the largest floats, and one as the other."""

import numpy as np
import pytest

from sknn_basic._descent.network import Network, cost
from sknn_basic._descent.outputs import choose_output, logistic, softmax


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
    output, label = (logistic, 1) if k == 1 else (softmax, 0)
    targets = output.targets(np.array([label]), max(k, 2), dtype)
    for z in np.linspace(5, z_max, 9):
        Z = np.array([[z, 0, 0][:k]], dtype)
        odds = max(k - 1, 1) * np.exp(-z)  # of everything else
        rtol = 4 * np.finfo(dtype).eps * z
        np.testing.assert_allclose(output.loss(Z, targets)[0, 0], np.log1p(odds), rtol=rtol)
        np.testing.assert_allclose(output.error(Z, targets)[0, 0], -odds / (1 + odds), rtol=rtol)
        log_A = output.log_probabilities(Z)[0]
        np.testing.assert_allclose(log_A[label], -np.log1p(odds), rtol=rtol)
        np.testing.assert_allclose(log_A[1 - label], -z - np.log1p(odds), rtol=rtol)


def test_two_classes_as_softmax():
    """A sigmoid of z is the softmax of (0, z): same cost, same error, same probabilities."""
    z = np.random.RandomState(0).standard_normal((12, 1)) * 5
    Z = np.hstack([0 * z, z])
    T, Y = (output.targets(np.arange(12) % 2, 2, float) for output in (logistic, softmax))
    costs = cost(Network(None, softmax), Z, Y, 1 / 12), cost(Network(None, logistic), z, T, 1 / 12)
    assert costs[0] == pytest.approx(costs[1], rel=1e-14)
    np.testing.assert_allclose(softmax.error(Z, Y)[:, 1:], logistic.error(z, T), rtol=1e-13)
    for answer in ("probabilities", "log_probabilities"):
        np.testing.assert_allclose(getattr(softmax, answer)(Z), getattr(logistic, answer)(z), rtol=1e-13)
