"""The laws of compiled steps, for the tests of each kernel: they are `propagate` and `update`."""

import numpy as np
import pytest

from longhand import assert_close
from models import assert_same_bits, flat, moved, step_of
from sknn_basic._descent.activations import ACTIVATIONS
from sknn_basic._descent.engine import CompiledLogistic, CompiledNetwork, CompiledSoftmax
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.network import Network, penalize, propagate, update
from sknn_basic._descent.outputs import logistic, softmax
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stored import ConvertedSamples

# For every remainder of rows and features, and for several tiles.
SIZES = [(1, 1), (3, 2), (7, 5), (50, 4), (600, 3), (40, 40), (1100, 13), (1030, 70)]


def compiled_step(engine, model, k=1, is_gram=False, fit_intercept=True, **sizes):
    """An engine with the network, samples, targets, shares and layers that it takes steps with."""
    X, targets, s, layers, network = step_of(model, k, **sizes)
    network = network._replace(fit_intercept=fit_intercept)
    layers = moved(layers)
    samples = GramSamples(X, layers[0][0]) if is_gram else Samples(X)
    layers[0] = samples.parameters_of(layers[0][0]), layers[0][1]
    return engine(network, samples), network, samples, targets, s, layers


def assert_is_propagate(engine, network, samples, targets, s, layers):
    """Law 8: cost and gradients to 1e-12."""
    expected_J, expected = propagate(network, samples, layers, targets, s)
    for want_cost in (True, False):
        J, gradients = engine.propagate(samples, targets, s, layers, want_cost)
        assert pytest.approx(expected_J, rel=1e-13) == J if want_cost else J is None
        assert_close(flat(gradients), flat(expected), 1e-12)
        assert {array.dtype for array in flat(gradients)} == {np.dtype(float)}


def assert_steps_of_one_call_have_the_bits_of_single_steps(l2, engine, network, samples, targets, s, layers):
    """So that records and callbacks, which take single steps, change no bit."""
    before = [array.copy() for array in flat(layers)]
    ((n_taken, reached, costs, peak),) = engine.advance(
        samples, targets, s, layers, 0.1, l2, 5, np.array([0, 2, 3])
    )
    assert n_taken == 5
    expected_costs, peaks = [], []
    assert_same_bits(flat(layers), before)
    for step in range(5):
        J, gradients = engine.propagate(samples, targets, s, layers, True)
        if step in (0, 2, 3):
            expected_costs.append(J)
            peaks += [np.abs(array).max() for array in flat(layers)]
        if l2:
            gradients = penalize(gradients, layers, l2)
        if not network.fit_intercept:
            gradients = [(dW, np.zeros_like(db)) for dW, db in gradients]
        layers = update(layers, gradients, 0.1)
    assert_same_bits(flat(reached), flat(layers))
    assert costs.tolist() == expected_costs
    assert peak == max(peaks)


def compile_ahead(name):
    """Compile the kernels that a test file is about, for all types, or load them from Numba's cache."""
    X, values = np.zeros((1, 1)), np.zeros((1, 1), np.uint8)
    if name == "test_compiled_columns":
        CompiledSoftmax(Network(None, softmax), Samples(X)).prepare()
        CompiledNetwork(Network(ACTIVATIONS["tanh"], logistic), Samples(X)).prepare()
        return
    for dtype in (np.float64, np.float32):
        for samples in (Samples(X.astype(dtype)), ConvertedSamples(values, dtype, 255.0)):
            CompiledLogistic(Network(None, logistic), samples).prepare()
