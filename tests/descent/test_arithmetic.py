"""What is fast has the numbers of the plain formulas, and the memory layouts that make it so."""

from itertools import product as combinations

import mpmath
import numpy as np
import pytest
from scipy import sparse

from libraries import DEVICE, TORCH, host, needs_dispatch
from longhand import distance
from sknn_basic._descent.activations import sigmoid
from sknn_basic._descent.arithmetic import VECTORIZED, backward, by_class, by_numpy, product

RNG = np.random.RandomState(0)
LAYOUTS = {"C": np.ascontiguousarray, "F": np.asfortranarray, "columns": lambda X: np.repeat(X, 2, 1)[:, ::2]}
TOLERANCE = {np.float64: 1e-15, np.float32: 1e-6}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("layout", [*LAYOUTS.values(), sparse.csr_array], ids=[*LAYOUTS, "CSR"])
@pytest.mark.parametrize("members", [(), (3,), (2, 3)])
def test_products(layout, members, dtype):
    """X @ W of one W and of stacks, whatever lies where in memory."""
    for m, n, k in combinations((1, 7), (1, 5), (1, 4)):
        X, W = RNG.standard_normal((m, n)), RNG.standard_normal((*members, n, k))
        Z = product(layout(X.astype(dtype)), W.astype(dtype))
        assert Z.dtype == dtype
        assert distance(Z, X.astype(dtype) @ W.astype(dtype)) < 8 * TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("members", [(), (3,)])
def test_the_way_back(members, k, dtype):
    """(dZ W') * slope, laid out as the slope is."""
    dZ, W = (RNG.standard_normal((*members, *shape)).astype(dtype) for shape in ((6, k), (4, k)))
    slope = RNG.standard_normal((*members, 6, 4)).astype(dtype)
    for given in (slope, np.ascontiguousarray(slope.mT).mT, slope > 0):
        found = backward(dZ, W, given)
        assert found.dtype == dtype
        assert np.argsort(found.strides).tolist() == np.argsort(given.strides).tolist()
        assert distance(found, (dZ @ W.mT) * given) < 8 * TOLERANCE[dtype]


def test_classes_are_neighbours():
    Z = RNG.standard_normal((2, 5, 3))
    same = by_class(lambda Z: Z)(Z)
    np.testing.assert_array_equal(same, Z)
    assert same.strides[1] == Z.itemsize


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_sigmoid_of_many_values_is_as_accurate_as_of_few(dtype):
    """To a few units in the last place, tails included, except below the smallest normal number: 0."""
    limits = np.finfo(dtype)
    Z = np.linspace(np.log(limits.tiny) + 1, -np.log(limits.tiny), VECTORIZED + 1, dtype=dtype)
    expected = np.array([1 / (1 + mpmath.exp(-mpmath.mpf(float(z)))) for z in Z], np.longdouble)
    with np.errstate(over="ignore"):
        for A in (sigmoid(Z), np.concatenate([sigmoid(Z[:500]), sigmoid(Z[500:])])):
            assert A.dtype == dtype
            np.testing.assert_allclose(A, expected, rtol=4 * limits.eps)
        assert sigmoid(np.full(VECTORIZED, -limits.max, dtype)).max() == 0


@needs_dispatch
@pytest.mark.parametrize("place", [DEVICE, TORCH], ids=repr)
def test_a_function_of_numpy_computes_ndarrays_alone(place):
    """Up to a number of values, if there is one; arrays of other libraries take the formula."""
    every, few = (by_numpy(lambda Z: Z + Z, *below)(lambda Z: -Z) for below in ([], [3]))
    for n, expected in ((2, 2), (3, -1)):
        assert every(np.ones(n)).tolist() == [2] * n
        assert few(np.ones(n)).tolist() == [expected] * n
        for formula in (every, few):
            assert host(formula(place.put(np.ones(n)))).tolist() == [-1] * n
