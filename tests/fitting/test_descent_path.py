"""descent_path: the models of one descent are those of fits of each length."""

from copy import deepcopy
from itertools import pairwise
from unittest.mock import Mock

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from engines import ENGINES, engine_of
from models import assert_same_model, blobs, both, images, weights_of
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    descent_path,
    vector_to_weights,
    weights_to_vector,
)
from sknn_basic._fitting.descent_path import geometric_steps, models_reached
from sknn_basic._fitting.pipelines import last_step, prefix_of
from subclasses import foreign_pipelines
from watchers import Everywhere, assert_identical

STEPS = [1, 7, 8, 50, 100, 101, 199]


@pytest.fixture(params=ENGINES, autouse=True)
def engine(request):
    with engine_of(request.param):
        yield request.param


@both
@pytest.mark.parametrize(("n_classes", "record_every"), [(2, 1), (3, 10), (2, "auto")])
def test_models_are_those_of_fits_of_each_length(model, n_classes, record_every):
    X, y = blobs(n_classes)
    weights = np.linspace(1, 2, len(y))
    model = clone(model).set_params(record_every=record_every, l2_regularization=0.01, max_iter=3)
    for found, step in zip(descent_path(model, X, y, STEPS, sample_weight=weights), STEPS, strict=True):
        expected = clone(model).set_params(max_iter=step).fit(X, y, weights)
        assert vars(found).keys() == vars(expected).keys()
        assert_identical(found, expected)
        assert found.n_iter_ == found.max_iter == step
        np.testing.assert_array_equal(found.loss_curve_steps_, expected.loss_curve_steps_)
    assert not hasattr(model, "classes_")
    assert model.max_iter == 3


@both
@pytest.mark.parametrize("kind", ["float32", "float64", "sparse", "wide", "tall"])
def test_models_of_every_kind_of_samples(model, kind):
    """Wide samples by their Gram matrix, where rounding may differ: a fit of two steps has none."""
    X, y = blobs(m=30, n=400) if kind == "wide" else blobs(m=3000 if kind == "tall" else 40)
    X = sparse.csr_array(X) if kind == "sparse" else X.astype("float32" if kind == "float32" else "float64")
    steps = [0, 2, 60, 200]
    start, *models = descent_path(model, X, y, steps)
    for found, step in zip(models, steps[1:], strict=True):
        expected = clone(model).set_params(max_iter=step).fit(X, y)
        assert_same_model(found, expected, 1e-6 if X.dtype == np.float32 else 1e-10)
        assert all(w.dtype == X.dtype for w in weights_of(found))
    assert (start.n_iter_, start.loss_curve_) == (0, [])
    assert start.loss_ == pytest.approx(models[0].loss_curve_[0])
    if model.__class__ is LogisticRegressionGD:
        assert not start.coef_.any()
        assert start.loss_ == pytest.approx(np.log(2))


@both
@pytest.mark.parametrize("is_own", [False, True])
def test_a_warm_start_begins_at_the_weights(model, is_own):
    """Of the previous fit or of one's own, as `fit` does; the estimator stays. Pipelines start afresh."""
    X, y = blobs()
    model = clone(model).set_params(max_iter=20, warm_start=True).fit(X, y, X_val=X, y_val=y)
    if is_own:
        model = vector_to_weights(weights_to_vector(model) + 0.1, model)
    before = deepcopy(model)
    models = descent_path(model, X, y, [0, 3, 40])
    for found, step in zip(models[1:], [3, 40], strict=True):
        expected = deepcopy(model).set_params(max_iter=step).fit(X, y)
        assert vars(found).keys() == vars(expected).keys()
        assert_identical(found, expected)
    np.testing.assert_array_equal(weights_to_vector(models[0]), weights_to_vector(model))
    assert vars(before).keys() == vars(model).keys()
    np.testing.assert_array_equal(weights_to_vector(before), weights_to_vector(model))
    (found,) = descent_path(make_pipeline(model), X, y, [3])
    assert_identical(found[-1], clone(model).set_params(max_iter=3, warm_start=False).fit(X, y))
    with pytest.raises(ValueError, match="warm_start=True continues from weights that were fitted on 5 feat"):
        descent_path(model, X[:, 1:], y, [3])


def test_pipelines_share_their_fitted_transformers():
    X, y = images()
    pipeline = make_pipeline(FlattenScaler(), StandardScaler(), LogisticRegressionGD(0.01))
    models = descent_path(pipeline, X, y, [0, 20, 40])
    expected = clone(pipeline).set_params(logisticregressiongd__max_iter=40).fit(X, y)
    np.testing.assert_array_equal(models[-1].predict_proba(X), expected.predict_proba(X))
    assert models[0][0] is models[2][0]
    assert [model[-1].n_iter_ for model in models] == [0, 20, 40]
    assert not hasattr(pipeline[0], "image_shape_")
    X = X.reshape(len(X), -1)
    (model,) = descent_path(make_pipeline(LogisticRegressionGD(1e-6)), X, y, [5])
    np.testing.assert_array_equal(model[-1].coef_, LogisticRegressionGD(1e-6, 5).fit(X, y).coef_)


