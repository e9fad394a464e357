"""The cost is drawn under the paths of descents: what the contours, paths, axes and legend show."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from longhand import G, logistic_cost, logistic_descent, network_descent
from models import noisy
from sknn_basic import LogisticRegressionGD, LossContourDisplay, ShallowNNClassifier, descent_path
from sknn_basic._display.feature_plane import class_colours

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


@pytest.mark.parametrize("has_intercept", [False, True])
def test_two_parameters_are_the_whole_space(has_intercept):
    """Axes, contours and paths are the parameters themselves, and the cost that of the notes at them."""
    X, y = noisy(n=1 if has_intercept else 2)
    model = LogisticRegressionGD(max_iter=40, fit_intercept=has_intercept)
    display = LossContourDisplay.from_estimator(model, X, y, learning_rates=[0.5, "auto"])
    columns = np.column_stack([X, np.ones(len(X))])[:, :2]  # b is the weight of a column of ones
    for i, b in enumerate(display.second[::13]):
        for j, a in enumerate(display.first[::13]):
            expected = logistic_cost(columns, y, [a, b], 0)
            assert display.loss[13 * i, 13 * j] == pytest.approx(expected, rel=1e-12)
    assert len(display.paths) == 2
    for path, rate in zip(display.paths, display.learning_rates, strict=True):
        w = np.zeros(2)
        assert len(path) == 41
        for point in path:
            np.testing.assert_allclose(point, w, atol=1e-12)
            w = w - rate * columns.T @ (1 / (1 + np.exp(-columns @ w)) - y) / len(y)
    names = ("weight of feature 0", "intercept" if has_intercept else "weight of feature 1")
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == display.names == names


@pytest.mark.parametrize("activation", G)
def test_the_plane_of_a_network_holds_the_end_of_the_lowest_path(activation):
    """At (0, 0) the cost is the final one of the notes' descent at its rate: the lowest on the paths."""
    X, y = noisy()
    model = ShallowNNClassifier(3, activation, max_iter=200, init_scale=0.5, random_state=5)
    display = LossContourDisplay.from_estimator(model, X, y, learning_rates=[0.01, 0.5])
    rate = clone(model).set_params(learning_rate="auto", max_iter=1).fit(X, y).learning_rate_
    assert display.stable_rate == pytest.approx(2 * rate)
    W1, b1, W2, b2, _ = network_descent(X.T, y, 3, activation, 0.5, 200, 5, 0.5)
    expected = logistic_cost(G[activation](W1 @ X.T + b1).T, y, W2.ravel(), b2.item())
    np.testing.assert_allclose(display.paths[1][-1], 0, atol=1e-10)
    np.testing.assert_allclose(display.paths[0][0], display.paths[1][0], atol=1e-10)  # one start
    i, j = np.abs(display.second).argmin(), np.abs(display.first).argmin()
    cell = display.loss[i - 1 : i + 2, j - 1 : j + 2]
    assert cell.min() - 1e-3 < expected < cell.max()


def test_principal_directions_keep_distances_up_to_their_share_of_the_variance():
    """About the final weights, which are their centre; both shares stand on the axes."""
    X, y = noisy(n=6)
    model = LogisticRegressionGD(0.3, max_iter=80)
    display = LossContourDisplay.from_estimator(model, X, y)
    vectors = [logistic_descent(X.T, y, 0.3, step)[:2] for step in range(81)]
    vectors = np.array([[*w.ravel(), b] for w, b in vectors])
    squares = np.sum((vectors - vectors[-1]) ** 2)
    shares = np.sum(display.paths[0] ** 2, axis=0) / squares
    for i, (share, name) in enumerate(zip(shares, display.names, strict=True), start=1):
        assert name == f"direction {i}: {share:.1%} of the variance"
    assert shares[0] > 0.8


