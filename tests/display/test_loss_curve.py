"""The cost over the steps is drawn as the fit has recorded it."""

import gc
from weakref import ref

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from models import blobs, both
from sknn_basic import LogisticRegressionGD, LossCurveDisplay, ShallowNNClassifier

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
COSTS = {"iterations": [0, 1], "loss": [2.0, 1.0], "validation_loss": [3.0, 2.0]}


@both
@pytest.mark.parametrize("max_iter", [40, 45])
def test_loss_curve_is_the_recorded_one(model, max_iter):
    """Steps 0, 20, ... and the last; costs of validation samples beside. Parameters set later do nothing."""
    X, y = blobs()
    model = clone(model).set_params(max_iter=max_iter, record_every=20).fit(X, y, X_val=X[:9], y_val=y[:9])
    display = LossCurveDisplay.from_estimator(model.set_params(max_iter=7, record_every=11))
    steps = [0, 20, 40] if max_iter == 40 else [0, 20, 40, 45]
    np.testing.assert_array_equal(display.line_.get_xdata(), steps)
    np.testing.assert_array_equal(display.line_.get_ydata(), [*model.loss_curve_, model.loss_])
    np.testing.assert_array_equal(display.validation_line_.get_xdata(), steps)
    expected = [*model.validation_loss_curve_, model.validation_loss_]
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), expected)
    assert display.line_.get_color() == display.validation_line_.get_color()
    lowest = f", lowest recorded at step {steps[np.argmin(expected)]}" if min(expected) < expected[-1] else ""
    name = type(model).__name__
    assert legend(display.ax_) == [f"{name}, training", f"{name}, validation{lowest}"]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "step"


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_plot_draws_again_in_styles_of_the_users_own():
    """Whatever alias names them, they hold for both curves; the validation curve is dashed unless told."""
    display = LossCurveDisplay(**COSTS)
    assert display.plot(c="green", lw=3) is display
    lines = display.line_, display.validation_line_
    assert [line.get_color() for line in lines] == ["green", "green"]
    assert [line.get_linewidth() for line in lines] == [3, 3]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    assert display.plot(ls=":").validation_line_.get_linestyle() == ":"
    _, ax = plt.subplots()
    assert display.plot(ax, name="again").ax_ is ax
    assert legend(ax) == ["again, training", "again, validation"]


def test_curve_of_a_descent_that_broke_down_ends_with_the_weights_kept():
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=500, random_state=0, record_every=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(X * 1000, y)
    display = LossCurveDisplay.from_estimator(model)
    assert display.iterations[-1] == model.n_iter_
    np.testing.assert_array_equal(display.loss, model.loss_curve_)


def test_names_are_drawn_as_they_are():
    display = LossCurveDisplay(**COSTS, name="_$5 and $").plot()
    assert legend(display.ax_) == [rf" _\$5 and \$, {curve}" for curve in ("training", "validation")]
    display.figure_.canvas.draw()


def test_minimum_of_the_validation_curve_is_marked():
    """A point where the cost of the validation samples is lowest, and its step in the legend."""
    display = LossCurveDisplay(iterations=[0, 10, 25, 40], loss=[4, 3, 2, 1], validation_loss=[4, 3, 2, 5])
    line = display.plot().validation_line_
    assert (line.get_marker(), line.get_markevery(), line.get_linestyle()) == ("o", [2], "--")
    assert legend(display.ax_) == ["training", "validation, lowest recorded at step 25"]
    assert display.line_.get_marker() == "None"
    line = display.plot(marker="x").validation_line_  # the user's own markers stay
    assert (line.get_marker(), line.get_markevery()) == ("x", None)


@pytest.mark.parametrize("end", [2, 1, 1 + 1e-12])
def test_no_minimum_is_marked_where_the_curve_does_not_rise(end):
    """Costs that are equal but for rounding have not risen."""
    curve = {"iterations": [0, 10, 25, 30], "loss": [4, 3, 2, 1], "validation_loss": [4, 3, max(end, 1), end]}
    display = LossCurveDisplay(**curve).plot()
    assert display.validation_line_.get_marker() == "None"
    assert legend(display.ax_) == ["training", "validation"]


