"""A boundary that descends: models after given steps of one descent, drawn or animated."""

from copy import copy
from functools import partial
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_scalar

from .._fitting.descent_path import descent_path, geometric_steps, models_reached
from .._fitting.pipelines import last_step
from .axes import SLIDE, divide, import_matplotlib
from .estimators import best_model
from .feature_plane import Plane, background, check_labels, class_colours

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
        import_matplotlib("pyplot")
        model = best_model(cls.__name__, estimator)
        Plane(X)  # refuses other numbers of features before it trains
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
        steps = np.asarray(self.steps)
        self._draw_panels(ax)
        self._draw_model(len(steps) - 1 if step is None else int(np.abs(steps - step).argmin()))
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
        check_scalar(interval, "interval", Integral, min_val=1)
        suffix = None if path is None else Path(path).suffix.lower()
        if suffix not in (None, ".gif", ".html"):
            raise ValueError(f"{type(self).__name__}.animate saves .gif or .html, got {path}.")
        tools = import_matplotlib("animation")
        last = len(self.models) - 1
        picture = copy(self)
        picture._draw_panels()
        picture._draw_model(last)
        picture.figure_.canvas.draw()  # lays out the figure once for all frames: panels that move distract
        picture.figure_.set_layout_engine("none")
        frames = [*range(last), *[last] * (1 + 1000 // interval)]
        animation = tools.FuncAnimation(picture.figure_, picture._draw_model, frames, interval=interval)
        animation._repr_html_ = partial(_to_html, animation, picture.figure_)
        if suffix == ".gif":
            animation.save(path, tools.PillowWriter(fps=1000 / interval))
        elif suffix == ".html":
            Path(path).write_text(animation.to_jshtml(), encoding="utf-8")
        return animation

    def _draw_panels(self, ax=None):
        """Draw what is the same at all steps: the samples and the whole curve of the cost."""
        classes = self.models[0].classes_
        self._plane, self._colours = Plane(self.X), class_colours(len(classes))
        labels = check_labels(self.X, self.y, classes)
        self.figure_, place = divide(ax, SLIDE)
        left, right = place.subgridspec(1, 2, width_ratios=(3, 2), wspace=0.06)
        self.ax_ = self.figure_.add_subplot(left)
        pixels = background(self._plane.logits(self.models[0]), self._colours)
        self.image_ = self._plane.draw_image(self.ax_, pixels)
        self.points_ = self._plane.draw_samples(self.ax_, labels, classes, self._colours)
        self.boundary_, self.unit_lines_ = [], []
        self.loss_ax_ = self.figure_.add_subplot(right)
        self._draw_losses()

    def _draw_losses(self):
        """Draw the whole curve in grey, and the line and the marker that follow the steps."""
        steps, ax = np.asarray(self.steps), self.loss_ax_
        self._losses = losses = [last_step(model).loss_ for model in self.models]
        colour = import_matplotlib("pyplot").rcParams["text.color"]
        ax.plot(steps, losses, "-", color="0.6", linewidth=1.5, alpha=0.6)
        (self.line_,) = ax.plot([], [], "-", color=colour, linewidth=2)
        (self.marker_,) = ax.plot([], [], "o", color=colour, markersize=8)
        ax.set(xlabel="step", ylabel="cost J")
        if np.median(steps) < steps[-1] / 4:  # closer together at first
            ax.set_xscale("symlog", linthresh=1, linscale=0.5)
        if max(losses) > HIGHEST * losses[0]:
            ax.set_ylim(min(losses) / 2, min(2 * max(losses), HIGHEST**4 * losses[0]))
            ax.set_yscale("log")
        ax.grid(alpha=0.3)

    def _draw_model(self, i):
        """Draw the i-th model in place of the one before."""
        for line in self.boundary_ + self.unit_lines_:
            line.remove()
        model, self.step_ = self.models[i], self.steps[i]
        Z = self._plane.logits(model)
        self.image_.set_array(background(Z, self._colours))
        self.unit_lines_ = self._draw_units(model)
        self.boundary_ = self._plane.draw_boundary(self.ax_, Z)
        self.line_.set_data(self.steps[: i + 1], self._losses[: i + 1])
        self.marker_.set_data([self.step_], [self._losses[i]])
        self.ax_.set_title(f"step {self.step_:,}: accuracy {model.score(self.X, self.y):.1%}")
        self.loss_ax_.set_title(f"cost {self._losses[i]:.4g}")

    def _draw_units(self, model):
        """Draw the line of each hidden unit; return those in the panel."""
        if not hasattr(last_step(model), "coefs_"):
            return []
        inputs = np.moveaxis(self._plane.hidden_inputs(model), -1, 0)
        style = {"colors": "0.4", "linestyles": "dashed", "linewidths": 0.8}
        lines = [self._plane.draw_zero_line(self.ax_, Z, **style) for Z in inputs]
        return [line for line in lines if line is not None]


def _to_html(animation, figure):
    """Return an animation as HTML, and close its figure, of which a notebook would show a second picture."""
    html = animation.to_jshtml()
    import_matplotlib("pyplot").close(figure)
    return html