def test_weights_of_two_features():
    """By number; all others are at the end of the path, behind the transformers of a pipeline."""
    X, y = noisy(n=4)
    model = make_pipeline(StandardScaler(), LogisticRegressionGD(0.5, max_iter=30))
    display = LossContourDisplay.from_estimator(model, X, y, weights=(3, 1))
    assert display.names == ("weight of feature 3", "weight of feature 1")
    T = StandardScaler().fit_transform(X)
    w, b, _ = logistic_descent(T.T, y, 0.5, 30)
    np.testing.assert_allclose(display.paths[0][-1], w[[3, 1], 0], atol=1e-12)
    w = w.ravel()
    w[[3, 1]] = display.first[7], display.second[50]
    assert display.loss[50, 7] == pytest.approx(logistic_cost(T, y, w, b), rel=1e-12)


def test_what_is_drawn():
    """Contours of the cost, each path in its colour from a white start, and rates with 2/L in the legend."""
    X, y = noisy()
    model = LogisticRegressionGD(max_iter=30, l2_regularization=0.1)
    display = LossContourDisplay.from_estimator(model, X, y, learning_rates=["auto", 1.0])
    stable = 2 * LogisticRegressionGD(max_iter=1, l2_regularization=0.1).fit(X, y).learning_rate_
    legend = display.ax_.get_legend()
    assert legend.get_title().get_text() == f"learning rate (stable below {stable:.3g})"
    assert [text.get_text() for text in legend.get_texts()] == [
        f"{stable / 2:.4g} = 0.5 times the stable rate",
        f"1 = {1 / stable:.3g} times the stable rate",
        "start",
    ]
    assert display.ax_.get_aspect() == 1
    ticks = [(0, tick) for tick in display.colorbar_.get_ticks()]
    heights = display.colorbar_.ax.transData.transform(ticks)[:, 1]
    assert len(ticks) == 6
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0], rtol=1e-6)  # evenly spaced
    colours = class_colours(2)
    for line, path, colour in zip(display.lines_, display.paths, colours, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path)
        np.testing.assert_array_equal(line.get_color(), colour)
    np.testing.assert_array_equal(display.starts_.get_offsets(), [path[0] for path in display.paths])
    np.testing.assert_array_equal(display.ends_.get_offsets(), [path[-1] for path in display.paths])
    np.testing.assert_array_equal(display.ends_.get_facecolors()[:, :3], colours)
    levels = display.contours_.levels
    assert (levels[0], levels[-1]) == pytest.approx((display.loss.min(), display.loss.max()))
    assert display.ax_.get_xlim() == (display.first[0], display.first[-1])
    for path in display.paths:  # which have not diverged
        assert (path >= [display.first[0], display.second[0]]).all()
        assert (path <= [display.first[-1], display.second[-1]]).all()
    figure, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.figure_ is figure


def test_the_view_stays_where_the_cost_is_low():
    """A path that diverges leaves it; its lowest point is the start. Given rates warn of nothing."""
    X, y = noisy()
    calm = LossContourDisplay.from_estimator(LogisticRegressionGD(0.5, max_iter=50), X, y)
    model = LogisticRegressionGD(1e4, max_iter=50)
    both = LossContourDisplay.from_estimator(model, X, y, learning_rates=[0.5, 1e4])
    assert np.abs(both.paths[1]).max() > 1000
    assert np.ptp(both.first) < 3 * np.ptp(calm.first)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        alone = LossContourDisplay.from_estimator(model.set_params(l2_regularization=1.0), X, y)
    assert max(np.abs(alone.first).max(), np.abs(alone.second).max()) < 10
    X, y = make_moons(100, noise=0.2, random_state=0)
    model = ShallowNNClassifier(3, "relu", max_iter=300, random_state=0)
    display = LossContourDisplay.from_estimator(model, X * 100, y, learning_rates=[1e-4, 1e3])
    assert len(display.paths[1]) == 1 or not np.array_equal(
        *display.paths[1][[0, -1]]
    )  # not drawn as its end


@pytest.mark.parametrize(("n_classes", "scale"), [(3, 1), (2, 0)])
def test_three_classes_and_a_path_that_does_not_move(n_classes, scale):
    X, y = noisy(n_classes, n=3)
    display = LossContourDisplay.from_estimator(LogisticRegressionGD(max_iter=60), scale * X, y)
    assert np.ptp(display.paths[0]) == pytest.approx(0) if scale == 0 else np.ptp(display.paths[0]) > 1
    assert np.isfinite(display.loss).all()
    display.figure_.draw_without_rendering()


