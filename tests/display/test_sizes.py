"""Displays fit where they are put: no text lies on other text or outside, in any size and style."""

from copy import copy
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_moons
from sklearn.pipeline import make_pipeline

from models import images
from sknn_basic import (
    ConfusionImagesDisplay,
    DescentDisplay,
    FlattenScaler,
    HiddenUnitsDisplay,
    LogisticRegressionGD,
    LossContourDisplay,
    LossCurveDisplay,
    ShallowNNClassifier,
    WeightsDisplay,
    draw_report,
)

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")

PLACES = {(3.3, 2.5): (1,), (6.4, 3): (0, 1), (9.6, 5.4): (1,)}  # inches, and what is in a row
STYLES = ["default", "dark_background", "ggplot"]
KINDS = ["contours", "descent", "units"], ["weights", "mistakes", "report"]
RATES = [0.1, 1.0, 3.0]


def styles(kinds, kind):
    """A style for each size: others for each kind, so that all pairs occur."""
    first = kinds.index(kind)
    return [*STYLES[first:], *STYLES[:first]]


def moons():
    return make_moons(100, noise=0.15, random_state=1)


def iris():
    """Three classes with names, and two features with long ones, as in a table."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X.iloc[:, 2:], load_iris().target_names[y]


def network(n_units=4):
    return ShallowNNClassifier(n_units, learning_rate=1.0, max_iter=2000, random_state=2)


@pytest.fixture(scope="module")
def displays():
    """Two of each kind, which draw with `plot`: the first of two classes, the second of three."""
    small = {"grid_resolution": 20}
    line = LogisticRegressionGD(max_iter=60, fit_intercept=False)
    nine = network(9).set_params(max_iter=100).fit(*iris())
    made = {
        "contours": [
            LossContourDisplay.from_estimator(line, *moons(), learning_rates=RATES, **small),
            LossContourDisplay.from_estimator(nine, *iris(), learning_rates=RATES, **small),
        ],
        "descent": [
            DescentDisplay.from_estimator(network(), *moons(), **small),
            DescentDisplay.from_estimator(LogisticRegressionGD(max_iter=500), *iris(), **small),
        ],
        "units": [
            HiddenUnitsDisplay.from_estimator(network().fit(*moons()), *moons(), **small),
            HiddenUnitsDisplay.from_estimator(nine, *iris(), **small),
        ],
    }
    plt.close("all")
    return made


def texts(figure):
    """The text boxes that are drawn, in pixels, by their text."""
    found = []
    for part in [figure, *figure.findobj(plt.matplotlib.figure.SubFigure)]:
        found += part.texts
        for legend in part.legends:
            found += [*legend.get_texts(), legend.get_title()]
    for ax in figure.findobj(plt.Axes):
        found.append(ax.title)
        if not ax.axison:
            continue
        found += [ax.xaxis.label, ax.yaxis.label]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [tick.label2 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        if ax.get_legend():
            found += [*ax.get_legend().get_texts(), ax.get_legend().get_title()]
    found = [text for text in found if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent()) for text in found]


def overlaps(figure):
    """The texts that lie on others or outside the figure, by more than a pixel."""
    figure.draw_without_rendering()
    boxes = [(name, box.padded(-1)) for name, box in texts(figure)]
    inside = figure.bbox
    outside = [
        name
        for name, box in boxes
        if not (inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1)
    ]
    pairs = combinations(boxes, 2)
    return outside + [(a, b) for (a, first), (b, second) in pairs if first.overlaps(second)]


@pytest.mark.parametrize("kind", KINDS[0])
def test_no_text_lies_on_other_text_or_outside(displays, kind):
    """Where there is room, all is named: in the largest figure the title, the axes and the legend."""
    for (size, row), style in zip(PLACES.items(), styles(KINDS[0], kind), strict=True):
        with plt.style.context(style):
            figure, axes = plt.subplots(1, len(row), figsize=size, layout="constrained", squeeze=False)
            drawn = [displays[kind][i].plot(ax=ax) for i, ax in zip(row, axes[0], strict=True)]
            assert overlaps(figure) == [], size
        for display in drawn:
            assert display.ax_.get_xlabel()
            assert display.ax_.get_ylabel()
            assert min(display.ax_.get_window_extent().size) > 40  # pixels of the plane
    assert len(drawn[0].ax_.get_legend().get_texts()) >= 3


@pytest.fixture(scope="module")
def photographs():
    """Images with names as classes, of which half are mistaken, and two models of them."""
    X, y = images(m=12, shape=(4, 4, 3), step=0)
    y = np.array(["a temple", "flower"])[y]
    models = LogisticRegressionGD(max_iter=2), ShallowNNClassifier(6, max_iter=2, random_state=0)
    return [make_pipeline(FlattenScaler(), model).fit(X, y) for model in models], X, y[::-1]


@pytest.mark.parametrize("kind", KINDS[1])
def test_no_text_lies_on_images_or_other_text(photographs, kind):
    """A report has images only where their titles can be read, which are letters of 5 points or more."""
    models, X, y = photographs
    draw = {
        "weights": lambda i, ax: WeightsDisplay.from_estimator(models[i], ax=ax),
        "mistakes": lambda i, ax: ConfusionImagesDisplay.from_estimator(models[i], X, y, n_images=6, ax=ax),
    }
    for (size, row), style in zip(PLACES.items(), styles(KINDS[1], kind), strict=True):
        with plt.style.context(style):
            if kind == "report":
                figure = plt.figure(figsize=size, layout="constrained")
                draw_report([models[i] for i in row], X, y, figure=figure)
                assert len(figure.findobj(plt.matplotlib.image.AxesImage)) > len(row) or size[0] < 9
            else:
                figure, axes = plt.subplots(1, len(row), figsize=size, layout="constrained", squeeze=False)
                for i, ax in zip(row, axes[0], strict=True):
                    draw[kind](i, ax)
            assert overlaps(figure) == [], size
            panels = [ax for ax in figure.findobj(plt.Axes) if ax.images]
            pictures = [ax.get_window_extent().padded(-1) for ax in panels]
            if kind != "report":  # there the numbers in a matrix are part of its picture
                assert min(ax.title.get_fontsize() for ax in panels) >= 5
                assert not [name for name, box in texts(figure) if box.count_overlaps(pictures)]


@pytest.mark.parametrize("style", STYLES)
def test_no_legend_lies_on_a_curve(style):
    """Of three curves that fill their axes: in a place where there is none, or below; all are named."""
    steps = np.arange(100)
    curves = [(0.5 + height) ** (steps / 10) for height in (0.2, 0.3, 0.4)]
    with plt.style.context(style):
        for size in PLACES:
            figure, ax = plt.subplots(figsize=size, layout="constrained")
            for i, loss in enumerate(curves):
                LossCurveDisplay(
                    iterations=steps, loss=loss, validation_loss=1.3 - loss, name=f"learning_rate={i}"
                ).plot(ax)
            assert overlaps(figure) == [], size
            legend = ax.get_legend()
            assert len(legend.get_texts()) >= 3
            box = legend.get_window_extent()
            lines = [line.get_path().transformed(line.get_transform()) for line in ax.lines]
            assert not any(line.intersects_bbox(box, filled=False) for line in lines)


def test_a_legend_without_a_layout_is_in_the_axes(displays):
    """Since nothing makes room below."""
    for draw in (
        lambda ax: displays["contours"][1].plot(ax).ax_,
        lambda ax: LossCurveDisplay(iterations=[0, 1], loss=[1, 1], name="a" * 90).plot(ax).ax_,
    ):
        ax = draw(plt.subplots()[1])
        assert ax.get_legend().get_window_extent().y0 > ax.get_window_extent().y0


@pytest.mark.parametrize("kind", ["contours", "descent", "units"])
def test_without_a_layout_no_text_lies_on_other_text(displays, kind):
    """Though some lies outside, as in all small figures of matplotlib without it."""
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 3))
    for ax, display in zip(axes, displays[kind], strict=True):
        display.plot(ax=ax)
    assert [pair for pair in overlaps(figure) if isinstance(pair, tuple)] == []


@pytest.mark.parametrize("size", [(6.4, 3), (9.6, 4)])
def test_without_a_layout_legends_are_in_the_figure(displays, size):
    figure, axes = plt.subplots(1, 2, figsize=size)
    for display, ax in zip((displays["contours"][0], displays["descent"][1]), axes, strict=True):
        display.plot(ax=ax)
        figure.draw_without_rendering()
        legend = display.ax_.get_legend()
        assert len(legend.get_texts()) >= 3
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1


@pytest.mark.parametrize(("names", "has_legend"), [("rates", True), ("a name {}", True), ("a" * 60, False)])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_a_legend_of_many_paths_fits_or_says_that_it_does_not(displays, names, has_legend, layout):
    """In smaller letters and several columns, whose names are whole."""
    shown, n = copy(displays["contours"][0]), 6
    shown.paths, shown.learning_rates = shown.paths * 2, [0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
    expected = [f"{rate}" for rate in shown.learning_rates]
    if names != "rates":
        shown.labels = expected = [names.format(i) + "bcdefg"[i] for i in range(n)]
    figure, ax = plt.subplots(figsize=(3.3, 2.5), layout=layout)
    if not has_legend:
        message = "no room for a legend of 7 names: make the figure larger or the names shorter"
        with pytest.warns(UserWarning, match=message + (r"\.$" if layout else r', or pass layout="constr')):
            assert shown.plot(ax).ax_.get_legend() is None
        return
    legend = shown.plot(ax).ax_.get_legend()
    found = [text.get_text() for text in legend.get_texts()]
    assert found == [*(name.removesuffix(".0") for name in expected), "start"]
    assert [problem for problem in overlaps(figure) if layout or isinstance(problem, tuple)] == []
    assert legend.get_texts()[0].get_fontsize() >= 5


def test_what_the_overlap_tests_find():
    figure, (left, right) = plt.subplots(1, 2, figsize=(3, 2))
    left.set_title("a title of many words")
    right.set_title("a title of many words")
    found = overlaps(figure)
    assert ("a title of many words", "a title of many words") in found
    assert "a title of many words" in found  # outside


def test_words_are_fewer_in_a_small_place(displays):
    """And in subfigures, whose size counts instead of that of the figure."""
    contours, descent, units = (displays[kind][0] for kind in ("contours", "descent", "units"))
    figure = plt.figure(figsize=(9.6, 2.5), layout="constrained")
    subfigures = figure.subfigures(1, 3)
    contours.plot(ax=subfigures[0].subplots())
    legend = contours.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["0.1", "1", "3", "start"]
    assert legend.get_title().get_text() == "learning rate"
    descent.plot(ax=subfigures[1].subplots())
    accuracy = descent.models[-1].score(*moons())
    assert descent.ax_.get_title() == f"step 2,000: {accuracy:.1%}"
    assert descent.loss_ax_.get_ylabel() == ""
    ticks = descent.loss_ax_.get_xticks()
    assert 0 in ticks
    assert len(ticks) < 5
    units.plot(ax=subfigures[2].subplots())
    titles = [ax.get_title() for ax in units.axes_]
    assert titles == [f"{j}: {w:+.2g}".replace("-", "−") for j, w in enumerate(units.weights[:, 0])]
    assert overlaps(figure) == []
    figure, ax = plt.subplots(figsize=(1, 1), layout="constrained")
    assert {ax.get_title() for ax in units.plot(ax).axes_} == {""}  # no room at all


@pytest.mark.parametrize("kind", ["contours", "descent", "units"])
def test_the_style_is_that_of_the_user(displays, kind):
    """Colours of the cycle, the figure's colour where nothing is known, no grid over a plane of colour."""
    display = displays[kind][1]
    white, black = [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]
    for style, paper, ink in (("dark_background", black, white), ("ggplot", white, black)):
        with plt.style.context(style):
            display.plot()
            cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"][:3]
            expected = plt.matplotlib.colors.to_rgba_array(cycle)[:, :3]
        if kind == "contours":
            np.testing.assert_array_equal([line.get_color() for line in display.lines_], expected)
            np.testing.assert_array_equal(display.starts_.get_facecolors()[0, :3], paper)
            np.testing.assert_array_equal(display.contours_.cmap(0.0)[:3], paper)
        else:
            found = {tuple(colour) for colour in display.points_.get_facecolors()[:, :3]}
            assert found == {tuple(colour) for colour in expected}
            np.testing.assert_array_equal(display.boundary_[0].get_edgecolor()[0, :3], ink)
        lines = [*display.ax_.get_xgridlines(), *display.ax_.get_ygridlines()]
        assert not any(line.get_visible() for line in lines)


