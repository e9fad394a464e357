"""The plane of two features: its grid, its colours and its lines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from longhand import G
from models import blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.feature_plane import Plane, background, check_labels, class_colours
from subclasses import foreign_pipelines

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
RED_GREEN_BLUE = np.eye(3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_the_grid_covers_the_samples_with_a_margin(dtype):
    """In the order of rows: the first feature runs along the columns."""
    X = np.array([[0, 100], [10, 300], [5, 200]], dtype=dtype)
    plane = Plane(X)
    np.testing.assert_allclose(plane.first[[0, -1]], [-0.8, 10.8], rtol=1e-6)
    np.testing.assert_allclose(plane.second[[0, -1]], [84, 316], rtol=1e-6)
    points = plane.on_grid(plane.points)
    np.testing.assert_array_equal(points[7, :, 0], plane.first)
    np.testing.assert_array_equal(points[:, 7, 1], plane.second)
    assert plane.points.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert plane.names == ["feature 0", "feature 1"]


def test_a_feature_of_one_value_has_a_range_and_other_numbers_of_features_are_refused():
    plane = Plane(np.array([[0.0, 3.0], [1.0, 3.0]]))
    assert plane.second[0] < 3 < plane.second[-1]
    for n in (1, 3):
        with pytest.raises(ValueError, match=rf"the plane of two features, but X has {n}\."):
            Plane(np.zeros((4, n)))


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame])
def test_points_of_a_table_are_a_table(table):
    """With the names of its columns, as the model was fitted: otherwise scikit-learn warns."""
    X, y = blobs(n=2)
    X = table({"length ($cm)": X[:, 0], "width": X[:, 1]})
    model = make_pipeline(StandardScaler(), LogisticRegressionGD(max_iter=5)).fit(X, y)
    plane = Plane(X)
    assert isinstance(plane.points, table)
    assert plane.names == ["length ($cm)", "width"]
    expected = model.decision_function(plane.points)
    np.testing.assert_array_equal(plane.logits(model).ravel(), expected)


def test_labels_become_indices():
    """Of the sorted classes; those of no class are refused by name."""
    classes = np.array(["ant", "bee", "cat"])
    assert check_labels(np.zeros((3, 2)), ["cat", "ant", "cat"], classes).tolist() == [2, 0, 2]
    with pytest.raises(ValueError, match=r"y has labels .*\['dog'\].*'cat'"):
        check_labels(np.zeros((2, 2)), ["cat", "dog"], classes)
    with pytest.raises(ValueError, match="inconsistent"):
        check_labels(np.zeros((2, 2)), ["cat"], classes)


@pytest.mark.parametrize("n_classes", [2, 7, 8, 30])
def test_every_class_has_a_colour_of_its_own(n_classes):
    colours = class_colours(n_classes)
    assert colours.shape == (n_classes, 3)
    assert len(np.unique(colours, axis=0)) == n_classes


def test_the_background_is_white_where_nothing_is_known():
    """And half the colour of a class that is certain; between, in proportion to 2 p - 1 for two classes."""
    np.testing.assert_array_equal(background(np.zeros((4, 5)), RED_GREEN_BLUE[:2]), 1)
    np.testing.assert_array_equal(background(np.zeros((4, 5, 3)), RED_GREEN_BLUE), 1)
    certain = background(np.array([[-1000.0, 1000.0]]), RED_GREEN_BLUE[:2])
    np.testing.assert_allclose(certain, [[[1, 0.5, 0.5], [0.5, 1, 0.5]]])
    p = 0.8
    (pixel,) = background(np.array([[np.log(p / (1 - p))]]), RED_GREEN_BLUE[:2])[0]
    np.testing.assert_allclose(pixel, 1 - (2 * p - 1) * np.array([0.5, 0, 0.5]))
    certain = background(np.array([[[0.0, 0.0, 1000.0]]]), RED_GREEN_BLUE)
    np.testing.assert_allclose(certain, [[[0.5, 0.5, 1]]])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_on_the_boundary_the_two_most_probable_classes_are_equally_probable(n_classes):
    """And every change of the predicted class between neighbours of the grid is beside a line."""
    X, y = blobs(n_classes, m=60, n=2)
    model = ShallowNNClassifier(5, max_iter=500, random_state=0).fit(X, y)
    plane = Plane(X)
    _, ax = plt.subplots()
    lines = plane.draw_boundary(ax, plane.logits(model))
    vertices = np.concatenate([path.vertices for line in lines for path in line.get_paths()])
    probabilities = np.sort(model.predict_proba(vertices), axis=1)
    assert np.abs(probabilities[:, -1] - probabilities[:, -2]).max() < 0.05
    predicted = plane.on_grid(model.predict(plane.points))
    rows, columns = np.nonzero(predicted[:, 1:] != predicted[:, :-1])
    steps = np.array([np.diff(plane.first)[0], np.diff(plane.second)[0]])
    changes = np.column_stack([plane.first[columns] + steps[0] / 2, plane.second[rows]])
    distances = np.abs((changes[:, np.newaxis] - vertices) / steps).max(axis=2).min(axis=1)
    assert len(changes) > 20
    assert distances.max() < 1.5


def test_where_one_class_is_predicted_there_is_no_line():
    plane = Plane(blobs(n=2)[0])
    for Z in (np.zeros((200, 200)), np.ones((200, 200)), np.zeros((200, 200, 3))):
        assert plane.draw_boundary(plt.axes(), Z) == []


@pytest.mark.parametrize("activation", G)
def test_hidden_inputs_come_after_the_transformers(activation):
    """Z1 = X W1 + b1 of standardised points, from which the notes' forward pass gives the logits."""
    X, y = blobs(n=2)
    X = X * 3 + 7
    model = make_pipeline(StandardScaler(), ShallowNNClassifier(3, activation, random_state=0, max_iter=20))
    plane = Plane(X)
    Z1 = plane.hidden_inputs(model.fit(X, y))
    W1, W2 = model[-1].coefs_
    standardised = (plane.points - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(Z1.reshape(-1, 3), standardised @ W1 + model[-1].intercepts_[0], atol=1e-12)
    logits = G[activation](Z1) @ W2 + model[-1].intercepts_[1]
    np.testing.assert_allclose(plane.logits(model), logits[..., 0], atol=1e-12)


@pytest.mark.parametrize("index", range(3))
def test_hidden_inputs_in_pipelines_of_other_packages(index):
    """Behind the scaler, and behind samplers that do nothing in predictions."""
    X, y = blobs(n=2, m=41)
    network = ShallowNNClassifier(3, random_state=0, max_iter=20)
    model = foreign_pipelines(network)[index].fit(X * 3 + 7, y)
    plane = Plane(X)
    Z1 = plane.hidden_inputs(model)
    scaled = model.named_steps["scale"].transform(plane.points)
    expected = scaled @ network.coefs_[0] + network.intercepts_[0]
    np.testing.assert_allclose(Z1.reshape(-1, 3), expected, atol=1e-12)


def test_samples_have_the_colours_of_their_classes():
    """In the legend too, where names are drawn letter by letter; without labels they are white."""
    X, y = blobs(3, n=2)
    plane, colours, classes = Plane(X), class_colours(3), np.array(["$a", "_b", "c"])
    _, ax = plt.subplots()
    points = plane.draw_samples(ax, y, classes, colours)
    np.testing.assert_array_equal(points.get_offsets(), X)
    np.testing.assert_array_equal(points.get_facecolors()[:, :3], colours[y])
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [r"\$a", " _b", "c"]
    assert [plt.matplotlib.colors.to_rgb(line.get_color()) for line in legend.get_lines()] == [
        tuple(colour) for colour in colours
    ]
    white = plane.draw_samples(ax, None, classes, colours)
    np.testing.assert_array_equal(white.get_facecolors(), [[1, 1, 1, 1]])