def test_the_plane_of_a_display_places_any_weights():
    """a = (v - center) directions', of vectors and of models: also those of pipelines and of other seeds."""
    X, y = noisy()
    model = ShallowNNClassifier(3, max_iter=60, random_state=5)
    display = LossContourDisplay.from_estimator(model, X, y)
    assert display.center_.shape == (13,)
    np.testing.assert_allclose(display.directions_ @ display.directions_.T, np.eye(2), atol=1e-12)
    vectors = np.random.RandomState(0).standard_normal((7, 13))
    expected = (vectors - display.center_) @ display.directions_.T
    np.testing.assert_allclose(display.project(vectors), expected, atol=1e-12)
    models = descent_path(model, X, y, [0, 5, 60])
    np.testing.assert_allclose(display.project(models), display.paths[0][[0, 5, 60]], atol=1e-10)
    fitted = clone(model).set_params(random_state=1).fit(X, y)
    (W1, W2), (b1, b2) = fitted.coefs_, fitted.intercepts_
    vector = np.concatenate([W1.ravel(), b1, W2.ravel(), b2])
    pipeline = make_pipeline("passthrough", fitted)
    np.testing.assert_allclose(display.project([fitted, pipeline]), display.project([vector, vector]))


def test_paths_hold_every_step_and_dots_are_apart():
    """A descent beyond 2/L jumps at each of 300 steps; dots end where they would cover each other."""
    X, y = noisy(n=1)
    model = LogisticRegressionGD(max_iter=300, l2_regularization=0.02)
    stable = 2 * model.fit(X, y).learning_rate_
    display = LossContourDisplay.from_estimator(model, X, y, learning_rates=[0.5, 8 * stable])
    assert np.hypot(*np.diff(display.paths[1], axis=0).T).min() > 1
    added = display.add_path(descent_path(model.set_params(learning_rate=0.5), X, y, range(301)))
    assert added.get_markevery() == display.lines_[0].get_markevery()
    for line, steps in zip(display.lines_, display.steps_, strict=False):
        np.testing.assert_array_equal(steps, range(301))
        assert len(line.get_xdata()) == 301
        dots = display.ax_.transData.transform(line.get_xydata()[line.get_markevery()])
        assert 1 < len(dots) < 100
        gaps = [np.hypot(*(dots[:i] - dots[i]).T).min() for i in range(1, len(dots))]
        assert min(gaps) > 0.7 * line.get_markersize() * display.figure_.dpi / 72


def test_added_paths_are_drawn_in_the_plane():
    """With an entry in the legend, now and when it is drawn again; contours and view stay."""
    X, y = noisy()
    display = LossContourDisplay.from_estimator(LogisticRegressionGD(max_iter=40), X, y, colors=["red"])
    limits = display.ax_.get_xlim(), display.ax_.get_ylim()
    other = LogisticRegressionGD(0.3)
    line = display.add_path(descent_path(other, X, y, range(30)), label="$mine", color="blue", lw=3)
    vectors = [np.r_[w.ravel(), b] for w, b in (logistic_descent(X.T, y, 0.3, n)[:2] for n in range(30))]
    np.testing.assert_allclose(line.get_xydata(), display.project(vectors), atol=1e-12)
    assert (line.get_color(), line.get_linewidth()) == ("blue", 3)
    assert display.lines_[-1] is line
    display.add_path(vectors[:5])
    assert (display.ax_.get_xlim(), display.ax_.get_ylim()) == limits
    for legend in (display.ax_.get_legend(), display.plot().ax_.get_legend()):
        labels = [text.get_text() for text in legend.get_texts()]
        assert labels[0].startswith("rate ")
        assert labels[0].endswith(" times the stable rate")
        assert labels[1:] == [r"\$mine", "path 3", "start"]
        assert legend.get_title().get_text() == ""
    np.testing.assert_allclose(display.lines_[1].get_xydata(), display.project(vectors), atol=1e-12)
    assert plt.matplotlib.colors.same_color(display.lines_[1].get_color(), "blue")
    small = display.plot(plt.subplots(figsize=(4, 3))[1]).ax_.get_legend()
    rate = f"rate {display.learning_rates[0]:.2g}"
    assert [text.get_text() for text in small.get_texts()] == [rate, r"\$mine", "path 3", "start"]
    assert small.get_title().get_text() == ""


