"""The parts of a pipeline, and of an estimator that is none, by scikit-learn's own access to them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models import blobs
from sknn_basic._fitting.pipelines import last_step, prefix_of, transformers_of, with_last_step

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
