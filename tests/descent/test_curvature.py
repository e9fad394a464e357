"""learning_rate="auto" is 1/L, against all eigenvalues of the whole matrix."""

from itertools import product

import numpy as np
import pytest
from scipy import sparse

from models import blobs
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent.curvature import FeatureOperator


@pytest.mark.filterwarnings("ignore:Gradient descent has not finished")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e5])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_auto_rate_is_one_over_the_curvature(n_classes, scale, fit_intercept, dtype):
    """Tall, wide and sparse X: 1/L from all eigenvalues of the whole matrix; the cost never rises."""
    tolerance, rounding = (1e-9, 1e-15) if dtype == np.float64 else (1e-5, 1e-6)
    for (m, n), l2 in product([(40, 5), (40, 1), (6, 30)], [0, 0.5]):
        X, y = blobs(n_classes, m, n)
        X, weights = (X * scale + 1).astype(dtype), np.linspace(1, 3, m)
        extended = np.hstack([X, np.ones((m, 1))])[:, : n + fit_intercept].astype(float)
        hessian_bound = extended.T @ np.diag(weights / weights.sum()) @ extended
        curvature = np.linalg.eigvalsh(hessian_bound)[-1] / (4 if n_classes == 2 else 2) + l2
        for container in (np.asarray, sparse.csr_array):
            model = LogisticRegressionGD(
                max_iter=30, record_every=1, l2_regularization=l2, fit_intercept=fit_intercept
            ).fit(container(X), y, weights)
            assert model.learning_rate_ == pytest.approx(1 / curvature, rel=tolerance)
            assert np.all(np.diff([*model.loss_curve_, model.loss_]) < rounding)
            assert fit_intercept or not model.intercept_.any()


@pytest.mark.parametrize("shape", [(400, 300), (250, 400)])
def test_auto_rate_of_noise(shape):
    """Many eigenvalues close to the largest: Lanczos iterations must go on until they tell them apart."""
    X = np.random.RandomState(0).standard_normal(shape)
    curvature = np.linalg.eigvalsh(X.T @ X / len(X))[-1] / 4
    model = LogisticRegressionGD(max_iter=1, fit_intercept=False).fit(X, np.arange(len(X)) % 2)
    assert model.learning_rate_ == pytest.approx(1 / curvature, rel=1e-6)


def test_auto_rate_of_eigenvalues_without_gaps(monkeypatch):
    """The number of products has a limit; L is then still found to half a percent, which keeps 1/L stable."""
    products, matvec = [], FeatureOperator._matvec
    monkeypatch.setattr(FeatureOperator, "_matvec", lambda self, v: products.append(1) or matvec(self, v))
    n = 2000
    for eigenvalues in (np.linspace(0, 1, n), np.linspace(0, 1, n) ** 0.1, 1 - np.linspace(0, 1, n) ** 4):
        products.clear()
        X = sparse.diags_array(np.append(np.sqrt(eigenvalues), 0)).tocsr()[:, :n]
        model = LogisticRegressionGD(max_iter=1, fit_intercept=False).fit(X, np.arange(n + 1) % 2)
        of_limit = 4 * (n + 1) / model.learning_rate_  # the largest eigenvalue that was found, which is 1
        assert 1 - 5e-3 < of_limit < 1 + 1e-12
        assert 100 < len(products) <= 130


def test_auto_rate_of_features_without_information():
    """Constant, zero and orthogonal columns have a largest eigenvalue too."""
    orthogonal = np.linalg.qr(np.random.RandomState(0).standard_normal((8, 8)))[0]
    for X in (np.zeros((8, 2)), np.ones((8, 1)), orthogonal):
        rate = LogisticRegressionGD(max_iter=1).fit(X, np.arange(8) % 2).learning_rate_
        extended = np.hstack([X, np.ones((8, 1))])
        assert rate == pytest.approx(4 * 8 / np.linalg.norm(extended, 2) ** 2)


def test_auto_rate_of_overflowing_features():
    X, y = blobs()
    with pytest.raises(ValueError, match=r'learning_rate="auto".*overflow.*Scale X'):
        LogisticRegressionGD().fit(X * 1e200, y)


@pytest.mark.parametrize("n", [1, 3])
def test_auto_rate_where_nothing_bends(n):
    """Zero samples without an intercept: L is 0, or that of the penalty; the weights stay 0."""
    y = np.arange(8) % 2
    model = LogisticRegressionGD(max_iter=5, fit_intercept=False).fit(np.zeros((8, n)), y)
    assert np.isfinite(model.learning_rate_)
    assert not model.coef_.any()
    model.set_params(l2_regularization=0.5).fit(np.zeros((8, n)), y)
    assert model.learning_rate_ == 2