def test_several_estimators_in_one_plane():
    """Each with its own start and rate, and named by what differs; the cost is that of the first."""
    X, y = noisy()
    models = [ShallowNNClassifier(2, learning_rate=0.5, max_iter=50, random_state=seed) for seed in (1, 2)]
    display = LossContourDisplay.from_estimator(models, X, y)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["random_state=1", "random_state=2", "start"]
    for model, path in zip(models, display.paths, strict=True):
        np.testing.assert_allclose(display.project([model.fit(X, y)]), path[-1:], atol=1e-10)
    with pytest.raises(ValueError, match=r"have \[9, 13\] weights, but one plane needs"):
        LossContourDisplay.from_estimator([models[0], ShallowNNClassifier(3)], X, y)
    with pytest.raises(ValueError, match="each has its own learning_rate"):
        LossContourDisplay.from_estimator(models, X, y, learning_rates=[1.0])
    with pytest.raises(ValueError, match="the estimators, but that is empty"):
        LossContourDisplay.from_estimator([], X, y)


def test_paths_have_the_names_given():
    """One for each; without them, estimators that differ in their rates are named by these alone."""
    X, y = noisy()
    models = [LogisticRegressionGD(rate, max_iter=5) for rate in (0.1, 1)]
    draw = LossContourDisplay.from_estimator
    for options, expected in (({"names": ["slow", "fast"]}, ["slow", "fast"]), ({}, ["0.1", "1"])):
        legend = draw(models, X, y, **options).ax_.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == [*expected, "start"]
        assert legend.get_title().get_text() == ("" if options else "learning rate")
    display = draw(models[0], X, y, learning_rates=[0.1, 1], names=("slow", "fast"))
    assert display.labels == ["slow", "fast"]
    for names in ("ab", ["slow"]):
        with pytest.raises(ValueError, match="names should be a list of 2, one for each path, got"):
            draw(models, X, y, names=names)


def test_weights_that_are_not_of_the_plane_are_refused():
    X, y = noisy()
    display = LossContourDisplay.from_estimator(LogisticRegressionGD(max_iter=2), X, y)
    other = LogisticRegressionGD(max_iter=2).fit(X[:, :1], y)
    for weights in ([other], np.zeros((2, 4)), np.zeros(3), []):
        with pytest.raises(
            ValueError, match=r"one of 3 weights, but \[.*\] are given: pass a list of models"
        ):
            display.project(weights)
    with pytest.raises(ValueError, match="contains NaN"):
        display.add_path([[0, np.nan, 1]])
    with pytest.raises(NotFittedError):
        display.project([LogisticRegressionGD()])
    with pytest.raises(TypeError, match=r"LossContourDisplay takes LogisticRegressionGD.*got SVC"):
        display.add_path([SVC()])
    assert len(display.paths) == len(display.lines_) == 1


def test_what_it_cannot_draw():
    X, y = noisy(n=3)
    line = LogisticRegressionGD(max_iter=2)
    for model, options, error, message in (
        (SVC(), {}, TypeError, "LossContourDisplay takes LogisticRegressionGD.*got SVC"),
        (line, {"learning_rates": []}, ValueError, "a path for each .*, but that is empty"),
        (line, {"learning_rates": 0.1}, TypeError, r"should be a list, got 0.1: pass \[0.1\]"),
        (line, {"learning_rates": "auto"}, TypeError, r"should be a list, got .*: pass \["),
    ):
        with pytest.raises(error, match=message):
            LossContourDisplay.from_estimator(model, X, y, **options)