def test_a_descent_that_diverges():
    """The models after it are those that fits keep, and the warning is that of the longest."""
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, random_state=0, record_every=10)
    steps = [5, 10, 55, 200, 300]
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        models = descent_path(model, X * 1e150, y, steps)
    assert caught[0].filename == __file__
    for found, step in zip(models, steps, strict=True):
        with pytest.warns(ConvergenceWarning):
            expected = clone(model).set_params(max_iter=step).fit(X * 1e150, y)
        for ours, theirs in zip(weights_of(found), weights_of(expected), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert (found.n_iter_, found.loss_) == (expected.n_iter_, expected.loss_)
    assert models_reached(models, steps) == ([], [])
    with pytest.warns(ConvergenceWarning):
        models = descent_path(model, X * 1e150, y, [0, 5])
    assert models_reached(models, [0, 5]) == (models[:1], [0])


class Doubled(LogisticRegressionGD):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = 2 * self.coef_
        return self


class Few(LogisticRegressionGD):
    def __init__(self, learning_rate=0.1, max_iter=50):
        super().__init__(learning_rate, max_iter)


class Clipping(Pipeline):
    def fit(self, X, y=None, **params):
        return super().fit(np.clip(X, -0.5, 0.5), y, **params)


@pytest.mark.parametrize(
    "model",
    [
        Doubled(0.1),
        Few(),
        Clipping([("scale", StandardScaler()), ("classify", LogisticRegressionGD(0.1))]),
        make_pipeline(StandardScaler(), Doubled(0.1)),
    ],
    ids=["own fit", "fewer parameters", "own fit of the pipeline", "own fit in a pipeline"],
)
def test_subclasses_are_fitted_as_they_fit(model):
    """Once for each number of steps; only the longest fit warns."""
    model = clone(model)
    X, y = blobs()
    weights = np.linspace(1, 2, len(y))
    start, *models = descent_path(model, X, y, [0, 3, 9], sample_weight=weights)
    for found, step in zip(models, [3, 9], strict=True):
        expected = clone(model)
        last_step(expected).max_iter = step
        expected.fit(X, y, **{f"{prefix_of(model)}sample_weight": weights})
        np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
        assert last_step(found).n_iter_ == step
    np.testing.assert_array_equal(start.predict_proba(X), 0.5)
    last_step(model).learning_rate = 1e6
    with pytest.warns(ConvergenceWarning) as caught:
        descent_path(model, X, y, [1, 10, 40])
    assert len(caught) == 1


@pytest.mark.parametrize("index", range(3))
@both
def test_pipelines_of_other_packages(model, index):
    """Samplers, which change labels too and do not transform, and one that has no slices; from the start."""
    X, y = blobs(m=41)
    pipeline = foreign_pipelines(model)[index]
    start, *models = descent_path(pipeline, X, y, [0, 3, 9])
    for found, step in zip(models, [3, 9], strict=True):
        expected = clone(pipeline)
        last_step(expected).max_iter = step
        np.testing.assert_array_equal(found.predict_proba(X), expected.fit(X, y).predict_proba(X))
    assert (type(start), last_step(start).n_iter_) == (type(pipeline), 0)
    assert last_step(start).loss_ == pytest.approx(last_step(models[0]).loss_curve_[0])


@pytest.mark.skipif(not hasattr(Pipeline, "set_callbacks"), reason="callbacks came with scikit-learn 1.9")
@pytest.mark.parametrize("index", range(3))
def test_callbacks_of_pipelines_are_not_used(index):
    X, y = blobs()
    recorder = Everywhere()
    pipeline = foreign_pipelines(LogisticRegressionGD(0.1))[index].set_callbacks(recorder)
    descent_path(pipeline, X, y, [0, 3])
    assert not recorder.calls


@pytest.mark.parametrize("steps", [[], [3, 3], [5, 2], [-1, 4], [0.5, 1.0], 5, [1, np.inf], [np.nan], ["1"]])
def test_steps_that_are_none(steps):
    X, y = blobs()
    with pytest.raises(ValueError, match="steps should be a list of whole numbers in increasing order"):
        descent_path(LogisticRegressionGD(), X, y, steps)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Pass either steps"),
        ({"steps": [1], "every": 1}, "Pass either steps"),
        *(({"every": every}, "every should be an integer of at least 1") for every in (0, True, 2.0)),
    ],
)
def test_steps_or_every(given, message):
    X, y = blobs()
    with pytest.raises(ValueError, match=message):
        descent_path(LogisticRegressionGD(), X, y, **given)


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"steps": np.logspace(0, 2, 3).round()}, [1, 10, 100]),
        ({"steps": [0.0, 10.0]}, [0, 10]),
        ({"every": 10}, [0, 10, 20]),
        ({"every": np.int8(25)}, [0, 25]),
        ({"every": 26}, [0]),
    ],
)
def test_whole_floats_and_every_are_the_same_steps(given, steps):
    X, y = blobs()
    models = descent_path(make_pipeline(StandardScaler(), LogisticRegressionGD(max_iter=25)), X, y, **given)
    assert [model[-1].n_iter_ for model in models] == steps


@pytest.mark.parametrize("end", [1, 2, 40, 10**6])
def test_geometric_steps(end):
    """From 0 to the end, no ratio far above the others; every step where these are close together."""
    steps = geometric_steps(end, 50)
    assert (steps[0], steps[1], steps[-1]) == (0, 1, end)
    assert len(steps) <= 50
    ratio = end ** (1 / 48)
    assert all(b <= a * ratio + 1 for a, b in pairwise(steps[1:]))
    assert all(isinstance(step, int) for step in steps)


def test_other_estimators_and_bad_parameters():
    X, y = blobs()
    with pytest.raises(TypeError, match="descent_path takes LogisticRegressionGD"):
        descent_path(StandardScaler(), X, y, [1])
    with pytest.raises(ValueError, match="learning_rate"):
        descent_path(LogisticRegressionGD(-1.0), X, y, [1])


@pytest.mark.interrupts
def test_interruption(monkeypatch):
    X, y = blobs()
    interrupt = Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr("sknn_basic._fitting.descent_path._add_model", interrupt)
    with pytest.raises(KeyboardInterrupt):
        descent_path(LogisticRegressionGD(), X, y, [5, 10])
