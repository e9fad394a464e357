"""Models in files: small, without training data, and shared safely through skops."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import BOTH, blobs, both, weights_of
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    load_photo_patches,
)
from sknn_basic._fitting.pipelines import last_step

SHAPES = {"tall": (8000, 5), "wide": (100, 1000)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("is_validated", [False, True])
@both
def test_a_model_holds_weights_and_curves_and_no_data(model, shape, dtype, is_validated):
    """Its pickle is under 3 times the bytes of its weights plus 20 KB; it predicts the same."""
    X, y = blobs(3, *SHAPES[shape])
    X = X.astype(dtype)
    model = clone(model).set_params(max_iter=20, warm_start=True)
    validation = {"X_val": X, "y_val": y} if is_validated else {}
    for _ in range(2):
        model.fit(X, y, np.ones(len(y)), **validation)
    content = pickle.dumps(model)
    n_bytes = sum(array.nbytes for array in weights_of(model))
    assert len(content) < 3 * n_bytes + 20_000 < X.nbytes
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.loss_curve_ == model.loss_curve_
    assert set(vars(again)) == set(vars(model))


def test_a_search_holds_no_data():
    X, y = blobs(2, *SHAPES["wide"])
    for scoring in (None, "neg_log_loss"):
        search = VectorizedGridSearchCV(
            LogisticRegressionGD(max_iter=20), {"learning_rate": [1e-3, 1e-4]}, scoring=scoring, cv=2
        ).fit(X, y)
        assert len(pickle.dumps(search)) < 3 * search.best_estimator_.coef_.nbytes + 20_000 < X.nbytes


OWN = {
    LogisticRegressionGD: "sknn_basic._classifiers.LogisticRegressionGD",
    ShallowNNClassifier: "sknn_basic._classifiers.ShallowNNClassifier",
    FlattenScaler: "sknn_basic._preprocessing.FlattenScaler",
}


@pytest.mark.parametrize("classifier", BOTH, ids=["logistic", "shallow"])
@pytest.mark.parametrize("labels", [[0, 1], ["a", "b", "c"]])
@pytest.mark.parametrize("kind", ["alone", "images", "scaled", "searched"])
def test_skops_asks_to_trust_only_types_of_this_package(classifier, labels, kind):
    """Naming these as trusted, the model is read again and predicts the same."""
    io = pytest.importorskip("skops.io", reason="the extra share is not installed")
    if kind == "images":
        data = load_photo_patches()
        X, y = data.train_set_x[:30, :8, :8], np.array(labels)[np.arange(30) % len(labels)]
    else:
        X, codes = blobs(len(labels))
        y = np.array(labels)[codes]
    classifier = clone(classifier).set_params(max_iter=20, class_weight="balanced", learning_rate=0.01)
    before = {"alone": [], "searched": [], "images": [FlattenScaler()], "scaled": [StandardScaler()]}[kind]
    model = make_pipeline(*before, classifier) if before else classifier
    if kind == "searched":
        model = VectorizedGridSearchCV(model, {"learning_rate": [0.01, 0.02]}, cv=2).fit(X, y).best_estimator_
    model.fit(X, y)
    content = io.dumps(model)
    trusted = [OWN[type(step)] for step in [*before, classifier] if type(step) in OWN]
    assert sorted(io.get_untrusted_types(data=content)) == sorted(trusted)
    again = io.loads(content, trusted=trusted)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert last_step(again).loss_curve_ == last_step(model).loss_curve_
    assert last_step(again).get_params() == last_step(model).get_params()
