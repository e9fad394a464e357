"""Weights of fitted models as vectors, and the sharpness: by central differences of `propagate`."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import blobs, both, weights_of
from sknn_basic import (
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    descent_path,
    propagate,
    sharpness,
    vector_to_weights,
    weights_to_vector,
)

WEIGHTED = {"l2_regularization": 0.05, "class_weight": {0: 1, 1: 3}}
KINDS = {
    "logistic": LogisticRegressionGD(max_iter=20),
    "without": LogisticRegressionGD(max_iter=20, fit_intercept=False),
    "tanh": ShallowNNClassifier(3, max_iter=20, random_state=0),
    "leaky_relu": ShallowNNClassifier(3, "leaky_relu", max_iter=20, random_state=0),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def gradient_at(vector, model, X, y, weights):
    """All gradients of `propagate` at a vector of weights, in its order."""
    _, *gradients = propagate(X, y, vector_to_weights(vector, model), sample_weight=weights)
    return np.concatenate([np.ravel(gradient) for gradient in gradients])[: len(vector)]


def hessian_of(model, X, y, weights=None):
    """Row by row: central differences of the gradient along each weight and bias."""
    vector = weights_to_vector(model).astype(float)
    steps = 1e-5 * np.eye(len(vector))
    rows = [
        (gradient_at(vector + step, model, X, y, weights) - gradient_at(vector - step, model, X, y, weights))
        / 2e-5
        for step in steps
    ]
    return (np.array(rows) + np.transpose(rows)) / 2


@kinds
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("options", [{}, WEIGHTED])
def test_sharpness_is_the_largest_eigenvalue_at_the_fitted_weights(kind, k, options):
    """Also where X is centred: there the bias alone is an eigenvector."""
    X, y = blobs(k)
    X = X - X.mean(axis=0)
    weights = np.linspace(1, 2, len(y)) if options else None
    model = clone(KINDS[kind]).set_params(**options).fit(X, y, sample_weight=weights)
    largest = np.linalg.eigvalsh(hessian_of(model, X, y, weights))[-1]
    assert sharpness(model, X, y, weights) == pytest.approx(largest, rel=1e-4)
    assert sharpness(model, sparse.csr_array(X), y, weights) == pytest.approx(largest, rel=1e-4)
    assert sharpness(model, X.astype(np.float32), y, weights) == pytest.approx(largest, rel=1e-3)


@kinds
def test_sharpness_of_an_unfitted_estimator_is_that_of_its_start(kind):
    """A pipeline's transformers are fitted for it; the estimator stays as it is."""
    X, y = blobs()
    pipeline = make_pipeline(StandardScaler(), KINDS[kind])
    (start,) = descent_path(pipeline, X, y, [0])
    scaled = start[0].transform(X)
    largest = np.linalg.eigvalsh(hessian_of(start[-1], scaled, y))[-1]
    assert sharpness(pipeline, X, y) == pytest.approx(largest, rel=1e-4)
    assert sharpness(start, X, y) == pytest.approx(largest, rel=1e-4)
    assert not hasattr(pipeline[0], "mean_")
    if kind == "logistic":  # where the bound of the rate "auto" is attained
        assert 1 / start[-1].learning_rate_ == pytest.approx(largest, rel=1e-4)


@both
def test_propagate_takes_a_model(model):
    """Its cost is `loss_`, its gradients are those at its weights; of a pipeline and a search too."""
    X, y = blobs(3)
    weights = np.linspace(1, 2, len(y))
    model = clone(model).set_params(max_iter=9, **WEIGHTED).fit(X, y, sample_weight=weights)
    found = propagate(X, y, model, sample_weight=weights)
    assert pytest.approx(model.loss_, rel=1e-13) == found.J
    layers = [array for W_b in model._get_layers() for array in (W_b[0], W_b[1].ravel())]
    own = weights * np.array([1, 3, 1])[y]
    options = {} if len(layers) == 2 else {"activation": model.activation}
    expected = propagate(X, y, *layers, sample_weight=own, l2_regularization=0.05, **options)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-16)
        assert np.shape(a) == np.shape(b)
    plain = propagate(X, y, *layers, sample_weight=own, **options)
    assert pytest.approx(plain.J) == propagate(X, y, model, sample_weight=weights, l2_regularization=0).J
    one = propagate(X[:1], y[:1], model)
    assert one._fields == found._fields

    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    assert pytest.approx(pipeline[-1].loss_, rel=1e-13) == propagate(X, y, pipeline).J
    name = pipeline.steps[-1][0]
    search = VectorizedGridSearchCV(pipeline, {f"{name}__max_iter": [3, 4]}, cv=2).fit(X, y)
    assert pytest.approx(search.best_estimator_[-1].loss_, rel=1e-13) == propagate(X, y, search).J


