"""What both classifiers share: fitted attributes, answers, warm starts, and fits that fail."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from models import BOTH, blobs, both, weights_of

# Fitted attributes and answers


@both
@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [-1, 1], ["a", "b", "c"], [3, 5, 9]])
def test_any_labels(model, classes):
    """Predictions are labels as they were given; the second of two is predicted exactly where Z > 0."""
    X, codes = blobs(len(classes))
    y = np.array(classes)[codes]
    fitted = clone(model).fit(X, y)
    assert fitted.classes_.tolist() == classes
    assert fitted.predict(X).dtype == y.dtype
    Z = fitted.decision_function(X)
    if len(classes) == 2:
        assert Z.shape == (len(y),)
        np.testing.assert_array_equal(fitted.predict(X) == classes[1], Z > 0)
    else:
        assert Z.shape == (len(y), len(classes))
        np.testing.assert_array_equal(fitted.predict(X), np.array(classes)[Z.argmax(axis=1)])
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(proba), rtol=1e-9)
    assert fitted.score(X, y) == np.mean(fitted.predict(X) == y) > 0.5


def test_shapes_of_fitted_attributes():
    X, y = blobs(3)
    network = clone(BOTH[1]).fit(X, y)
    assert [W.shape for W in network.coefs_] == [(5, 4), (4, 3)]
    assert [b.shape for b in network.intercepts_] == [(4,), (3,)]
    logistic = clone(BOTH[0]).fit(X, y)
    assert (logistic.coef_.shape, logistic.intercept_.shape) == ((3, 5), (3,))
    binary = clone(BOTH[0]).fit(*blobs())
    assert (binary.coef_.shape, binary.intercept_.shape) == ((1, 5), (1,))


@both
def test_loss_is_the_cost_of_the_model(model):
    """`loss_` is the cost of the fitted weights, `loss_curve_` those before updates 0, 7, 14, ..."""
    X, y = blobs(3)
    weights = np.linspace(1, 2, len(y))
    model = clone(model).set_params(record_every=7, l2_regularization=0.02)
    for steps in (7, 20, 21):
        fitted = clone(model).set_params(max_iter=steps).fit(X, y, weights)
        log_likelihood = fitted.predict_log_proba(X)[np.arange(len(y)), y]
        matrices = [fitted.coef_] if hasattr(fitted, "coef_") else fitted.coefs_
        penalty = 0.01 * sum(np.sum(W**2) for W in matrices)
        assert fitted.loss_ == pytest.approx(penalty - np.average(log_likelihood, weights=weights), rel=1e-13)
        assert len(fitted.loss_curve_) == -(-steps // 7)
        assert fitted.n_iter_ == steps
    assert clone(model).set_params(max_iter=14).fit(X, y, weights).loss_ == fitted.loss_curve_[2]


# Warm start


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_warm_start_continues(model, n_classes):
    """Two fits of 150 steps are one of 300, bit for bit; curve and count are those of the second."""
    X, y = blobs(n_classes)
    model = clone(model).set_params(learning_rate=0.1, l2_regularization=0.01, record_every=10)
    whole = clone(model).set_params(max_iter=300).fit(X, y)
    parts = clone(model).set_params(max_iter=150, warm_start=True).fit(X, y).fit(X, y)
    for a, b in zip(weights_of(parts), weights_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)
    assert parts.loss_curve_ == whole.loss_curve_[15:]
    assert parts.n_iter_ == 150


@both
def test_warm_start_refuses_other_features_and_classes(model):
    """The message says what changed, and the fitted model stays as it was."""
    X, y = blobs(3)
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = clone(model).set_params(warm_start=True, max_iter=5).fit(frame, y)
    before = {name: np.copy(value) for name, value in zip("pqrs", weights_of(model), strict=False)}
    for other_X, other_y, message in [
        (frame[["a", "b"]], y, r"warm_start=True .* 5 features, but X has 2"),
        (frame.rename(columns={"e": "z"}), y, r"warm_start=True .* named .*'e'.*'z'"),
        (frame, y % 2, r"warm_start=True .* classes \[0, 1, 2\], but y has \[0, 1\]"),
        (frame, y + 1, r"warm_start=True .* classes \[0, 1, 2\], but y has \[1, 2, 3\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(other_X, other_y)
        assert model.n_features_in_ == 5
        assert model.feature_names_in_.tolist() == list("abcde")
        assert model.classes_.tolist() == [0, 1, 2]
        for old, new in zip(before.values(), weights_of(model), strict=True):
            np.testing.assert_array_equal(old, new)


def test_warm_start_refuses_another_hidden_layer():
    X, y = blobs()
    model = clone(BOTH[1]).set_params(warm_start=True, max_iter=5).fit(X, y)
    with pytest.raises(ValueError, match="4 hidden units, but hidden_layer_size is 7"):
        model.set_params(hidden_layer_size=7).fit(X, y)


# Fits that fail


@both
def test_a_failed_fit_leaves_the_model_as_it_was(model):
    """Neither bad weights nor an interruption in the middle of the descent leave half a model."""
    X, y = blobs()
    model = clone(model).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X[:, :2], y, np.zeros(len(y)))
    with pytest.raises(ValueError, match="2 classes"):
        model.fit(pd.DataFrame(X[:, :2], columns=["a", "b"]), y * 0)
    assert vars(model) == before
    unfitted = clone(model)
    with pytest.raises(ValueError, match="NaN"):
        unfitted.fit(X * np.nan, y)
    assert vars(unfitted) == vars(clone(model))


# Logits, and what is computed from them where probabilities round


def scale_last_layer(model, factor):
    last = weights_of(model) if hasattr(model, "coef_") else [model.coefs_[1], model.intercepts_[1]]
    for array in last:
        array *= factor


@both
def test_ranking_tools_tell_apart_what_probabilities_round_together(model):
    """Where probabilities are all 1 or 0, logits still rank: the ROC curve is that of the small model."""
    X, y = blobs(m=200)
    y = np.where(np.random.RandomState(0).random_sample(200) < 0.2, 1 - y, y)
    fitted = clone(model).fit(X, y)
    area = roc_auc_score(y, fitted.decision_function(X))
    scale_last_layer(fitted, 1e4)
    assert len(np.unique(fitted.predict_proba(X)[:, 1])) < 100
    assert roc_auc_score(y, fitted.decision_function(X)) == pytest.approx(area)


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"), [(np.float64, 1e-12, 1e-19), (np.float32, 1e-5, 1e-7)], ids=["64", "32"]
)
@pytest.mark.parametrize("factor", [40, 1e5])
def test_probabilities_keep_their_tails(model, n_classes, dtype, rtol, atol, factor):
    """Small probabilities and all logarithms are those of Z, also where probabilities round to 0 and 1."""
    X, y = blobs(n_classes)
    X = X.astype(dtype)
    fitted = clone(model).fit(X, y)
    scale_last_layer(fitted, factor)
    Z = np.longdouble(fitted.decision_function(X))
    Z = np.stack([0 * Z, Z], axis=1) if n_classes == 2 else Z
    Z -= Z.max(axis=1, keepdims=True)
    total = np.exp(Z).sum(axis=1, keepdims=True)
    proba, tiny = fitted.predict_proba(X), np.finfo(dtype).tiny
    np.testing.assert_allclose(proba, (np.exp(Z) / total).astype(dtype), rtol, tiny)
    assert proba.min() < 1e-20
    assert factor == 40 or (proba == 0).sum() > 10
    log_exact = Z - np.log1p(total - 1)
    np.testing.assert_allclose(fitted.predict_log_proba(X), log_exact.astype(dtype), rtol, atol)


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predictions_far_away_are_finite_and_silent(model, n_classes, dtype):
    """Where Z overflows, probabilities are 0 and 1, their logarithms finite, and nothing warns."""
    X, y = blobs(n_classes)
    fitted = clone(model).fit(X.astype(dtype), y)
    for array in weights_of(fitted):
        array[...] = np.abs(array) + 1
    far = (np.abs(X) / np.abs(X).max() * np.finfo(dtype).max).astype(dtype)
    for answer in (fitted.decision_function(far), fitted.predict_proba(far), fitted.predict_log_proba(far)):
        assert np.isfinite(answer).all()
    assert set(fitted.predict(far)) <= set(y)
