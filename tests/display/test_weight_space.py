"""Weights as vectors: their costs are the notes' formula."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from longhand import G
from models import blobs, both
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, propagate
from sknn_basic._display.weight_space import WeightSpace


def notes_cost(A, y, weights, l2):
    """J = -1/m sum y log a + (1 - y) log(1 - a), with l2/2 ||W||^2."""
    return -np.mean(y * np.log(A) + (1 - y) * np.log(1 - A)) + l2 / 2 * sum(np.sum(W**2) for W in weights)


@pytest.mark.parametrize("activation", [None, *G])
def test_costs_are_those_of_the_notes_forward_propagation(activation):
    """Of a network the vector is W1, b1, W2, b2; of logistic regression w, b."""
    (X, y), l2 = blobs(n=3), 0.3
    if activation is None:
        space = WeightSpace(LogisticRegressionGD(l2_regularization=l2), X, y)
    else:
        space = WeightSpace(ShallowNNClassifier(2, activation, l2_regularization=l2), X, y)
    vectors = np.random.RandomState(0).standard_normal((5, 4 if activation is None else 11))
    assert space.n_parameters == vectors.shape[1]
    for J, v in zip(space.losses(vectors), vectors, strict=True):
        hidden, W2, b2, W1 = X, v[:-1], v[-1], v[:0]
        if activation is not None:
            W1, b1, W2 = v[:6].reshape(3, 2), v[6:8], v[8:10]
            hidden = G[activation](X @ W1 + b1)
        A = 1 / (1 + np.exp(-(hidden @ W2 + b2)))
        assert pytest.approx(notes_cost(A, y, [W1, W2], l2), rel=1e-12) == J


@pytest.mark.parametrize("kind", ["softmax", "no intercept", "sparse", "balanced", "float32"])
def test_costs_of_other_models_are_those_of_propagate(kind):
    X, y = blobs(3 if kind == "softmax" else 2, m=30)
    y[:4] = 0
    weights = 1 / np.bincount(y)[y] if kind == "balanced" else None
    model = LogisticRegressionGD(
        fit_intercept=kind != "no intercept", class_weight="balanced" if kind == "balanced" else None
    )
    X = sparse.csr_array(X) if kind == "sparse" else X.astype("f") if kind == "float32" else X
    k = 3 if kind == "softmax" else 1
    space = WeightSpace(model, X, y)
    n_biases = 0 if kind == "no intercept" else k
    assert space.n_parameters == 5 * k + n_biases
    vectors = np.random.RandomState(1).standard_normal((4, space.n_parameters))
    for J, v in zip(space.losses(vectors), vectors, strict=True):
        b = v[5 * k :] if n_biases else np.zeros(k)
        expected = propagate(X, y, v[: 5 * k].reshape(5, k), b, sample_weight=weights).J
        assert pytest.approx(expected, rel=1e-5 if kind == "float32" else 1e-12) == J


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_vector_of_a_fitted_model_has_its_cost(model, n_classes):
    """2/L, or 2/sharpness, is twice the rate that "auto" takes."""
    X, y = blobs(n_classes)
    model = clone(model).fit(X, y)
    space = WeightSpace(model, X, y)
    vector = space.vector(model._get_layers())
    assert space.losses(vector[np.newaxis]) == pytest.approx([model.loss_], rel=1e-12)
    assert space.learning_rate(3) == 3.0
    rate = clone(model).set_params(learning_rate="auto", max_iter=1).fit(X, y).learning_rate_
    assert [space.learning_rate("auto"), space.stable_rate] == pytest.approx([rate, 2 * rate], rel=1e-12)
