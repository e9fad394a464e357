"""The activations against their formulas and central differences; whoever names them names them all."""

import mpmath
import numpy as np
import pytest

from longhand import G_EXACT, G_SLOPE, G
from models import ACTIVATIONS
from sknn_basic import ShallowNNClassifier
from sknn_basic._descent.activations import ACTIVATIONS as RECORDS

# No multiple of the step below, so that no kink lies between two points of a difference.
Z = np.linspace(-4, 4, 81) + 0.003
both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])
every = pytest.mark.parametrize("activation", RECORDS.values(), ids=RECORDS)


@every
@both_precisions
def test_slope_from_activation_equals_slope_from_z(activation, dtype):
    """g'(Z) written in A is the derivative of g, in the precision of Z."""
    g, slope = activation.g, activation.slope
    A = g(Z.astype(dtype))
    assert A.dtype == dtype
    assert (A * slope(A)).dtype == dtype
    step = 1e-6
    numeric = (g(Z + step) - g(Z - step)) / (2 * step)
    np.testing.assert_allclose(slope(A), numeric, rtol=0, atol=1e-9 if dtype == np.float64 else 1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_notes(name):
    """Section 1.3.4, spelled out."""
    activation = RECORDS[name]
    np.testing.assert_allclose(activation.g(Z), G[name](Z), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(activation.slope(activation.g(Z)), G_SLOPE[name](Z), rtol=1e-11)
    np.testing.assert_allclose(np.vectorize(G_EXACT[name], [float])(Z, mpmath), G[name](Z), rtol=1e-13)


@every
@both_precisions
def test_largest_floats_are_finite_and_silent(activation, dtype):
    A = activation.g(np.array([-np.finfo(dtype).max, -50, 0, 50, np.finfo(dtype).max], dtype))
    assert np.isfinite(A).all()
    assert np.isfinite(activation.slope(A)).all()


@every
def test_the_bound_holds(activation):
    """No |g(z)| is beyond the bound of its |z|, of any magnitude and sign."""
    sizes = np.append(0, np.logspace(-9, 300, 20_000))
    with np.errstate(over="ignore"):
        for values in (activation.g(sizes), activation.g(-sizes)):
            assert (np.abs(values) <= activation.bound(sizes)).all()


@every
def test_the_kernel_and_the_operators_exist(activation):
    """Codes of `compiled.py`, and operators of ONNX, by their names."""
    if activation.kernel is not None:
        compiled = pytest.importorskip("sknn_basic._descent.compiled", exc_type=ImportError)
        assert isinstance(getattr(compiled, activation.kernel), int)
    ops = pytest.importorskip("skl2onnx.algebra.onnx_ops", exc_type=ImportError)
    names = []
    if isinstance(activation.onnx, str):
        names.append(activation.onnx)
    else:
        activation.onnx(lambda name, *inputs: names.append(name), "Z")
    assert names
    assert all(hasattr(ops, f"Onnx{name}") for name in names)


def test_the_documentation_names_every_activation():
    """The docstring lists exactly what there is, in any order."""
    lines = ShallowNNClassifier.__doc__.splitlines()
    line = next(line for line in lines if line.strip().startswith("activation : "))
    assert sorted(line.split("{")[1].split("}")[0].split(", ")) == sorted(f'"{name}"' for name in ACTIVATIONS)
