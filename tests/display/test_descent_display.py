"""What is drawn of a descent at every step: boundary, cost and hidden units, on the same axes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from longhand import logistic_descent, network_descent
from models import blobs
from sknn_basic import DescentDisplay, LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.descent_display import N_FRAMES
from sknn_basic._display.feature_plane import Plane, background, class_colours

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")

STEPS = [0, 1, 5, 20]


@pytest.fixture
def small(monkeypatch):
    """New figures are half as wide and high, since frames of an animation take long to draw."""
    monkeypatch.setattr("sknn_basic._display.descent_display.SLIDE", (4.8, 2.7))


def test_boundary_and_cost_are_those_of_the_notes_loop():
    """After each step: w x + b = 0 on the line, and J of these weights at its marker."""
    X, y = blobs(n=2)
    display = DescentDisplay.from_estimator(LogisticRegressionGD(0.5), X, y, steps=STEPS)
    assert display.step_ == 20
    costs = logistic_descent(X.T, y, 0.5, 21)[2]
    for i, step in enumerate(STEPS):
        w, b, _ = logistic_descent(X.T, y, 0.5, step)
        assert display.plot(step) is display
        assert display.step_ == step
        for line in display.boundary_:
            np.testing.assert_allclose(line.get_paths()[0].vertices @ w + b, 0, atol=1e-9)
        assert bool(display.boundary_) == (step > 0)
        np.testing.assert_array_equal(display.line_.get_xdata(), STEPS[: i + 1])
        np.testing.assert_allclose(display.line_.get_ydata(), costs[STEPS[: i + 1]])
        np.testing.assert_allclose(np.ravel(display.marker_.get_data()), [step, costs[step]])
        accuracy = np.mean((X @ w + b > 0).ravel() == y)
        assert display.ax_.get_title() == f"step {step}: accuracy {accuracy:.1%}"
        assert display.loss_ax_.get_title() == f"cost {costs[step]:.4g}"
        assert display.unit_lines_ == []


def test_a_fitted_model_is_drawn_from_the_start():
    """Also with warm_start=True, where `descent_path` would continue from its weights."""
    X, y = blobs(n=2)
    model = LogisticRegressionGD(0.5, warm_start=True)
    fresh = DescentDisplay.from_estimator(model, X, y, steps=STEPS)
    again = DescentDisplay.from_estimator(model.fit(X, y), X, y, steps=STEPS)
    np.testing.assert_array_equal(again.line_.get_ydata(), fresh.line_.get_ydata())


def test_lines_of_hidden_units_are_those_of_the_notes_loop():
    """One for each unit, where w1 x + b1 = 0, if that is in the panel."""
    X, y = blobs(n=2)
    model = ShallowNNClassifier(3, learning_rate=0.5, init_scale=0.3, random_state=7)
    display = DescentDisplay.from_estimator(model, X, y, steps=STEPS)
    for step in STEPS:
        W1, b1, *_ = network_descent(X.T, y, 3, "tanh", 0.5, step, 7, 0.3)
        display.plot(step)
        plane = Plane(X)
        corners = np.array([[x0, x1] for x0 in plane.first[[0, -1]] for x1 in plane.second[[0, -1]]])
        inputs = corners @ W1.T + b1.T
        crossing = [j for j in range(3) if inputs[:, j].min() < 0 < inputs[:, j].max()]
        for j, line in zip(crossing, display.unit_lines_, strict=True):
            (path,) = line.get_paths()
            np.testing.assert_allclose(path.vertices @ W1[j] + b1[j], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "n_classes"), [(LogisticRegressionGD(), 3), (ShallowNNClassifier(3, random_state=0), 2)]
)
def test_a_pipeline_on_a_table(model, n_classes):
    """The background shows the probabilities before the transformers; the columns name the axes."""
    X, y = blobs(n_classes, n=2)
    X = pd.DataFrame(X * 3 + 10, columns=["length ($cm)", "width"])
    y = np.array(["ant", "bee", "cat"])[y]
    pipeline = make_pipeline(StandardScaler(), model)
    display = DescentDisplay.from_estimator(pipeline, X, y, steps=[0, 100]).plot(100)
    pipeline.set_params(**{f"{pipeline.steps[-1][0]}__max_iter": 100}).fit(X, y)
    plane = Plane(X)
    expected = background(plane.logits(pipeline), class_colours(n_classes))
    np.testing.assert_allclose(display.image_.get_array(), expected, atol=1e-12)
    np.testing.assert_array_equal(display.points_.get_offsets(), X)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("length ($cm)", "width")
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["ant", "bee", "cat"][:n_classes]
    display.figure_.canvas.draw()


def test_the_nearest_step_is_drawn_on_the_same_axes(small):
    X, y = blobs(n=2)
    display = DescentDisplay.from_estimator(LogisticRegressionGD(0.5), X, y, steps=STEPS)
    panels = []
    for step, nearest in ((-3, 0), (2, 1), (4, 5), (10**9, 20), (None, 20)):
        assert display.plot(step).step_ == nearest
        display.figure_.draw_without_rendering()
        panels.append([[ax.get_xlim(), ax.get_ylim()] for ax in (display.ax_, display.loss_ax_)])
    assert all(panel == panels[0] for panel in panels)


def test_default_steps_begin_at_the_start_and_end_with_the_fit():
    """In a geometric progression, drawn on a logarithmic axis; even steps are drawn on an even one."""
    X, y = blobs(n=2)
    model = LogisticRegressionGD(max_iter=1500)
    display = DescentDisplay.from_estimator(model, X, y)
    assert (display.steps[0], display.steps[1], display.steps[-1]) == (0, 1, 1500)
    assert 45 < len(display.steps) <= 60
    assert display.loss_ax_.get_xscale() == "symlog"
    np.testing.assert_array_equal(display.models[-1].coef_, model.fit(X, y).coef_)
    even = DescentDisplay.from_estimator(model, X, y, steps=range(0, 100, 20))
    assert even.loss_ax_.get_xscale() == "linear"


def test_an_animation_draws_what_plot_draws(small):
    """Frame by frame, in a figure of its own, and the last step again for a second."""
    X, y = blobs(3, n=2)
    model = ShallowNNClassifier(2, random_state=0)
    display = DescentDisplay.from_estimator(model, X, y, steps=STEPS)
    before = display.figure_
    animation = display.animate(interval=250)
    assert display.figure_ is before
    frames = list(animation.new_frame_seq())
    assert frames == [0, 1, 2, 3, 3, 3, 3, 3]
    (left, right) = animation._fig.axes
    for i, step in enumerate(STEPS):
        animation._draw_frame(i)
        display.plot(step)
        np.testing.assert_array_equal(left.images[0].get_array(), display.image_.get_array())
        assert left.get_title() == display.ax_.get_title()
        assert right.get_title() == display.loss_ax_.get_title()
        np.testing.assert_array_equal(right.lines[1].get_data(), display.line_.get_data())
        assert len(left.collections) == len(display.ax_.collections)
    animation._draw_was_started = True  # or matplotlib warns that it was not rendered


def test_saved_animations(small, tmp_path):
    """A GIF that shows each step for `interval`, in the size of the figure; a page with a frame for each.

    A notebook then shows the file's name alone: the figure is closed.
    """
    from PIL import Image, ImageSequence

    X, y = blobs(n=2, m=10)
    display = DescentDisplay.from_estimator(LogisticRegressionGD(1.0), X, y, steps=[0, 3])
    animation = display.animate(tmp_path / "<descent>.gif", interval=600, dpi=100)
    with Image.open(tmp_path / "<descent>.gif") as image:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
        assert durations == [600, 1200]
        assert image.size == (480, 270)
    assert animation._repr_html_() == str(tmp_path / "&lt;descent&gt;.gif")
    assert not plt.fignum_exists(animation._fig.number)
    display.animate(tmp_path / "a.gif", interval=1001, dpi=100, figsize=(3, 2))
    with Image.open(tmp_path / "a.gif") as image:
        assert image.size == (300, 200)
    animation = display.animate(tmp_path / "descent.html", interval=2000)
    page = (tmp_path / "descent.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64") == 2
    assert animation._repr_html_() == str(tmp_path / "descent.html")
    assert not plt.fignum_exists(animation._fig.number)


def test_a_notebook_shows_a_page_with_buttons(small):
    """Whatever matplotlib's settings are. It closes the figure, of which it would show a second picture."""
    display = DescentDisplay.from_estimator(LogisticRegressionGD(1.0), *blobs(n=2, m=10), steps=[0, 3])
    animation = display.animate(interval=2000)
    assert plt.fignum_exists(animation._fig.number)
    page = animation._repr_html_()
    assert page.count("data:image/jpeg;base64") == 2
    assert 'type="range"' in page
    assert not plt.fignum_exists(animation._fig.number)
    assert (plt.rcParams["animation.html"], plt.rcParams["animation.frame_format"]) == ("none", "png")