def test_labels_are_those_of_the_model():
    X, y = blobs()
    names = np.array(["no", "yes"])[y]
    model = LogisticRegressionGD(max_iter=5).fit(X, names)
    assert pytest.approx(model.loss_, rel=1e-13) == propagate(X, names.reshape(-1, 1), model).J
    with pytest.raises(ValueError, match=r"labels that are not in classes_ of the model: \['maybe'\]"):
        sharpness(model, X, np.full(len(y), "maybe"))


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_and_back(kind, dtype):
    """In the order W1, b1, W2, b2, to the last bit; the copy shares nothing with the model."""
    X, y = blobs(3)
    X = X.astype(dtype)
    model = clone(KINDS[kind]).fit(X, y)
    vector = weights_to_vector(model)
    parts = [model.coef_.T, model.intercept_] if hasattr(model, "coef_") else [None] * 4
    if not hasattr(model, "coef_"):
        parts[::2], parts[1::2] = model.coefs_, model.intercepts_
    parts = parts[:1] if kind == "without" else parts
    np.testing.assert_array_equal(vector, np.concatenate([part.ravel() for part in parts]))
    assert vector.dtype == dtype
    back = vector_to_weights(vector.tolist(), model)
    for a, b in zip(weights_of(back), weights_of(model), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == dtype
        assert not np.shares_memory(a, b)
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    zero = vector_to_weights(np.zeros(len(vector)), make_pipeline(StandardScaler(), model).fit(X, y))
    np.testing.assert_allclose(zero.predict_proba(X), 1 / 3, rtol=1e-6)
    for name in ("loss_", "loss_curve_", "loss_curve_steps_", "n_iter_"):
        assert hasattr(model, name)
        assert not hasattr(back, name)


@kinds
def test_a_warm_start_begins_at_a_vector(kind):
    X, y = blobs()
    model = clone(KINDS[kind]).fit(X, y)
    vector = 0.1 * np.random.RandomState(0).standard_normal(len(weights_to_vector(model)))
    own = vector_to_weights(vector, model)
    gradient = gradient_at(vector, model, X, y, None)
    own.set_params(warm_start=True, max_iter=1, learning_rate=0.2).fit(X, y)
    np.testing.assert_allclose(weights_to_vector(own), vector - 0.2 * gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("function", [sharpness, weights_to_vector, vector_to_weights, propagate])
def test_what_they_cannot_use_is_refused(function):
    X, y = blobs()
    model = LogisticRegressionGD(max_iter=2)
    before, after = {
        sharpness: ((), (X, y)),
        weights_to_vector: ((), ()),
        vector_to_weights: (([0.0] * 6,), ()),
        propagate: ((X, y), ()),
    }[function]
    with pytest.raises(TypeError, match=f"{function.__name__} takes LogisticRegressionGD"):
        function(*before, StandardScaler(), *after)
    with pytest.raises(NotFittedError):
        function(*before, GridSearchCV(model, {}), *after)
    if function is not sharpness:
        with pytest.raises(NotFittedError):
            function(*before, model, *after)


@pytest.mark.parametrize(
    ("vector", "message"),
    [(np.zeros(5), r"shape \(5,\), expected \(6,\)"), ([np.nan] * 6, "must hold finite numbers")],
)
def test_vectors_that_are_none(vector, message):
    model = LogisticRegressionGD(max_iter=2).fit(*blobs())
    with pytest.raises(ValueError, match=message):
        vector_to_weights(vector, model)


def test_a_model_brings_its_own_biases_and_activation():
    X, y = blobs()
    model = LogisticRegressionGD(max_iter=2).fit(X, y)
    for options in ({"b1": 0.0}, {"activation": "tanh"}):
        with pytest.raises(ValueError, match=r"pass propagate\(X, y, model\)"):
            propagate(X, y, model, **options)
    with pytest.raises(ValueError, match="b1 is missing"):
        propagate(X, y, model.coef_.T)
