"""A boundary that descends: models after given steps of one descent, drawn or animated."""

from functools import partial
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_scalar

from .._fitting.descent_path import descent_path, geometric_steps, models_reached
from .._fitting.pipelines import last_step
from .common import best_model, import_matplotlib, room_for_panels
from .plane import (
    Plane,
    background,
    check_labels,
    class_colours,
    draw_background,
    draw_boundary,
    draw_legend,
    draw_points,
    draw_zero_line,
    name_axes,
)

SIZE = 9.6, 5.4  # inches, of a new figure: the shape of a slide, and an animation of less than 20 MB
N_MODELS = 60  # unless told: an animation of some seconds
HIGHEST = 100  # times the first cost, from which on the axis is logarithmic; the fourth power is its end


class DescentDisplay:
    """The boundary of a classifier on two features after given steps of its descent, and the cost so far.

    On the left are the probabilities as a background, a black line where the most probable class
    changes (for two classes the line of 50 %), the samples and, for a network, a dashed line for each
    hidden unit where its input Z1 is 0. On the right is the cost over the steps. All steps are drawn on
    the same axes and in the same colours.

    Create it by `from_estimator`, which trains; `plot` draws another step, `animate` all of them.

    Parameters
    ----------
    models : list of estimators of shape (n_models,)
        The fitted models, as `descent_path` returns them.
    steps : array-like of int of shape (n_models,)
        After how many steps each of them was reached, in increasing order.
    X : array-like of shape (n_samples, 2)
        The samples, as the models take them.
    y : array-like of shape (n_samples,)
        The class of each sample.

    Attributes
    ----------
    step_ : int
        The step that is drawn.
    ax_ : matplotlib Axes
        The panel of the boundary.
    image_ : matplotlib AxesImage
        The probabilities.
    boundary_ : list of matplotlib QuadContourSet
        The lines where the most probable class changes.
    unit_lines_ : list of matplotlib QuadContourSet
        The lines where the inputs of hidden units are 0, of those that have one in the panel.
    points_ : matplotlib PathCollection
        The samples.
    loss_ax_ : matplotlib Axes
        The panel of the cost.
    line_ : matplotlib Line2D
        The cost up to the step.
    marker_ : matplotlib Line2D
        The cost at the step.
    figure_ : matplotlib Figure
        The figure of both panels.

    See Also
    --------
    descent_path : The models alone.
    HiddenUnitsDisplay : What each hidden unit does.
    LossContourDisplay : The path of the weights over the cost.
    LossCurveDisplay : The cost of a fit, on any number of features.

    References
    ----------
    "Deep Learning in Python" (notes), sections 1.2.2 and 1.3.6: the cost over the steps; data that no line
    separates.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import DescentDisplay, ShallowNNClassifier
    >>> X, y = make_moons(200, noise=0.2, random_state=0)
    >>> network = ShallowNNClassifier(4, random_state=0, max_iter=1000)
    >>> display = DescentDisplay.from_estimator(network, X, y)
    >>> display = display.plot(10)  # the step, or the nearest one
    >>> animation = display.animate("descent.gif")  # doctest: +SKIP
    """

    def __init__(self, *, models, steps, X, y):
        self.models = models
        self.steps = steps
        self.X = X
        self.y = y

    @classmethod
    def from_estimator(cls, estimator, X, y, *, steps=None, ax=None):
        """Train an estimator on two features, and draw the last step.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            A classifier of this package, a pipeline that ends in one, or a search whose `best_estimator_` is
            either. It is cloned and trained anew by `descent_path`; whether it is fitted makes no difference.
        X : array-like of shape (n_samples, 2)
            The samples as `fit` of the estimator takes them. The columns of a table name the axes.
        y : array-like of shape (n_samples,)
            The class of each sample.
        steps : array-like of int, default=None
            The steps that can be drawn, in increasing order, from 0, the start, on; with them, `max_iter` is
            not used. Steps after the descent has diverged are left out. None takes about 60 up to
            `max_iter`, in a geometric progression, since the boundary moves fast at first and then ever more
            slowly.
        ax : matplotlib Axes, default=None
            One of a grid of axes, whose place the panels divide; None makes a new figure.

        Returns
        -------
        display : DescentDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If a search is not fitted.
        TypeError
            If `estimator` holds no classifier of this package.
        ValueError
            If X has not two features, if `steps` is empty, negative or not increasing, if `ax` is not one of
            a grid, or for what `fit` refuses.

        Warns
        -----
        ConvergenceWarning
            If a fit of the last step would.
        """
        import_matplotlib("pyplot", cls.__name__)
        model = best_model(cls.__name__, estimator)
        Plane(cls.__name__, X)  # refuses other numbers of features before it trains
        if steps is None:
            steps = geometric_steps(last_step(model).max_iter, N_MODELS)
        models, steps = models_reached(descent_path(model, X, y, steps), steps)
        display = cls(models=models, steps=np.asarray(steps), X=X, y=y)
        return display.plot(ax=ax)

    def plot(self, step=None, *, ax=None):
        """Draw one step.

        Parameters
        ----------
        step : int, default=None
            The step to draw: the nearest one in `steps` is drawn, and the title tells which. None draws the
            last.
        ax : matplotlib Axes, default=None
            One of a grid of axes, whose place the panels divide; None makes a new figure.

        Returns
        -------
        display : DescentDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            If X has not two features, if `y` has unknown labels or another length, or if `ax` is not one of
            a grid.
        """
        nearest = (
            len(self.models) - 1 if step is None else int(np.abs(np.asarray(self.steps) - step).argmin())
        )
        picture = _Picture(self, ax)
        picture.draw(nearest)
        self.step_ = self.steps[nearest]
        self.figure_, self.ax_, self.loss_ax_ = picture.figure, picture.ax, picture.loss_ax
        self.image_, self.points_ = picture.image, picture.points
        self.boundary_, self.unit_lines_ = picture.boundary, picture.unit_lines
        self.line_, self.marker_ = picture.line, picture.marker
        return self

    def animate(self, path=None, *, interval=100):
        """Draw all steps one after another, in a new figure, and hold the last for a second.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to save the animation: a name that ends in .gif, or in .html for a page with buttons. None
            saves nothing. HTML leaves out what would exceed matplotlib's rcParams["animation.embed_limit"],
            about 70 frames, and logs that.
        interval : int, default=100
            The milliseconds between two steps, at least 1.

        Returns
        -------
        animation : matplotlib FuncAnimation
            The animation. A notebook shows it with buttons if it is the last line of a cell; in a script,
            ``plt.show()`` does while a variable holds it.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            If `path` has another ending, or `interval` is below 1.
        OSError
            If the file cannot be written.
        """
        this = type(self).__name__
        check_scalar(interval, "interval", Integral, min_val=1)
        kind = None if path is None else Path(path).suffix.lower()
        if kind not in (None, ".gif", ".html"):
            raise ValueError(f"{this}.animate saves .gif or .html, got {path}.")
        tools = import_matplotlib("animation", this)
        picture = _Picture(self)
        picture.hold_still()
        n = len(self.models)
        frames = [*range(n), *[n - 1] * (1000 // interval)]
        animation = tools.FuncAnimation(picture.figure, picture.draw, frames, interval=interval)
        animation._repr_html_ = partial(_to_html, animation, picture.figure)
        if kind == ".gif":
            animation.save(path, tools.PillowWriter(fps=1000 / interval))
        elif kind == ".html":
            Path(path).write_text(animation.to_jshtml(), encoding="utf-8")
        return animation


class _Picture:
    """The panels of a display in one figure, in which one model after another can be drawn."""

    def __init__(self, display, ax=None):
        this = type(display).__name__
        self.display, self.classes = display, display.models[0].classes_
        self.plane = Plane(this, display.X)
        labels = check_labels(this, display.X, display.y, self.classes)
        self.colours = class_colours(this, len(self.classes))
        self.losses = [last_step(model).loss_ for model in display.models]
        self.figure, place = room_for_panels(this, ax, SIZE)
        left, right = place.subgridspec(1, 2, width_ratios=(3, 2), wspace=0.06)
        self.ax = self.figure.add_subplot(left)
        self.image = draw_background(self.ax, self.plane, self._logits(0), self.colours)
        self.points = draw_points(self.ax, self.plane, labels, self.colours)
        draw_legend(self.ax, self.classes, self.colours)
        name_axes(self.ax, self.plane)
        self.boundary, self.unit_lines = [], []
        self.loss_ax = self.figure.add_subplot(right)
        self._draw_losses()

    def hold_still(self):
        """Lay out the figure once for all frames: panels that move distract, and each layout takes time."""
        self.draw(len(self.display.models) - 1)
        self.figure.canvas.draw()
        self.figure.set_layout_engine("none")

    def _logits(self, i):
        return self.plane.logits(self.display.models[i])

    def _draw_losses(self):
        """Draw the whole curve in grey, and the line and the marker that follow the steps."""
        steps = np.asarray(self.display.steps)
        colour = import_matplotlib("pyplot", type(self.display).__name__).rcParams["text.color"]
        self.loss_ax.plot(steps, self.losses, "-", color="0.6", linewidth=1.5, alpha=0.6)
        (self.line,) = self.loss_ax.plot([], [], "-", color=colour, linewidth=2)
        (self.marker,) = self.loss_ax.plot([], [], "o", color=colour, markersize=8)
        self.loss_ax.set(xlabel="step", ylabel="cost J")
        if np.median(steps) < steps[-1] / 4:  # closer together at first
            self.loss_ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        if max(self.losses) > HIGHEST * self.losses[0]:
            highest = min(2 * max(self.losses), HIGHEST**4 * self.losses[0])
            self.loss_ax.set_ylim(min(self.losses) / 2, highest)
            self.loss_ax.set_yscale("log")
        self.loss_ax.grid(alpha=0.3)

    def draw(self, i):
        """Draw the i-th model in place of the one before."""
        display, model = self.display, self.display.models[i]
        for line in self.boundary + self.unit_lines:
            line.remove()
        Z = self._logits(i)
        self.image.set_array(background(Z, self.colours))
        self.unit_lines = self._draw_units(model)
        self.boundary = draw_boundary(self.ax, self.plane, Z)
        self.line.set_data(display.steps[: i + 1], self.losses[: i + 1])
        self.marker.set_data([display.steps[i]], [self.losses[i]])
        accuracy = model.score(display.X, display.y)
        self.ax.set_title(f"step {display.steps[i]:,}: accuracy {accuracy:.1%}")
        self.loss_ax.set_title(f"cost {self.losses[i]:.4g}")

    def _draw_units(self, model):
        """Draw the line of each hidden unit; return those in the panel."""
        if not hasattr(last_step(model), "coefs_"):
            return []
        inputs = np.moveaxis(self.plane.hidden_inputs(model), -1, 0)
        style = {"colors": "0.4", "linestyles": "dashed", "linewidths": 0.8}
        lines = [draw_zero_line(self.ax, self.plane, Z, **style) for Z in inputs]
        return [line for line in lines if line is not None]


def _to_html(animation, figure):
    """Return an animation as HTML, and close its figure, of which a notebook would show a second picture."""
    html = animation.to_jshtml()
    import_matplotlib("pyplot", "DescentDisplay").close(figure)
    return html