def test_logarithmic_axes_show_step_0():
    """Step 0 has a place of its own, a decade before step 1, and powers of ten are equally far apart."""
    display = LossCurveDisplay(iterations=[0, 1, 10, 100], loss=[1.0, 0.1, 0.01, 0.001])
    display.plot(log_x=True, log_y=True)
    places = display.ax_.transData.transform(np.transpose([display.iterations, display.loss]))
    np.testing.assert_allclose(np.diff(places, 2, axis=0), 0, atol=1e-6 * np.ptp(places))
    assert np.all(np.diff(places[:, 0]) > 0)
    display.plot(log_x=False)
    assert (display.ax_.get_xscale(), display.ax_.get_yscale()) == ("linear", "linear")


def test_several_models_in_one_call():
    """Each is drawn as alone, in a colour of its own, and is called by what tells it apart."""
    X, y = blobs()
    models = [LogisticRegressionGD(rate, 50).fit(X, y, X_val=X, y_val=y) for rate in (0.01, 0.1)]
    displays = LossCurveDisplay.from_estimators(models)
    for display, model in zip(displays, models, strict=True):
        np.testing.assert_array_equal(display.line_.get_ydata(), [*model.loss_curve_, model.loss_])
        assert display.ax_ is displays[0].ax_
    assert [display.name for display in displays] == ["learning_rate=0.01", "learning_rate=0.1"]
    assert displays[0].line_.get_color() != displays[1].line_.get_color()
    assert len(displays[0].ax_.lines) == 4
    assert legend(displays[0].ax_)[2:] == ["learning_rate=0.1, training", "learning_rate=0.1, validation"]
    model = models[0].fit(
        X, y
    )  # without validation samples, on axes, with names and styles of the user's own
    ax = LossCurveDisplay.from_estimator(model, name="first").ax_
    assert LossCurveDisplay.from_estimators([model, model], names=["a", "b"], ax=ax, log_x=True, lw=3)
    assert legend(ax) == ["first", "a", "b"]
    assert [line.get_linewidth() for line in ax.lines[1:]] == [3, 3]
    assert ax.get_xscale() == "symlog"


def test_a_dict_of_models_has_their_names():
    """Whose single curves need no other word; without a name they are called what they are."""
    X, y = blobs()
    models = {rate: LogisticRegressionGD(rate, 5).fit(X, y) for rate in (0.01, 0.1)}
    displays = LossCurveDisplay.from_estimators(models)
    assert legend(displays[0].ax_) == ["0.01", "0.1"]
    assert legend(LossCurveDisplay.from_estimators(models, names=["a", "b"])[0].ax_) == ["a", "b"]
    assert legend(LossCurveDisplay(iterations=[0, 1], loss=[2, 1]).plot().ax_) == ["training"]


def test_lists_that_are_none_are_refused():
    model = LogisticRegressionGD(max_iter=2).fit(*blobs())
    for models, names, error, message in (
        (model, None, TypeError, "got LogisticRegressionGD; for one, use LossC"),
        ([], None, ValueError, "at least one estimator"),
        ([model, model], ["a"], ValueError, "names should be a list of 2"),
        ([model, model], "ab", ValueError, "names should be a list of 2"),
    ):
        with pytest.raises(error, match=message):
            LossCurveDisplay.from_estimators(models, names=names)
        with pytest.raises(TypeError, match=r"for several, use LossCurveDisplay\.from_estimators"):
            LossCurveDisplay.from_estimator([model])
    with pytest.raises(TypeError, match=r"drawn by LossCurveDisplay\(iterations=\.\.\., loss=\.\.\.\)\.plot"):
        LossCurveDisplay.from_estimator([0.7, 0.6])


def curve(halving, last=2000, every=1, height=1.0):
    """A cost whose fall is half done after so many steps."""
    steps = np.arange(0, last + 1, every)
    return LossCurveDisplay(iterations=steps, loss=height * 0.5 ** (steps / halving))


@pytest.mark.parametrize(
    ("curves", "scale"),
    [
        ([curve(99)], "symlog"),
        ([curve(101)], "linear"),  # 5 % of the steps are 100
        ([curve(99, every=50)], "linear"),  # whose first steps are not recorded
        ([curve(9, 200)], "symlog"),
        ([curve(11, 200)], "linear"),
        ([curve(11, 200), curve(300)], "symlog"),  # of the steps of the longest
        ([curve(300), curve(50, height=10)], "symlog"),  # the fall that is seen is that of the second
        ([curve(50), curve(300, height=10)], "linear"),  # although the first alone is drawn otherwise
        ([LossCurveDisplay(iterations=[0, 1, 100], loss=[1, 2, 3])], "linear"),
        ([LossCurveDisplay(iterations=[0, 1, 100], loss=[2, 1, np.nan])], "symlog"),
        ([LossCurveDisplay(iterations=[0], loss=[1])], "linear"),
    ],
)
def test_steps_are_logarithmic_where_most_of_the_fall_is_early(curves, scale):
    """Half of the fall of all curves on the axes in the first 5 % of the steps, unless told otherwise."""
    _, ax = plt.subplots()
    for display in curves:
        display.plot(ax)
    assert ax.get_xscale() == scale
    curves[0].plot(ax, log_x=True)
    assert curves[-1].plot(ax).ax_.get_xscale() == "symlog"  # as told
    assert curves[0].plot(log_x=False).ax_.get_xscale() == "linear"
    assert curves[0].plot(log_x=True).ax_.get_xscale() == "symlog"