def test_the_cost_has_the_colours_of_the_style(displays):
    """Of image.cmap, unless it is matplotlib's own or another one is given."""
    display = displays["contours"][0]
    with plt.rc_context({"image.cmap": "magma"}):
        assert display.plot().contours_.cmap.name == "magma"
        display.cmap = "cividis"
        assert display.plot().contours_.cmap.name == "cividis"
        for display.cmap, display.levels in (
            ("tab10", 300),
            ("tab10", 3),
        ):  # more bands than colours, and fewer
            contours = display.plot().contours_
            expected = plt.get_cmap("tab10")([0.0, 1.0])
            np.testing.assert_array_equal(contours.cmap(contours.norm(contours.levels[[0, -2]])), expected)
        display.cmap, display.levels = None, 20
    assert display.plot().contours_.cmap.name == "cost"


def test_colours_and_parts_can_be_chosen():
    """By a list or a colormap, for two classes too; keywords under any of matplotlib's names."""
    X, y = moons()
    model = network().set_params(max_iter=5)
    styles = {"contour_kw": {"colors": "red"}, "scatter_kw": {"ec": "blue", "s": 7}, "grid_resolution": 11}
    descent = DescentDisplay.from_estimator(
        model, X, y, multiclass_colors=["gold", "teal"], line_kw={"lw": 5, "c": "green"}, **styles
    )
    units = HiddenUnitsDisplay.from_estimator(
        model.fit(X, y), X, y, multiclass_colors="viridis", cmap="RdBu", **styles
    )
    ends = plt.get_cmap("viridis")([0.0, 1.0])
    colours = plt.matplotlib.colors
    for display, expected in ((descent, colours.to_rgba_array(["gold", "teal"])), (units, ends)):
        found = display.points_.get_facecolors()
        np.testing.assert_allclose(found, expected[y])
        assert display.points_.get_sizes() == [7]
        assert colours.same_color(display.points_.get_edgecolor()[0], "blue")
        assert display.image_.get_array().shape == (11, 11, 3)
    for line in [*descent.boundary_, *units.boundary_, *filter(None, units.zero_lines_)]:
        assert colours.same_color(line.get_edgecolor()[0], "red")
    assert (descent.line_.get_linewidth(), descent.line_.get_color()) == (5, "green")
    assert {image.cmap.name for image in units.images_} == {"RdBu"}
    contours = LossContourDisplay.from_estimator(
        LogisticRegressionGD(max_iter=3),
        X[:, :1],
        y,
        learning_rates=[1.0, 2.0],
        colors=["gold", "teal"],
        levels=[0.6, 0.65, 0.7],
        line_kw={"lw": 4},
        **styles,
    )
    assert [line.get_color() for line in contours.lines_] == [colours.to_rgb(c) for c in ("gold", "teal")]
    assert [line.get_linewidth() for line in contours.lines_] == [4, 4]
    assert contours.contours_.levels.tolist() == [0.6, 0.65, 0.7]
    assert contours.loss.shape == (11, 11)
    contours.levels = 4
    assert len(contours.plot().contours_.levels) == 5


