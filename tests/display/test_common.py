"""What holds for every display: which estimators it takes, and where it finds the classifier."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models import blobs, images
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    LossCurveDisplay,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    WeightsDisplay,
)
from sknn_basic._display.common import distinguishing_names, grid_for_images

pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


@pytest.mark.parametrize("kind", [GridSearchCV, VectorizedGridSearchCV])
def test_displays_look_into_searches_and_pipelines(kind):
    X, y = images()
    pipeline = make_pipeline(FlattenScaler(), StandardScaler(), LogisticRegressionGD(max_iter=50))
    search = kind(pipeline, {"logisticregressiongd__learning_rate": [0.01, 0.1]}, cv=2).fit(X, y)
    best = search.best_estimator_
    curve = LossCurveDisplay.from_estimator(search)
    assert curve.loss[-1] == best[-1].loss_ == LossCurveDisplay.from_estimator(best).loss[-1]
    np.testing.assert_array_equal(WeightsDisplay.from_estimator(search).weights, best[-1].coef_)


@pytest.mark.parametrize("display", [LossCurveDisplay, WeightsDisplay])
def test_displays_refuse_other_estimators(display):
    X, y = blobs()
    with pytest.raises(TypeError, match=rf"{display.__name__} takes LogisticRegressionGD.*got SVC"):
        display.from_estimator(SVC().fit(X, y))
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=3), {"max_iter": [3]}, refit=False)
    for estimator in (LogisticRegressionGD(), search):
        with pytest.raises(NotFittedError):
            display.from_estimator(estimator)
    with pytest.raises(
        NotFittedError, match=rf"{display.__name__} draws .*GridSearchCV has none.*refit=True"
    ):
        display.from_estimator(search.fit(X, y))


L, N = LogisticRegressionGD, ShallowNNClassifier


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ([L(0.1), N()], ["LogisticRegressionGD", "ShallowNNClassifier"]),
        ([L(np.float64(1e-3)), L(0.5)], ["learning_rate=0.001", "learning_rate=0.5"]),
        (
            [L("auto"), L("auto", 5), L(0.5, 5)],
            [f"learning_rate={rate}, max_iter={n}" for rate, n in (("auto", 2000), ("auto", 5), (0.5, 5))],
        ),
        (
            [L(0.1), N(4), N(64)],
            ["LogisticRegressionGD"] + [f"ShallowNNClassifier, hidden_layer_size={n}" for n in (4, 64)],
        ),
        ([L(), L()], ["LogisticRegressionGD (1)", "LogisticRegressionGD (2)"]),
        ([L()], ["LogisticRegressionGD"]),
    ],
)
def test_names_tell_models_apart(models, names):
    """By class, by the parameters in which models of one class differ, or else by number."""
    assert distinguishing_names(models) == names


@pytest.mark.parametrize(
    ("n_images", "grid"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (7, (2, 4)), (10, (2, 5)), (64, (8, 8))]
)
def test_images_fill_their_grid(n_images, grid):
    assert grid_for_images(n_images) == grid


def test_grids_are_no_strips():
    """A row is at least as long as there are rows, at most thrice, and no row is empty."""
    for n in range(1, 300):
        n_rows, n_columns = grid_for_images(n)
        assert n_rows <= n_columns <= max(3 * n_rows, 3)
        assert (n_rows - 1) * n_columns < n <= n_rows * n_columns
