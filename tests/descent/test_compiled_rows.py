"""Compiled steps on rows of X, or of a Gram matrix, against the formulas of `network.py`."""

import numpy as np
import pytest

from kernels import (
    SIZES,
    assert_is_propagate,
    assert_steps_of_one_call_have_the_bits_of_single_steps,
    compiled_step,
)
from longhand import assert_close, distance
from models import assert_same_bits, flat
from sknn_basic._descent.engine import CompiledLogistic
from sknn_basic._descent.network import propagate
from sknn_basic._descent.stored import ConvertedSamples

pytest.importorskip("numba")
outputs = pytest.mark.parametrize("k", [1, 2, 3, 6])
grams = pytest.mark.parametrize("is_gram", [False, True])


@pytest.mark.parametrize(("m", "n"), SIZES)
@outputs
@grams
def test_rows_are_propagate(m, n, k, is_gram):
    assert_is_propagate(*compiled_step(CompiledLogistic, "logistic", k, is_gram, m=m, n=n))


@outputs
@pytest.mark.parametrize(("is_gram", "dtype"), [(False, np.float64), (False, np.float32), (True, np.float64)])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_steps_of_one_call_have_the_bits_of_single_steps(k, is_gram, l2, fit_intercept, dtype):
    step = compiled_step(CompiledLogistic, "logistic", k, is_gram, fit_intercept, m=300, n=40, dtype=dtype)
    assert_steps_of_one_call_have_the_bits_of_single_steps(l2, *step)


@outputs
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bytes_are_multiplied_as_they_are(k, dtype):
    """To the rounding of the precision: the divisor goes to the weights."""
    _, network, samples, targets, s, layers = compiled_step(CompiledLogistic, "logistic", k, m=200, n=30)
    layers = [tuple(array.astype(dtype) for array in layer) for layer in layers]
    values = np.random.RandomState(0).randint(0, 256, samples.shape).astype(np.uint8)
    X, targets, s = ConvertedSamples(values, dtype, 255.0), targets.astype(dtype), s.astype(dtype)
    J, gradients = CompiledLogistic(network, X).propagate(X, targets, s, layers, True)
    exact = propagate(network, values / 255, layers, targets.astype(float), s.astype(float))
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    assert pytest.approx(exact[0], rel=tolerance) == J
    assert_close(flat(gradients), flat(exact[1]), tolerance)
    assert {array.dtype for array in flat(gradients)} == {np.dtype(dtype)}


@pytest.mark.parametrize("k", [1, 3])
def test_sums_of_float32_are_no_worse_than_those_of_numpy(k):
    engine, network, samples, T, s, layers = compiled_step(
        CompiledLogistic, "logistic", k, m=20_000, dtype=np.float32
    )
    samples.X[:] += np.float32(10)
    exact = propagate(network, samples.X.astype(float), layers, T.astype(float), s.astype(float))
    steps = exact, engine.propagate(samples, T, s, layers, True), propagate(network, samples, layers, T, s)
    (dW, _), *others = [gradients[0] for _, gradients in steps]
    found, numpy = (distance(other.astype(float), dW) for other, _ in others)
    assert found <= max(numpy, 1e-7)


@pytest.mark.parametrize("m", [1, 7, 8, 9, 16, 61, 209])
@pytest.mark.parametrize("n", [8, 9, 31, 50, 209])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_members_have_the_bits_that_each_has_alone(m, n, dtype):
    """In one call of the kernel: so a search gives what single fits do, where a descent is chaotic too."""
    engine, _, samples, targets, s, layers = compiled_step(
        CompiledLogistic, "logistic", m=m, n=n, dtype=dtype
    )
    others = [(W + 1, b - 1) for W, b in layers]
    rates, l2s = np.array([0.1, 9.0], dtype).reshape(2, 1, 1), np.array([0.0, 0.3], dtype).reshape(2, 1, 1)
    both = [tuple(map(np.stack, zip(*pair, strict=True))) for pair in zip(layers, others, strict=True)]
    records = np.array([0, 3])
    ((_, both, costs, _),) = engine.advance(samples, targets, s, both, rates, l2s, 5, records)
    for i, own in enumerate((layers, others)):
        rate, l2 = float(rates[i, 0, 0]), float(l2s[i, 0, 0])
        ((_, alone, expected, _),) = engine.advance(samples, targets, s, own, rate, l2, 5, records)
        assert_same_bits([array[i] for array in flat(both)], flat(alone))
        np.testing.assert_array_equal(costs[:, i], expected)