def test_colours_that_do_not_fit_are_refused():
    X, y = moons()
    model = network().set_params(max_iter=2).fit(X, y)
    for draw in (DescentDisplay.from_estimator, HiddenUnitsDisplay.from_estimator):
        with pytest.raises(ValueError, match=r"multiclass_colors='nothing' is no colormap"):
            draw(model, X, y, multiclass_colors="nothing")
        with pytest.raises(ValueError, match=r"multiclass_colors has 1 colours, but 2 are drawn"):
            draw(model, X, y, multiclass_colors=["red"])
        with pytest.raises(ValueError, match=r"grid_resolution == 1, must be >= 2"):
            draw(model, X, y, grid_resolution=1)
    draw = LossContourDisplay.from_estimator
    with pytest.raises(ValueError, match=r"colors has 2 colours, but 1 are drawn"):
        draw(model, X, y, colors=["red", "blue"])
    with pytest.raises(ValueError, match=r"levels == 0, must be >= 1"):
        draw(model, X, y, levels=0)
    with pytest.raises(ValueError, match=r"grid_resolution == 1, must be >= 2"):
        draw(model, X, y, grid_resolution=1)


def test_columns_of_a_table_that_have_long_names():
    """Are shortened to the room that there is."""
    X, y = moons()
    X = pd.DataFrame(X, columns=["a very long name of a feature, in cm", "width"])
    figure, ax = plt.subplots(figsize=(3.3, 2.5), layout="constrained")
    display = DescentDisplay.from_estimator(network(), X, y, steps=[1], ax=ax)
    assert display.ax_.get_xlabel().startswith("a very")
    assert display.ax_.get_xlabel().endswith("...")
    assert overlaps(figure) == []
