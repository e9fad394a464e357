"""`decision_function` holds the logits, which calibration and ranking use; logarithms keep the tail."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import RocCurveDisplay, log_loss, roc_auc_score

from models import blobs, both, weights_of


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logits_are_the_logarithms_of_odds(model, n_classes):
    """Two classes: log p1 / p0; more: softmax of the logits is the probability."""
    X, y = blobs(n_classes)
    fitted = clone(model).fit(X, y)
    Z, proba = fitted.decision_function(X), fitted.predict_proba(X)
    if n_classes == 2:
        np.testing.assert_allclose(Z, np.log(proba[:, 1] / proba[:, 0]), rtol=1e-10, atol=1e-12)
    else:
        np.testing.assert_allclose(log_softmax(Z, axis=1), np.log(proba), rtol=1e-10)


@both
def test_ranking_tools_tell_apart_what_probabilities_round_together(model):
    """Where probabilities are all 1 or 0, logits still rank: the ROC curve is that of the small model."""
    plt = pytest.importorskip("matplotlib.pyplot")
    X, y = blobs(m=200)
    y = np.where(np.random.RandomState(0).random_sample(200) < 0.2, 1 - y, y)
    fitted = clone(model).fit(X, y)
    area = roc_auc_score(y, fitted.decision_function(X))
    last = weights_of(fitted) if hasattr(fitted, "coef_") else [fitted.coefs_[1], fitted.intercepts_[1]]
    for array in last:
        array *= 1e4
    assert len(np.unique(fitted.predict_proba(X)[:, 1])) < 100
    assert roc_auc_score(y, fitted.decision_function(X)) == pytest.approx(area)
    display = RocCurveDisplay.from_estimator(fitted, X, y, response_method="decision_function")
    assert display.roc_auc == pytest.approx(area)
    plt.close("all")


@both
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(model, method):
    """scikit-learn's calibration takes the logits; an overconfident model becomes better."""
    X, y = blobs(m=600)
    y = np.where(np.random.RandomState(0).random_sample(600) < 0.2, 1 - y, y)
    fitted = clone(model).fit(X[:200], y[:200])
    last = weights_of(fitted) if hasattr(fitted, "coef_") else [fitted.coefs_[1], fitted.intercepts_[1]]
    for array in last:
        array *= 20
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(X[200:400], y[200:400])
    before, after = (log_loss(y[400:], m.predict_proba(X[400:])) for m in (fitted, calibrated))
    assert after < before / 2
    if method == "sigmoid":  # Platt's scaling is a logistic regression over the logits
        Z = fitted.decision_function(X[200:400]).reshape(-1, 1)
        platt = LogisticRegression(C=1e12).fit(Z, y[200:400])
        assert log_loss(y[200:400], platt.predict_proba(Z)) == pytest.approx(
            log_loss(y[200:400], calibrated.predict_proba(X[200:400])), rel=0.05
        )


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logarithms_where_probabilities_are_zero(model, n_classes, dtype):
    """Where `predict_proba` underflows to 0, `predict_log_proba` is the difference of logits, to rounding."""
    X, y = blobs(n_classes)
    fitted = clone(model).fit(X.astype(dtype), y)
    last = weights_of(fitted) if hasattr(fitted, "coef_") else [fitted.coefs_[1], fitted.intercepts_[1]]
    for array in last:
        array *= 1e5
    far = X.astype(dtype)
    proba, log_proba = fitted.predict_proba(far), fitted.predict_log_proba(far)
    Z = np.float64(fitted.decision_function(far))
    Z = np.column_stack([0 * Z, Z]) if n_classes == 2 else Z
    assert (proba == 0).sum() > 10
    assert np.isfinite(log_proba).all()
    np.testing.assert_allclose(
        log_proba[proba == 0], log_softmax(Z, axis=1)[proba == 0], rtol=4 * np.finfo(dtype).eps
    )
