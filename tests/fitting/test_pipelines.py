"""The parts of a pipeline, and of an estimator that is none, by scikit-learn's own access to them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from models import blobs
from sknn_basic._fitting.pipelines import (
    feature_names,
    fit_transformers,
    last_step,
    prefix_of,
    transformed,
    transformers_of,
    with_last_step,
)
from subclasses import PlainPipeline, foreign_pipelines

CLASSIFIER = LogisticRegression()
PIPELINES = [
    make_pipeline(StandardScaler(), "passthrough", CLASSIFIER),
    make_pipeline(CLASSIFIER),
    Pipeline([("scale", None), ("last", CLASSIFIER)]),
]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_parts_of_a_pipeline(pipeline):
    assert last_step(pipeline) is CLASSIFIER
    assert all(a is b for a, b in zip([*transformers_of(pipeline), CLASSIFIER], pipeline, strict=True))
    name = f"{prefix_of(pipeline)}C"
    assert name not in CLASSIFIER.get_params()
    assert pipeline.get_params()[name] == CLASSIFIER.C


def test_an_estimator_alone_is_its_last_step():
    other = StandardScaler()
    assert last_step(CLASSIFIER) is CLASSIFIER
    assert with_last_step(CLASSIFIER, other) is other
    assert (transformers_of(CLASSIFIER), prefix_of(CLASSIFIER)) == ([], "")


def test_another_last_step_behind_the_same_transformers():
    """They are shared, already fitted, and the pipeline itself is left alone."""
    X, y = blobs()
    pipeline = make_pipeline(StandardScaler(), CLASSIFIER).fit(X, y)
    fitted = LogisticRegression(C=0.1).fit(StandardScaler().fit_transform(X), y)
    other = with_last_step(pipeline, fitted)
    assert (pipeline[-1], other[-1], other[0]) == (CLASSIFIER, fitted, pipeline[0])
    np.testing.assert_array_equal(
        other.predict(X), make_pipeline(StandardScaler(), fitted).fit(X, y).predict(X)
    )


class Keeping(LogisticRegression):
    """Keeps what it is fitted on, and what it predicts."""

    def fit(self, X, y):
        self.fitted_on_ = X, y
        return super().fit(X, y)

    def decision_function(self, X):
        self.predicted_ = X
        return super().decision_function(X)

    def get_feature_names_out(self, names=None):
        return names


ALL = [
    Keeping(),
    make_pipeline(Keeping()),
    make_pipeline("passthrough", Keeping()),
    make_pipeline(StandardScaler(), PCA(2), Keeping()),
    PlainPipeline([("scale", StandardScaler()), ("last", Keeping())]),
    *foreign_pipelines(Keeping()),
]


@pytest.mark.parametrize("container", [np.asarray, lambda X: pd.DataFrame(X, columns=[*"abcde"])])
@pytest.mark.parametrize("estimator", ALL)
def test_what_reaches_the_last_step(estimator, container):
    """In `fit`, labels too, and in a prediction, as of an ordinary fit; and the names of features."""
    X, y = blobs()
    X = container(X)
    expected = clone(estimator).fit(X, y)
    expected.decision_function(X[:3])
    fitted, X_fit, y_fit = fit_transformers(clone(estimator), X, y)
    for found, value in zip((X_fit, y_fit), last_step(expected).fitted_on_, strict=True):
        np.testing.assert_array_equal(found, value)
    np.testing.assert_array_equal(transformed(fitted, X[:3]), last_step(expected).predicted_)
    assert type(fitted) is type(estimator)
    assert isinstance(last_step(fitted), Keeping)
    assert not hasattr(last_step(fitted), "coef_")
    names = expected.get_feature_names_out()
    names = [*"abcde"] if names is None else names  # by the order of columns
    np.testing.assert_array_equal(feature_names(fitted, [*"abcde"]), names)


def test_a_step_without_names():
    pipeline = make_pipeline(FunctionTransformer(), StandardScaler(), CLASSIFIER)
    assert feature_names(fit_transformers(pipeline, *blobs())[0], [*"abcde"]) is None
