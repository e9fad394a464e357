"""What the panels of hidden units show: activations, the signs and sizes of their weights, the boundary."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from longhand import G
from models import blobs
from sknn_basic import HiddenUnitsDisplay, LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.feature_plane import PALETTE, Plane

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
to_rgb = plt.matplotlib.colors.to_rgb

COLOURS = [to_rgb(colour) for colour in PALETTE]


def network(n_units=5, activation="tanh", **options):
    return ShallowNNClassifier(n_units, activation, max_iter=200, random_state=0, **options)


def hue(image, value):
    """The colour that an image gives a value."""
    return np.array(image.cmap(image.norm(value))[:3])


@pytest.mark.parametrize("activation", G)
def test_a_panel_shows_the_activation(activation):
    """g(X W1 + b1) at every point, 0 in white, with a line where the input is 0."""
    X, y = blobs(n=2)
    model = network(activation=activation).fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(model, X, y)
    plane = Plane(X)
    first, second = np.meshgrid(plane.first, plane.second)
    assert len(display.images_) == len(display.axes_) == 5
    for j, image in enumerate(display.images_):
        w, b = model.coefs_[0][:, j], model.intercepts_[0][j]
        expected = G[activation](w[0] * first + w[1] * second + b)
        np.testing.assert_allclose(image.get_array(), expected, atol=1e-12)
        assert image.get_extent() == [plane.first[0], plane.first[-1], plane.second[0], plane.second[-1]]
        assert image.get_clim() == pytest.approx((-np.abs(expected).max(), np.abs(expected).max()))
        np.testing.assert_allclose(hue(image, 0), 1, atol=0.01)
        for path in display.zero_lines_[j].get_paths() if display.zero_lines_[j] else ():
            np.testing.assert_allclose(path.vertices @ w + b, 0, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_colours_tell_which_class_becomes_more_probable(n_classes):
    """To that in the colour of large values: the largest output weight, less its mean over classes.

    Of two classes, the second gains the weight. Small values have the colour of the class that loses most.
    """
    X, y = blobs(n_classes, n=2)
    names = np.array(["ant", "bee", "a very long name of a class"])[:n_classes]
    model = network().fit(X, names[y])
    display = HiddenUnitsDisplay.from_estimator(model, X, names[y])
    W2 = model.coefs_[1]
    W2 = np.hstack([-W2, W2]) if n_classes == 2 else W2 - W2.mean(axis=1)[:, np.newaxis]
    for j, (image, axes) in enumerate(zip(display.images_, display.axes_, strict=True)):
        limit, gains, loses = image.get_clim()[1], W2[j].argmax(), W2[j].argmin()
        np.testing.assert_allclose(hue(image, limit), 0.5 + np.array(COLOURS[gains]) / 2, atol=0.01)
        np.testing.assert_allclose(hue(image, -limit), 0.5 + np.array(COLOURS[loses]) / 2, atol=0.01)
        assert to_rgb(axes.spines["left"].get_edgecolor()) == COLOURS[gains]
        name = str(model.classes_[gains]).replace("a very long name of a class", "a very lo...")
        expected = f"{W2[j, 1]:+.2g}" if n_classes == 2 else f"{W2[j].max():+.2g}\n{name}"
        assert axes.get_title() == f"unit {j}: {expected}".replace("-", "−")
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == sorted(names)


def test_the_widest_frame_is_that_of_the_unit_with_the_largest_contribution():
    """|w A|, which for a ReLU is the same however the scale is shared between both layers."""
    X, y = blobs(n=2)
    model = network(6, "relu").fit(X, y)
    model.coefs_[1][2] = 0
    display = HiddenUnitsDisplay.from_estimator(model, X)
    widths = [axes.spines["top"].get_linewidth() for axes in display.axes_]
    largest = [
        np.abs(w * image.get_array()).max() for w, image in zip(model.coefs_[1], display.images_, strict=True)
    ]
    np.testing.assert_array_equal(np.argsort(widths), np.argsort(largest))
    assert (min(widths), max(widths)) == (widths[2], 6)
    model.coefs_[0][:, 1] *= 100
    model.intercepts_[0][1] *= 100
    model.coefs_[1][1] /= 100
    again = HiddenUnitsDisplay.from_estimator(model, X)
    np.testing.assert_allclose([axes.spines["top"].get_linewidth() for axes in again.axes_], widths)


SCALED = make_pipeline(StandardScaler(), network())
SEARCH = GridSearchCV(SCALED, {"shallownnclassifier__hidden_layer_size": [3, 5]}, cv=2)
SQUARED = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), network())


@pytest.mark.parametrize(
    ("model", "dtype"),
    [(network(), float), (SCALED, float), (SCALED, "f"), (SEARCH, float), (SQUARED, float)],
)
def test_the_last_panel_is_the_whole_model(model, dtype):
    """Its boundary and the samples, named by the columns of a table, before the transformers."""
    X, y = blobs(n=2, m=60)
    X = pd.DataFrame(X * 3 + 10, columns=["length", "width"]).astype(dtype)
    model.fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(model, X, y)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("length", "width")
    np.testing.assert_array_equal(display.points_.get_offsets(), X)
    for line in display.boundary_:
        for path in line.get_paths():
            vertices = pd.DataFrame(path.vertices, columns=X.columns).astype(X.dtypes)
            np.testing.assert_allclose(model.predict_proba(vertices)[:, 1], 0.5, atol=0.05)
    assert display.boundary_
    assert len(display.axes_) == len(display.weights)
    assert display.activations.dtype == X["width"].dtype


def test_a_grid_for_many_units_and_a_panel_for_one():
    X, y = blobs(n=2)
    display = HiddenUnitsDisplay.from_estimator(network(16).fit(X, y), X, y)
    display.figure_.canvas.draw()
    boxes = np.array([axes.get_position().bounds for axes in display.axes_]).round(3)
    assert len(np.unique(boxes[:, 0])) == len(np.unique(boxes[:, 1])) == 4
    assert boxes[:, 0].max() < display.ax_.get_position().x0
    assert HiddenUnitsDisplay.from_estimator(network(1).fit(X, y), X, y).axes_.shape == (1,)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_titles_of_many_units_are_short(n_classes):
    X, y = blobs(n_classes, n=2)
    display = HiddenUnitsDisplay.from_estimator(network(17).fit(X, y), X, y)
    W2 = display.weights if n_classes == 2 else display.weights - display.weights.mean(axis=1)[:, np.newaxis]
    titles = [f"{j}: {w.max():+.2g}".replace("-", "−") for j, w in enumerate(W2)]
    assert [axes.get_title() for axes in display.axes_] == titles


def test_units_that_do_nothing_are_white():
    X, y = blobs(n=2)
    model = network(3, "relu").fit(X, y)
    model.coefs_[0][:] = 0
    model.intercepts_[0][:] = -1
    display = HiddenUnitsDisplay.from_estimator(model, X, y)
    assert display.zero_lines_ == [None] * 3
    for image in display.images_:
        assert not image.get_array().any()
        assert image.get_clim() == (-1, 1)


def test_plot_draws_again_in_the_place_of_given_axes():
    X, y = blobs(n=2)
    display = HiddenUnitsDisplay.from_estimator(network(2).fit(X, y), X)
    figure, (left, _) = plt.subplots(1, 2)
    assert display.plot(left) is display
    assert display.figure_ is figure
    assert len(figure.axes) == 5


def test_what_it_cannot_draw():
    X, y = blobs(n=2)
    with pytest.raises(TypeError, match="draws hidden units, but LogisticRegressionGD has none"):
        HiddenUnitsDisplay.from_estimator(LogisticRegressionGD(max_iter=2).fit(X, y), X, y)
    model = network().fit(X, y)
    with pytest.raises(ValueError, match=r"labels that the model does not know: \[7\]"):
        HiddenUnitsDisplay.from_estimator(model, X, [7] * len(y))
    X, y = blobs(n=3)
    with pytest.raises(ValueError, match="the plane of two features, but X has 3"):
        HiddenUnitsDisplay.from_estimator(network().fit(X, y), X, y)
