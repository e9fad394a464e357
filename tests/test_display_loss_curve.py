"""The cost over the steps is drawn as the fit has recorded it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from models import blobs, both
from sknn_basic import LogisticRegressionGD, LossCurveDisplay, ShallowNNClassifier

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


@both
@pytest.mark.parametrize("max_iter", [40, 45])
def test_loss_curve_is_the_recorded_one(model, max_iter):
    """Steps 0, 20, 40, ... and the last, with its `loss_`; the costs of validation samples beside."""
    X, y = blobs()
    model = clone(model).set_params(max_iter=max_iter, record_every=20).fit(X, y, X_val=X[:9], y_val=y[:9])
    display = LossCurveDisplay.from_estimator(model)
    steps = [0, 20, 40] if max_iter == 40 else [0, 20, 40, 45]
    np.testing.assert_array_equal(display.line_.get_xdata(), steps)
    np.testing.assert_array_equal(display.line_.get_ydata(), [*model.loss_curve_, model.loss_])
    np.testing.assert_array_equal(display.validation_line_.get_xdata(), steps)
    expected = [*model.validation_loss_curve_, model.validation_loss_]
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), expected)
    assert display.line_.get_color() == display.validation_line_.get_color()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        f"{type(model).__name__}, training",
        f"{type(model).__name__}, validation",
    ]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "step"


def test_several_models_on_one_axis():
    X, y = blobs()
    slow, fast = (LogisticRegressionGD(rate, 200).fit(X, y) for rate in (0.01, 0.1))
    first = LossCurveDisplay.from_estimator(slow, name="slow")
    second = LossCurveDisplay.from_estimator(fast, name="fast", ax=first.ax_, color="red", lw=3)
    assert first.validation_line_ is None
    assert second.ax_ is first.ax_
    assert len(first.ax_.lines) == 2
    assert (second.line_.get_color(), second.line_.get_linewidth()) == ("red", 3)
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == ["slow, training", "fast, training"]


def test_styles_of_the_users_own():
    """Whatever alias names them, they hold for both curves; the validation curve is dashed unless told."""
    display = LossCurveDisplay(iterations=[0, 1], loss=[2.0, 1.0], validation_loss=[3.0, 2.0])
    display.plot(c="green", lw=3)
    lines = display.line_, display.validation_line_
    assert [line.get_color() for line in lines] == ["green", "green"]
    assert [line.get_linewidth() for line in lines] == [3, 3]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    display.plot(ls=":")
    assert display.validation_line_.get_linestyle() == ":"


def test_plot_draws_again_and_returns_itself():
    display = LossCurveDisplay(iterations=[0, 1], loss=[2.0, 1.0], validation_loss=[3.0, 2.0])
    assert display.plot() is display
    _, ax = plt.subplots()
    assert display.plot(ax, name="again").ax_ is ax
    assert ax.get_legend().get_texts()[1].get_text() == "again, validation"


def test_curve_of_a_descent_that_broke_down_ends_with_the_weights_kept():
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=500, random_state=0, record_every=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(X * 1000, y)
    display = LossCurveDisplay.from_estimator(model)
    assert display.iterations[-1] == model.n_iter_
    np.testing.assert_array_equal(display.loss, model.loss_curve_)


def test_steps_are_those_of_the_fit():
    """A parameter that is changed after the fit changes nothing in the picture."""
    X, y = blobs()
    model = LogisticRegressionGD(0.1, 50, record_every=10).fit(X, y).set_params(record_every=11, max_iter=7)
    assert LossCurveDisplay.from_estimator(model).iterations.tolist() == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$\\frac{$", "$\\frac{$"),
        (r"5\$ and $", r"5\$ and $"),
        ("_Mine", " _Mine"),
        ("two\nlines", r"two\nlines"),
        ("a" * 10**5, "a" * 77 + "..."),
    ],
)
def test_names_are_drawn_as_they_are(name, shown):
    """Letter by letter: no formulas, none left out for its first letter, and not for a minute."""
    display = LossCurveDisplay(iterations=[0, 1], loss=[2.0, 1.0], validation_loss=[3.0, 2.0], name=name)
    display.plot()
    labels = display.ax_.get_legend().get_texts()
    assert len(labels) == 2
    for label, curve in zip(labels, ("training", "validation"), strict=True):
        drawn, is_formula = label._preprocess_math(label.get_text())
        assert not is_formula
        assert drawn == f"{shown}, {curve}"
    display.figure_.canvas.draw()