def test_animations_are_small_by_default(tmp_path):
    """A GIF of at most 1 MB, and 2 MB in a notebook: so many frames as there are by default, of that size."""
    X, y = make_moons(200, noise=0.2, random_state=0)
    network = ShallowNNClassifier(4, random_state=0, max_iter=1000)
    display = DescentDisplay.from_estimator(network, X, y)
    n, held = 3, 10  # frames drawn here, and as how many a page of 100 ms each holds the last for a second
    gif, page = tmp_path / "a.gif", tmp_path / "a.html"
    display.animate(gif, n_frames=n, interval=1001)
    assert 1e4 < gif.stat().st_size * N_FRAMES / n < 1e6
    display.animate(page, n_frames=n, interval=1001)
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64") == n
    assert 1e5 < len(text) * (N_FRAMES + held) / n < 2e6


def test_the_frames_of_an_animation_are_spread_over_the_steps(small):
    """From the first to the last; no more than asked for, and all if they are fewer."""
    display = DescentDisplay.from_estimator(LogisticRegressionGD(), *blobs(n=2), steps=range(9))
    for n, expected in ((1, [8]), (2, [0, 8]), (5, [0, 2, 4, 6, 8]), (100, [*range(9)])):
        animation = display.animate(n_frames=n, interval=2000)
        assert list(animation.new_frame_seq()) == expected
        animation._draw_was_started = True  # or matplotlib warns that it was not rendered
    for name in ("n_frames", "dpi", "interval"):
        with pytest.raises(ValueError, match=f"{name} == 0, must be >= 1"):
            display.animate(**{name: 0})


