"""Logits of samples so large that sums of products overflow, against exact fractions."""

from fractions import Fraction
from functools import partial

import mpmath
import numpy as np
import pytest
from scipy import sparse

from longhand import G_EXACT
from models import ACTIVATIONS, moved, step_of
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.logits import finite_forward
from sknn_basic._descent.network import Network, forward
from sknn_basic._descent.outputs import choose_output
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stacking import stack

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # callers of `finite_forward` silence them

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def network_of(activation=None, n_classes=2):
    return Network(None if activation is None else FUNCTIONS[activation], choose_output(n_classes))


def fractions(array):
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(array)


def layer(W, b, dtype):
    return np.array(W, dtype), np.array(b, dtype).reshape(1, -1)


@DTYPES
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_terms_of_both_signs_overflow(kind, dtype):
    """Z has the true sign: of the sum, or of the intercept where the terms cancel."""
    M = dtype(2) ** (np.finfo(dtype).maxexp - 1)  # whose products are exact
    X = np.array([[M, M, 0], [M, M, M], [M, -M, M], [1, 1, 1], [M, M, -M]], dtype)
    layers = [layer([[6.8], [-6.8], [0.1]], [-0.5], dtype)]
    Z = finite_forward(network_of(), Samples(kind(X)), layers)
    exact = (fractions(X) @ fractions(layers[0][0]) + fractions(layers[0][1])).ravel()
    assert Z.dtype == dtype
    largest = Fraction(float(np.finfo(dtype).max))
    np.testing.assert_allclose(Z.ravel(), [float(min(max(z, -largest), largest)) for z in exact], rtol=1e-6)
    assert Z[0] == dtype(-0.5)


@DTYPES
def test_a_partial_sum_overflows_but_not_the_sum(dtype):
    """Whatever the order of the terms, Z is that of the whole sum."""
    M = np.finfo(dtype).max
    X = np.array([[M, M, -M, -M, -M / 4]], dtype)
    for order in (slice(None), slice(None, None, -1)):
        Z = finite_forward(network_of(), Samples(X[:, order]), [layer(np.ones((5, 1)), [0], dtype)])
        np.testing.assert_allclose(Z, -M / 4, rtol=1e-6)


@DTYPES
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_units_overflow(activation, dtype):
    """Two units of one sign and different size, whose output weights differ in sign, decide by their size."""
    M = dtype(0.9) * np.finfo(dtype).max
    X = np.array([[M, M], [-M, -M]], dtype)
    hidden = layer([[8, 4], [8, 4]], [0, 0], dtype)
    Z = finite_forward(network_of(activation), Samples(X), [hidden, layer([[1], [-1.5]], [0.25], dtype)])
    g, M = partial(G_EXACT[activation], mp=mpmath), mpmath.mpf(float(M))
    exact = [g(16 * sign * M) - 1.5 * g(8 * sign * M) + 0.25 for sign in (1, -1)]
    largest = float(np.finfo(dtype).max)  # at which 4 M of the ReLUs is clipped
    np.testing.assert_allclose(Z.ravel(), [float(min(z, largest)) for z in exact], rtol=1e-6)


@DTYPES
@pytest.mark.parametrize("activation", ["logistic", *ACTIVATIONS])
def test_rows_and_members_that_overflow_change_no_bit_of_others(activation, dtype):
    """Each row of each member of a stack is what it is alone, and `forward` where nothing overflows."""
    X, *_, layers, network = step_of(activation, 3, dtype=dtype)
    X[::2] *= np.finfo(dtype).max / 8
    members = moved(layers), [(8 * W, b) for W, b in moved(layers, seed=2)]
    for Z, layers in zip(finite_forward(network, Samples(X), stack(members)), members, strict=True):
        assert np.isfinite(Z).all()
        _, plain = forward(network, Samples(X), layers)
        np.testing.assert_allclose(Z[1::2], plain[1::2], rtol=1e-5)
        np.testing.assert_array_equal(finite_forward(network, Samples(X), layers)[1::2], plain[1::2])


def test_weights_beyond_the_range_of_the_samples():
    """A model fitted in float64 predicts float32 samples, whatever its weights."""
    model = LogisticRegressionGD(max_iter=1).fit([[0.0], [1.0]], [0, 1])
    model.coef_, model.intercept_ = np.array([[1e300]]), np.array([-1e261])
    X = np.float32([[1e-38], [0], [3], [-3]])
    assert model.decision_function(X).dtype == np.float32
    assert model.predict(X).tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(model.predict_proba(X)[:, 1], [1, 0, 1, 0])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_training_samples_whose_products_overflow(n_classes):
    """The descent of wide float32 data is in float64: what it has learnt can be predicted."""
    X = (np.random.RandomState(0).standard_normal((20, 100)) * 1e20).astype(np.float32)
    y = np.arange(20) % n_classes
    model = LogisticRegressionGD(0.1, max_iter=50).fit(X, y)
    P = model.predict_proba(X)
    assert np.isfinite(P).all()
    assert model.loss_ == pytest.approx(-np.log(P[np.arange(20), y]).mean())
    assert model.score(X, y) == 1


@DTYPES
def test_scores_keep_their_order(dtype):
    """Of the rows for two classes, up to the largest float; of the classes in a row for more."""
    M = np.finfo(dtype).max
    X = M * np.linspace(-1, 1, 41, dtype=dtype).reshape(-1, 1)
    for W in (0.5, 1, 4):
        Z = finite_forward(network_of(), Samples(X), [layer([[W]], [0], dtype)]).ravel()
        expected = np.clip(X.ravel().astype(np.longdouble) * W, -M, M)
        np.testing.assert_allclose(Z, expected.astype(dtype), rtol=1e-6)
    scores = layer([[-4, 1, 3, 2, 0.5]], np.zeros(5), dtype)
    Z = finite_forward(network_of(n_classes=5), Samples(X), [scores])
    np.testing.assert_array_equal(Z.argsort(axis=1), (np.sign(X) * scores[0]).argsort(axis=1, kind="stable"))
