"""Each kernel against the formulas of `network.py`, and the functions of one number against mpmath."""

import mpmath
import numpy as np
import pytest

from longhand import assert_close, distance
from models import assert_same_bits, flat, moved, step_of
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.engine import CompiledLogistic, CompiledNetwork
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.network import penalize, propagate, update
from sknn_basic._descent.samples import Samples

compiled = pytest.importorskip("sknn_basic._descent.compiled", exc_type=ImportError)
WITH_KERNEL = ["logistic", *(name for name, activation in FUNCTIONS.items() if activation.kernel)]
NUMBERS = np.concatenate(
    [scale * np.random.RandomState(0).standard_normal(100) for scale in (1e-9, 0.01, 0.3, 1, 5, 40, 200)]
)
LIMITS = np.finfo(float)


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("exp", mpmath.exp),
        ("sigmoid", lambda z: 1 / (1 + mpmath.exp(-z))),
        ("softplus", lambda z: mpmath.log1p(mpmath.exp(z))),
        ("tanh", mpmath.tanh),
    ],
)
def test_a_function_keeps_its_tail(name, exact):
    """Within 6e-16 of the exact value, relative to it, up to |z| = 700."""
    function = getattr(compiled, name)
    with mpmath.workdps(40):
        for z in np.append(NUMBERS[np.abs(NUMBERS) < 700], [0.0, 700.0, -700.0]):
            expected = exact(mpmath.mpf(float(z)))
            assert abs(function(z) - expected) <= 6e-16 * abs(expected)


def test_infinite_scores_and_nan():
    """What overflows is as the NumPy formulas have it: a descent must be seen to diverge."""
    for z in (np.inf, LIMITS.max, 1e4):
        assert compiled.sigmoid(z) == compiled.tanh(z) == 1
        assert (compiled.sigmoid(-z), compiled.tanh(-z)) == (0, -1)
        assert (compiled.softplus(z), compiled.softplus(-z)) == (z, 0)
    for name in ("sigmoid", "tanh", "softplus"):
        assert np.isnan(getattr(compiled, name)(np.nan))


def compiled_step(model, is_gram, fit_intercept=True, **sizes):
    """A compiled engine with the network, samples, targets, shares and layers that it takes steps with."""
    X, T, s, layers, network = step_of(model, **sizes)
    network = network._replace(fit_intercept=fit_intercept)
    layers = moved(layers)
    samples = GramSamples(X, layers[0][0]) if is_gram else Samples(X)
    layers[0] = samples.parameters_of(layers[0][0]), layers[0][1]
    engine = CompiledLogistic if model == "logistic" else CompiledNetwork
    return engine(network, samples), network, samples, T, s, layers


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 2), (7, 5), (50, 4), (600, 3), (40, 40)])
@pytest.mark.parametrize("model", WITH_KERNEL)
@pytest.mark.parametrize("is_gram", [False, True])
@pytest.mark.parametrize("want_cost", [False, True])
def test_kernels_are_propagate(m, n, model, is_gram, want_cost):
    """Law 8: cost and gradients to 1e-12, for every remainder of rows and features."""
    engine, network, samples, T, s, layers = compiled_step(model, is_gram, m=m, n=n, h=3)
    J, gradients = engine.propagate(samples, T, s, layers, want_cost)
    expected_J, expected = propagate(network, samples, layers, T, s, want_cost)
    assert pytest.approx(expected_J, rel=1e-13) == J if want_cost else J is None
    assert_close(flat(gradients), flat(expected), 1e-12)
    assert {array.dtype for array in flat(gradients)} == {np.dtype(float)}


@pytest.mark.parametrize("model", WITH_KERNEL)
@pytest.mark.parametrize("is_gram", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_steps_of_one_call_have_the_bits_of_single_steps(model, is_gram, l2, fit_intercept):
    """So that records and callbacks, which take single steps, change no bit."""
    engine, _, samples, T, s, layers = compiled_step(model, is_gram, fit_intercept, m=30, n=40, h=3)
    before = [array.copy() for array in flat(layers)]
    ((n_taken, reached),) = engine.advance(samples, T, s, layers, 0.1, l2, 5)
    assert n_taken == 5
    assert_same_bits(flat(layers), before)
    for _ in range(5):
        gradients = engine.propagate(samples, T, s, layers, False)[1]
        if l2:
            gradients = penalize(None, gradients, layers, l2, None)[1]
        if not fit_intercept:
            gradients = [(dW, np.zeros_like(db)) for dW, db in gradients]
        layers = update(layers, gradients, 0.1)
    assert_same_bits(flat(reached), flat(layers))


def test_sums_of_float32_are_no_worse_than_those_of_numpy():
    engine, network, samples, T, s, layers = compiled_step("logistic", False, m=20_000, dtype=np.float32)
    samples.X[:] += np.float32(10)
    exact = propagate(network, samples.X.astype(float), layers, T.astype(float), s.astype(float))
    steps = exact, engine.propagate(samples, T, s, layers, True), propagate(network, samples, layers, T, s)
    (dW, _), *others = [gradients[0] for _, gradients in steps]
    found, numpy = (distance(other.astype(float), dW) for other, _ in others)
    assert found <= max(numpy, 1e-7)
