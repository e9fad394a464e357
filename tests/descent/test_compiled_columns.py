"""Compiled steps on samples as columns, or on their Gram matrix, against the formulas of `network.py`."""

import pytest

from kernels import (
    SIZES,
    assert_is_propagate,
    assert_steps_of_one_call_have_the_bits_of_single_steps,
    compiled_step,
)
from sknn_basic._descent.activations import ACTIVATIONS
from sknn_basic._descent.engine import CompiledNetwork, CompiledSoftmax

pytest.importorskip("numba")
# (model, outputs, whether on a Gram matrix)
STEPS = [("logistic", k, False) for k in (2, 3, 4, 7)] + [
    (name, k, is_gram)
    for name, activation in ACTIVATIONS.items()
    if activation.kernel
    for k in (1, 2, 3)
    for is_gram in (False, True)
]
steps = pytest.mark.parametrize(("model", "k", "is_gram"), STEPS)


def engine_of(model):
    return CompiledSoftmax if model == "logistic" else CompiledNetwork


@pytest.mark.parametrize(("m", "n"), SIZES)
@steps
def test_columns_are_propagate(m, n, model, k, is_gram):
    for h in (1, 4, 5)[model == "relu" :]:  # one unit alone may be dead, and all gradients 0
        assert_is_propagate(*compiled_step(engine_of(model), model, k, is_gram, m=m, n=n, h=h))


@steps
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_steps_of_one_call_have_the_bits_of_single_steps(model, k, is_gram, l2, fit_intercept):
    step = compiled_step(engine_of(model), model, k, is_gram, fit_intercept, m=30, n=40, h=3)
    assert_steps_of_one_call_have_the_bits_of_single_steps(l2, *step)