def test_mp4_needs_ffmpeg(small, tmp_path, monkeypatch):
    """Where it is missing, the message says how to get it; else it writes the file."""
    display = DescentDisplay.from_estimator(LogisticRegressionGD(), *blobs(n=2), steps=[0, 3])
    writers = pytest.importorskip("matplotlib.animation").writers
    if writers.is_available("ffmpeg"):
        display.animate(tmp_path / "a.mp4", interval=1000)
        assert b"ftyp" in (tmp_path / "a.mp4").read_bytes()[:12]
    monkeypatch.setattr(writers, "is_available", lambda name: False)
    with pytest.raises(ValueError, match=r"b\.mp4 needs FFmpeg.*install.*animation.ffmpeg_path"):
        display.animate(tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_searches_and_axes_of_the_users_own():
    X, y = blobs(n=2)
    search = GridSearchCV(LogisticRegressionGD(max_iter=30), {"learning_rate": [0.1, 1.0]}, cv=2)
    with pytest.raises(NotFittedError, match=r"DescentDisplay takes the best_estimator_"):
        DescentDisplay.from_estimator(search, X, y)
    search.fit(X, y)
    figure, (left, _) = plt.subplots(1, 2)
    display = DescentDisplay.from_estimator(search, X, y, ax=left)
    assert display.figure_ is figure
    assert display.models[-1].learning_rate_ == search.best_params_["learning_rate"]


def test_what_it_cannot_draw(small, tmp_path):
    X, y = blobs(n=3)
    with pytest.raises(TypeError, match=r"DescentDisplay takes LogisticRegressionGD.*got SVC"):
        DescentDisplay.from_estimator(SVC(), X, y)
    with pytest.raises(ValueError, match="the plane of two features, but X has 3"):
        DescentDisplay.from_estimator(make_pipeline(PCA(2), LogisticRegressionGD()), X, y)
    display = DescentDisplay.from_estimator(LogisticRegressionGD(), X[:, :2], y, steps=[2])
    with pytest.raises(ValueError, match=r"saves .gif, .html or .mp4, got movie.avi"):
        display.animate("movie.avi")
    with pytest.raises(OSError, match="nowhere"):
        display.animate(tmp_path / "nowhere" / "a.html", interval=2000)


def test_diverged_steps_are_left_out():
    """The models that a fit keeps of them are those of other steps."""
    X, y = make_moons(100, noise=0.2, random_state=0)
    model = ShallowNNClassifier(3, "relu", max_iter=300, random_state=0, learning_rate=1e3, record_every=1)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        display = DescentDisplay.from_estimator(model, X * 100, y)
    assert [model.n_iter_ for model in display.models] == list(display.steps)
    assert display.steps[-1] < 300
    assert display.loss_ax_.get_yscale() == "log"


def test_dark_style():
    with plt.style.context("dark_background"):
        display = DescentDisplay.from_estimator(LogisticRegressionGD(max_iter=5), *blobs(n=2))
    for line in (display.line_, display.marker_):
        assert plt.matplotlib.colors.same_color(line.get_color(), "white")


@pytest.mark.parametrize("n_classes", [4, 9])
def test_long_names_leave_room_for_the_plane(n_classes):
    X, y = make_blobs(90, centers=n_classes, random_state=0)
    names = np.array([f"a class with a rather long name, {i}" for i in range(n_classes)])
    display = DescentDisplay.from_estimator(LogisticRegressionGD(), X, names[y], steps=[0, 5])
    display.figure_.draw_without_rendering()
    assert min(display.ax_.get_position().size) > 0.4
