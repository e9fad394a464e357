"""The activations against their formulas; whoever names them names them all."""

import mpmath
import numpy as np
import pytest

from longhand import G_EXACT, G_SLOPE, G
from models import ACTIVATIONS
from sknn_basic import ShallowNNClassifier
from sknn_basic._descent.activations import ACTIVATIONS as RECORDS

Z = np.linspace(-4, 4, 81) + 0.003  # not 0, where a slope may have a jump
both_precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])
every = pytest.mark.parametrize("activation", RECORDS.values(), ids=RECORDS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@both_precisions
def test_activations_are_those_of_the_notes(name, dtype):
    """Section 1.3.4, spelled out: g, its slope written in A, g of exact numbers; in the precision of Z."""
    activation, tolerance = RECORDS[name], 10 * np.finfo(dtype).eps
    A = activation.g(Z.astype(dtype))
    assert A.dtype == (A * activation.slope(A)).dtype == dtype
    np.testing.assert_allclose(A, G[name](Z), rtol=10 * tolerance)
    np.testing.assert_allclose(activation.slope(A), G_SLOPE[name](Z), rtol=0, atol=tolerance)
    np.testing.assert_allclose(np.vectorize(G_EXACT[name], [float])(Z, mpmath), G[name](Z), rtol=1e-13)
    numeric = (activation.g(Z + 1e-6) - activation.g(Z - 1e-6)) / 2e-6
    np.testing.assert_allclose(G_SLOPE[name](Z), numeric, rtol=0, atol=1e-9)


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
