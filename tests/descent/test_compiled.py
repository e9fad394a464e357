"""The functions of one number and the errors against mpmath and the formulas."""

import mpmath
import numpy as np
import pytest

from longhand import distance
from sknn_basic._descent.outputs import softmax

compiled = pytest.importorskip("sknn_basic._descent.compiled", exc_type=ImportError)
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


def softmax_step(Z, labels):
    """Errors and cost of Z (m, k) with equal weights of 1."""
    m, k = Z.shape
    Y, Z = np.ascontiguousarray(np.eye(k)[labels].T), np.ascontiguousarray(Z.T)
    dZ = np.empty_like(Z)
    J = compiled.errors(Y, np.ones(m), np.uint64(0), np.uint64(m), Z, dZ, True)
    return J, dZ.T


@pytest.mark.parametrize("k", [2, 3, 10])
def test_softmax_is_that_of_the_formulas(k):
    rng = np.random.RandomState(0)
    for scale in (1e-3, 1, 30, 1e4):
        Z, labels = scale * rng.standard_normal((77, k)), rng.randint(k, size=77)
        Z[:7] = Z[:7, :1]  # several are the largest
        Y = np.eye(k)[labels]
        J, dZ = softmax_step(Z, labels)
        assert pytest.approx(softmax.loss(Z, Y).sum(), rel=1e-14) == J
        assert distance(dZ, softmax.error(Z, Y)) < 1e-14


def test_softmax_keeps_its_tails():
    """The loss and errors of a class that is almost certain, and of one that is almost excluded."""
    for z in (1e-8, 3.0, 20.0, 37.0, 50.0, 300.0, 700.0):
        with mpmath.workdps(400):
            others = [mpmath.exp(-z), mpmath.exp(-z - 1)]
            total = 1 + sum(others)
            exact = [-sum(others) / total, *(a / total for a in others)]
            loss = mpmath.log(total)
            for label, L in ((0, loss), (1, loss + z)):
                J, dZ = softmax_step(np.array([[z, 0.0, -1.0]]), np.array([label]))
                assert abs(J - L) <= 1e-15 * abs(L) + (label * 1e-15 * z)
                if label == 0:
                    assert all(abs(a - b) <= 4e-15 * abs(b) for a, b in zip(dZ[0], exact, strict=True))


def test_softmax_of_what_overflows():
    """Errors are NaN as in the formulas, so that a descent is seen to diverge; far scores give 0 and 1."""
    J, dZ = softmax_step(np.array([[1e4, 0.0, -1e4]]), np.array([0]))
    assert J == 0
    np.testing.assert_array_equal(dZ, 0)
    J, dZ = softmax_step(np.array([[1e4, 0.0, -1e4]]), np.array([1]))
    assert J == 1e4
    np.testing.assert_array_equal(dZ, [[1, -1, 0]])
    for bad in ([np.nan, 0.0, 1.0], [0.0, np.nan, 1.0], [0.0, 1.0, np.nan], [np.inf, 0.0, 1.0]):
        J, dZ = softmax_step(np.array([bad, [0.0, 1.0, 2.0]]), np.array([1, 1]))
        assert not np.isfinite(J)
        assert np.isnan(dZ[0]).all()
        assert np.isfinite(dZ[1]).all()


def test_a_kernel_contains_all_that_it_calls():
    """Or the process that has compiled it would link other code than those that load it from the cache.

    A network's weights then differed in their last bits (3 outputs, 60 steps), which takes 20 s to compile.
    """
    from sknn_basic._descent import compiled_columns, compiled_rows

    is_inlined = {}
    for module in (compiled, compiled_columns, compiled_rows):
        for name, function in vars(module).items():
            if options := getattr(function, "targetoptions", None):
                is_inlined[name] = options["forceinline"]
    assert {name for name in is_inlined if not is_inlined[name]} == {
        "row_steps",
        "softmax_steps",
        "network_steps",
    }