def test_models_drawn_one_by_one_are_told_apart():
    """Also one that is fitted again with other parameters; names and labels of the user's own stay."""
    X, y = blobs()
    model = LogisticRegressionGD(0.01, 20).fit(X, y, X_val=X, y_val=y)
    _, ax = plt.subplots()
    LossCurveDisplay.from_estimator(model, ax=ax)
    assert legend(ax)[0] == "LogisticRegressionGD, training"
    LossCurveDisplay.from_estimator(model, ax=ax, name="mine")
    display = LossCurveDisplay.from_estimator(model.set_params(learning_rate=0.1).fit(X, y), ax=ax)
    LossCurveDisplay.from_estimator(model, ax=ax, label="a label")
    expected = ["learning_rate=0.01, training", "learning_rate=0.01, validation"]
    expected += ["mine, training", "mine, validation", "learning_rate=0.1", "a label"]
    assert legend(ax) == expected
    network = ShallowNNClassifier(2, max_iter=20, random_state=0).fit(X, y)
    LossCurveDisplay.from_estimators([network], ax=ax)
    ax.lines[2].remove()
    LossCurveDisplay.from_estimators([LogisticRegressionGD(0.5, 20).fit(X, y)], ax=ax)
    assert legend(ax)[-2:] == [
        "ShallowNNClassifier",
        "LogisticRegressionGD, learning_rate=0.5",
    ]
    assert legend(ax)[0] == "LogisticRegressionGD, learning_rate=0.01, training"
    assert legend(display.plot().ax_) == ["LogisticRegressionGD"]


def test_axes_are_forgotten_with_their_figure():
    """What is kept of a line holds neither it nor its axes."""
    figure = plt.Figure()
    line = ref(LossCurveDisplay(**COSTS).plot(figure.subplots()).line_)
    del figure
    gc.collect()
    assert line() is None


@pytest.mark.parametrize(
    ("size", "style"), [((3, 2.5), "ggplot"), ((6.4, 3), "dark_background"), ((9.6, 5.4), "default")]
)
@pytest.mark.parametrize("n_models", [1, 3])
def test_legend_and_ticks_do_not_overlap(n_models, size, style):
    """The legend is in the axes or below, and what is beside them is in the figure, each for itself."""
    names = [f"learning_rate={rate}" for rate in (0.001, 0.01, 0.1)][:n_models]
    with plt.style.context(style):
        figure, ax = plt.subplots(figsize=size, layout="constrained")
        for halving, name in enumerate(names, 9):
            display = curve(halving, 10**5, 5)
            display.validation_loss = 2 + (display.iterations - 10**4) ** 2
            display.plot(ax, name=name)
        figure.draw_without_rendering()
    assert ax.get_xscale() == "symlog"
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    boxes = [text.get_window_extent() for text in labels if text.get_text() and is_seen(text, ax)]
    boxes.append(ax.get_legend().get_window_extent())
    assert len(boxes) > 8
    for i, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:i]) == 0
        assert figure.bbox.x0 - 1 <= box.x0 < box.x1 <= figure.bbox.x1 + 1
        assert figure.bbox.y0 - 1 <= box.y0 < box.y1 <= figure.bbox.y1 + 1
    room = ax.get_window_extent()
    is_within = room.x0 <= boxes[-1].x0 < boxes[-1].x1 <= room.x1 and room.y0 <= boxes[-1].y0
    assert is_within or boxes[-1].y1 < room.y0


def is_seen(text, ax):
    """Whether a tick's label is at a place that is drawn."""
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    if text in ax.get_xticklabels():
        return x0 <= text.get_position()[0] <= x1
    return text not in ax.get_yticklabels() or y0 <= text.get_position()[1] <= y1
