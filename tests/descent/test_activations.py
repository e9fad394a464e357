"""The activations against their formulas and central differences."""

import mpmath
import numpy as np
import pytest

from models import ACTIVATIONS
from sknn_basic import ShallowNNClassifier, propagate
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.activations import VECTORIZED

# No multiple of the step below, so that no kink lies between two points of a difference.
Z = np.linspace(-4, 4, 81) + 0.003


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_slope_from_activation_equals_slope_from_z(name, dtype):
    """g'(Z) written in A is the derivative of g, in the precision of Z."""
    g, slope = FUNCTIONS[name].g, FUNCTIONS[name].slope
    A = g(Z.astype(dtype))
    assert A.dtype == dtype
    assert (A * slope(A)).dtype == dtype
    step = 1e-6
    numeric = (g(Z + step) - g(Z - step)) / (2 * step)
    np.testing.assert_allclose(slope(A), numeric, rtol=0, atol=1e-9 if dtype == np.float64 else 1e-6)


def test_activations_are_those_of_the_notes():
    """Section 1.3.4 with its values: leaky ReLU is max(0.1 z, z)."""
    Z = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(FUNCTIONS["relu"].g(Z), [0, 0, 3])
    np.testing.assert_allclose(FUNCTIONS["leaky_relu"].g(Z), [-0.2, 0, 3], rtol=1e-15)
    np.testing.assert_allclose(FUNCTIONS["tanh"].g(Z), np.tanh(Z), rtol=1e-15)
    np.testing.assert_allclose(FUNCTIONS["sigmoid"].g(Z), 1 / (1 + np.exp(-Z)), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_of_many_values_is_as_accurate_as_of_few(dtype):
    """To a few units in the last place, tails included, except below the smallest normal number: 0."""
    limits = np.finfo(dtype)
    Z = np.linspace(np.log(limits.tiny) + 1, -np.log(limits.tiny), VECTORIZED + 1, dtype=dtype)
    with np.errstate(over="ignore"):
        A = FUNCTIONS["sigmoid"].g(Z)
        assert FUNCTIONS["sigmoid"].g(np.full(VECTORIZED, -limits.max, dtype)).max() == 0
    assert A.dtype == dtype
    expected = [1 / (1 + mpmath.exp(-mpmath.mpf(float(z)))) for z in Z]
    np.testing.assert_allclose(A, np.array(expected, np.longdouble), rtol=4 * limits.eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_largest_floats_are_finite_and_silent(name, dtype):
    g, slope = FUNCTIONS[name].g, FUNCTIONS[name].slope
    A = g(np.array([-np.finfo(dtype).max, -50, 0, 50, np.finfo(dtype).max], dtype))
    assert np.isfinite(A).all()
    assert np.isfinite(slope(A)).all()


@pytest.mark.parametrize("public", [ShallowNNClassifier, propagate], ids=lambda public: public.__name__)
def test_the_documentation_names_every_activation(public):
    """The docstrings list exactly what there is, in any order."""
    lines = public.__doc__.splitlines()
    line = next(line for line in lines if line.strip().startswith("activation : "))
    assert sorted(line.split("{")[1].split("}")[0].split(", ")) == sorted(f'"{name}"' for name in FUNCTIONS)
