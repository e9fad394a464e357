"""Which estimators displays take, and where they find the classifier."""

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
    VectorizedGridSearchCV,
    WeightsDisplay,
)

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
        NotFittedError, match=rf"{display.__name__} takes .*GridSearchCV has none.*refit=True"
    ):
        display.from_estimator(search.fit(X, y))
