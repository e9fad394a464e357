"""Each kernel against the formulas of `network.py`, and the functions of one number against mpmath."""

import mpmath
import numpy as np
import pytest

from longhand import distance
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.engine import CompiledLogistic, CompiledNetwork
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.network import Network, init_layers, penalize, propagate, update
from sknn_basic._descent.outputs import logistic
from sknn_basic._descent.samples import Samples

compiled = pytest.importorskip("sknn_basic._descent.compiled", exc_type=ImportError)
WITH_KERNEL = [name for name, activation in FUNCTIONS.items() if activation.kernel]

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


def problem(m, n, h, dtype=np.float64, seed=0):
    """Samples of random sizes, targets, weights and layers; without a hidden layer for h = 0."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((m, n)).astype(dtype)
    T = rng.choice([-1, 1], (m, 1)).astype(dtype)
    s = rng.random_sample((m, 1)).astype(dtype)
    sizes = (n, h, 1) if h else (n, 1)
    layers = init_layers(sizes, dtype, rng, (1, 1)[: len(sizes) - 1])
    layers = [(W + rng.standard_normal(W.shape).astype(dtype) / n, b + dtype(0.1)) for W, b in layers]
    return X, T, s / s.sum(), layers


def assert_same(found, expected, tolerance):
    for pair, expected_pair in zip(found, expected, strict=True):
        for array, expected_array in zip(pair, expected_pair, strict=True):
            assert array.dtype == expected_array.dtype
            assert array.shape == expected_array.shape
            assert distance(array, expected_array) < tolerance


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 2), (7, 5), (50, 4), (600, 3), (40, 40)])
@pytest.mark.parametrize(("h", "activation"), [(0, None), *((3, name) for name in WITH_KERNEL)])
@pytest.mark.parametrize("is_gram", [False, True])
@pytest.mark.parametrize("want_cost", [False, True])
def test_kernels_are_propagate(m, n, h, activation, is_gram, want_cost):
    """Law 8: cost and gradients to 1e-12, for every remainder of rows and features."""
    X, T, s, layers = problem(m, n, h)
    network = Network(FUNCTIONS.get(activation), logistic)
    samples = GramSamples(X, layers[0][0]) if is_gram else Samples(X)
    layers[0] = samples.parameters_of(layers[0][0]), layers[0][1]
    engine = (CompiledNetwork if h else CompiledLogistic)(network, samples)
    J, gradients = engine.propagate(samples, T, s, layers, want_cost)
    expected_J, expected = propagate(network, samples, layers, T, s, want_cost)
    assert pytest.approx(expected_J, rel=1e-13) == J if want_cost else J is None
    assert_same(gradients, expected, 1e-12)


@pytest.mark.parametrize(("h", "activation"), [(0, None), *((3, name) for name in WITH_KERNEL)])
@pytest.mark.parametrize("is_gram", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_steps_of_one_call_have_the_bits_of_single_steps(h, activation, is_gram, l2, fit_intercept):
    """So that records and callbacks, which take single steps, change no bit."""
    X, T, s, layers = problem(30, 40, h)
    network = Network(FUNCTIONS.get(activation), logistic, fit_intercept)
    samples = GramSamples(X, layers[0][0]) if is_gram else Samples(X)
    layers[0] = samples.parameters_of(layers[0][0]), layers[0][1]
    before = [array.copy() for layer in layers for array in layer]
    engine = (CompiledNetwork if h else CompiledLogistic)(network, samples)
    ((n_taken, reached),) = engine.advance(samples, T, s, layers, 0.1, l2, 5)
    assert n_taken == 5
    for array, copy in zip((array for layer in layers for array in layer), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for _ in range(5):
        gradients = engine.propagate(samples, T, s, layers, False)[1]
        if l2:
            gradients = penalize(None, gradients, layers, l2, None)[1]
        if not fit_intercept:
            gradients = [(dW, np.zeros_like(db)) for dW, db in gradients]
        layers = update(layers, gradients, 0.1)
    for (W, b), (expected_W, expected_b) in zip(reached, layers, strict=True):
        np.testing.assert_array_equal(W, expected_W)
        np.testing.assert_array_equal(b, expected_b)


def test_sums_of_float32_are_no_worse_than_those_of_numpy():
    X, T, s, layers = problem(20_000, 5, 0, np.float32)
    X += np.float32(10)
    network = Network(None, logistic)
    exact = propagate(network, X.astype(float), layers, T.astype(float), s.astype(float), True)
    _, found = CompiledLogistic(network, Samples(X)).propagate(Samples(X), T, s, layers, True)
    _, numpy = propagate(network, Samples(X), layers, T, s, True)
    errors = [distance(gradients[0][0].astype(float), exact[1][0][0]) for gradients in (found, numpy)]
    assert errors[0] <= max(errors[1], 1e-7)
