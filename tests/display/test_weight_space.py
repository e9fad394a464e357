"""Weights as vectors: their costs are the notes' formula, and planes among them are planes."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD

from longhand import G
from models import blobs, both
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, propagate
from sknn_basic._display.weight_space import WeightSpace, axis_plane, principal_plane


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


def test_the_principal_plane_is_that_of_the_singular_vectors():
    """About the centre; the names have the shares of the sum of squares that lie along each axis."""
    rng = np.random.RandomState(0)
    centre = rng.standard_normal(6)
    vectors = centre + rng.standard_normal((30, 6)) * [9, 5, 1, 1, 0.5, 0.1]
    plane = principal_plane(vectors, centre)
    svd = TruncatedSVD(2, algorithm="arpack").fit(vectors - centre)
    for found, expected in zip(plane.directions, svd.components_, strict=True):
        assert abs(found @ expected) == pytest.approx(1)
    total = np.sum((vectors - centre) ** 2)
    for i, name in enumerate(plane.names):
        share = np.sum(((vectors - centre) @ svd.components_[i]) ** 2) / total
        assert name == f"direction {i + 1}: {share:.1%} of the variance"
    np.testing.assert_allclose(plane.project(centre), [0, 0], atol=1e-12)


def test_points_of_a_plane_are_projected_to_their_coordinates():
    rng = np.random.RandomState(0)
    a = rng.standard_normal(5)
    axes = axis_plane(np.array([1.0, 2.0, 3.0, 4.0]), (2, 0), ("a", "b"))
    for plane in (principal_plane(rng.standard_normal((9, 4)), rng.standard_normal(4)), axes):
        expected = np.column_stack([a, np.full(5, 1.5)])
        np.testing.assert_allclose(plane.project(plane.points(a, 1.5)), expected, atol=1e-12)
    # coordinates of an axis plane are the numbers themselves
    np.testing.assert_array_equal(axes.points([7, 8], 9), [[9, 2, 7, 4], [9, 2, 8, 4]])


def test_paths_that_do_not_move_have_a_plane():
    plane = principal_plane(np.ones((3, 4)), np.ones(4))
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    assert plane.names[0] == "direction 1: 0.0% of the variance"
