"""A boundary that descends: models after given steps of one descent, drawn or animated."""

from copy import copy
from functools import partial
from html import escape
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_scalar

from .._fitting.descent_path import descent_path, geometric_steps, models_reached
from .._fitting.fitted_weights import model_in
from .._fitting.pipelines import last_step
from .axes import (
    SLIDE,
    divide,
    import_matplotlib,
    ink,
    is_small,
    keywords,
    label_axes,
    n_letters,
    paper,
    points,
    room,
    text_size,
    two_panels,
)
from .feature_plane import GRID, Plane, background, check_labels, class_colours

N_MODELS = 60  # unless told
N_FRAMES, DPI = 34, 72  # unless told: a GIF of less than 1 MB, less than 2 MB in a notebook
QUALITY, N_COLOURS = 50, 128  # of the JPEGs in a page, and of a GIF
TICK = 0.3  # inches that a label of the logarithmic axis takes
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
    multiclass_colors : str or list of matplotlib colors of shape (n_classes,), default=None
        The colours of the classes, of two classes too: the name of a colormap, or a colour for each class.
        None takes those of the style's `axes.prop_cycle`; of matplotlib's default style, colours for all
        kinds of sight.
    grid_resolution : int, default=200
        The points on each side of the panel of the boundary, at least 2.
    contour_kw, line_kw, scatter_kw : dict, default=None
        For matplotlib's `contour`, `plot` and `scatter`, which draw the boundary, the cost and the samples.

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

    def __init__(
        self,
        *,
        models,
        steps,
        X,
        y,
        multiclass_colors=None,
        grid_resolution=GRID,
        contour_kw=None,
        line_kw=None,
        scatter_kw=None,
    ):
        self.models = models
        self.steps = steps
        self.X = X
        self.y = y
        self.multiclass_colors = multiclass_colors
        self.grid_resolution = grid_resolution
        self.contour_kw = contour_kw
        self.line_kw = line_kw
        self.scatter_kw = scatter_kw

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        steps=None,
        multiclass_colors=None,
        grid_resolution=GRID,
        contour_kw=None,
        line_kw=None,
        scatter_kw=None,
        ax=None,
    ):
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
        multiclass_colors, grid_resolution, contour_kw, line_kw, scatter_kw
            The colours, the resolution and the style of the parts: see the parameters of the class.
        ax : matplotlib Axes, default=None
            One of a grid of axes, whose place the panels divide; None makes a new figure. In a small place
            words are fewer and shorter. Create its figure with ``layout="constrained"``.

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
            If `estimator` holds no classifier of this package, or if `ax` is not one Axes.
        ValueError
            If X has not two features, if `steps` is empty, negative or not increasing, if colours are unknown
            or not one for each class, if `grid_resolution` is below 2, if `ax` is not one of a grid, or for
            what `fit` refuses.

        Warns
        -----
        ConvergenceWarning
            If a fit of the last step would.
        """
        import_matplotlib("pyplot")
        model = model_in(cls.__name__, estimator)
        Plane(X, grid_resolution)  # refuses other numbers of features before it trains
        if steps is None:
            steps = geometric_steps(last_step(model).max_iter, N_MODELS)
        models, steps = models_reached(descent_path(clone(model), X, y, steps), steps)
        display = cls(
            models=models,
            steps=np.asarray(steps),
            X=X,
            y=y,
            multiclass_colors=multiclass_colors,
            grid_resolution=grid_resolution,
            contour_kw=contour_kw,
            line_kw=line_kw,
            scatter_kw=scatter_kw,
        )
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
        TypeError
            If `ax` is not one Axes.
        ValueError
            If X has not two features, if `y` has unknown labels or another length, or if `ax` is not one of
            a grid.
        """
        steps = np.asarray(self.steps)
        self._draw_panels(ax)
        self._draw_model(len(steps) - 1 if step is None else int(np.abs(steps - step).argmin()))
        return self

    def animate(self, path=None, *, interval=100, dpi=DPI, n_frames=N_FRAMES, figsize=None):
        """Draw the steps one after another, in a new figure, and hold the last for a second.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to save the animation: a name that ends in .gif, in .html for a page with buttons, or in
            .mp4, which needs FFmpeg. None saves nothing.
        interval : int, default=100
            The milliseconds between two steps, at least 1.
        dpi : int, default=72
            The pixels for each inch of the figure, at least 1.
        n_frames : int, default=34
            How many of the steps are drawn, at least 1; all, if they are fewer. The last is always drawn.
        figsize : tuple of float, default=None
            The width and height of the figure in inches; None makes it 9.6 by 5.4.

        Returns
        -------
        animation : matplotlib FuncAnimation
            The animation. A notebook shows it with buttons if it is the last line of a cell; in a script,
            ``plt.show()`` does while a variable holds it. With a `path` a notebook shows only the name of the
            file, and the figure is closed.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            If `path` has another ending, if it ends in .mp4 without FFmpeg, or if a number is below 1.
        OSError
            If the file cannot be written.

        Notes
        -----
        By default a GIF takes less than 1 MB, what a notebook holds, as JPEG, less than 2 MB, an .mp4 about
        0.2 MB. HTML leaves out what would exceed matplotlib's rcParams["animation.embed_limit"], 20 MB, and
        logs that.
        """
        for name, value in (("interval", interval), ("dpi", dpi), ("n_frames", n_frames)):
            check_scalar(value, name, Integral, min_val=1)
        tools = import_matplotlib("animation")
        suffix = None if path is None else Path(path).suffix.lower()
        if suffix not in (None, ".gif", ".html", ".mp4"):
            raise ValueError(f"{type(self).__name__}.animate saves .gif, .html or .mp4, got {path}.")
        if suffix == ".mp4" and not tools.writers.is_available("ffmpeg"):
            raise ValueError(
                f"{path} needs FFmpeg, which matplotlib does not find: install it (apt, brew or conda "
                'install ffmpeg), or set rcParams["animation.ffmpeg_path"] to it, or save a .gif or .html.'
            )
        last = len(self.models) - 1
        picture = copy(self)
        picture._draw_panels(size=figsize)
        picture._draw_model(last)
        picture.figure_.canvas.draw()  # lays out the figure once for all frames: panels that move distract
        picture.figure_.set_layout_engine("none")
        shown = np.unique(np.linspace(last, 0, n_frames).round().astype(int)).tolist()
        frames = [*shown[:-1], *[last] * (1 + 1000 // interval)]
        animation = tools.FuncAnimation(picture.figure_, picture._draw_model, frames, interval=interval)
        if path is None:
            animation._repr_html_ = partial(_to_html, animation, picture.figure_, interval, dpi)
            return animation
        if suffix == ".html":
            Path(path).write_text(_to_html(animation, picture.figure_, interval, dpi), encoding="utf-8")
        elif suffix == ".gif":
            _save_gif(animation, path, interval, dpi)
        else:
            animation.save(path, tools.FFMpegWriter(fps=1000 / interval), dpi=dpi)
        import_matplotlib("pyplot").close(picture.figure_)
        animation._repr_html_ = partial(escape, str(path))
        return animation

    def _draw_panels(self, ax=None, size=None):
        """Draw what is the same at all steps: the samples and the whole curve of the cost."""
        classes = self.models[0].classes_
        self._plane = Plane(self.X, self.grid_resolution)
        self._colours = class_colours(len(classes), self.multiclass_colors)
        labels = check_labels(self.X, self.y, classes)
        self.figure_, place = divide(ax, size or SLIDE)
        left, right = two_panels(self.figure_, place, width_ratios=(3, 2))
        self.ax_ = self.figure_.add_subplot(left)
        pixels = background(self._plane.logits(self.models[0]), self._colours)
        self.image_ = self._plane.draw_image(self.ax_, pixels)
        self.points_ = self._plane.draw_samples(self.ax_, labels, classes, self._colours, self.scatter_kw)
        self.boundary_, self.unit_lines_ = [], []
        self.loss_ax_ = self.figure_.add_subplot(right)
        self._draw_losses()

    def _draw_losses(self):
        """Draw the whole curve, pale, and the line and the marker that follow the steps."""
        steps, ax = np.asarray(self.steps), self.loss_ax_
        self._losses = losses = [last_step(model).loss_ for model in self.models]
        thin = is_small(self.ax_)
        style = {"color": tuple(ink()), "linestyle": "-", "linewidth": 1.2 if thin else 2}
        style = keywords(import_matplotlib("lines").Line2D, style, self.line_kw)
        ax.plot(steps, losses, **style | {"alpha": 0.3})
        (self.line_,) = ax.plot([], [], **style)
        (self.marker_,) = ax.plot([], [], **{"marker": "o", "markersize": 4 if thin else 8} | style)
        label_axes(ax, ["step"], ["" if thin else "cost J"], size=text_size(self.ax_))
        if np.median(steps) < steps[-1] / 4:  # closer together at first
            ax.set_xscale("symlog", linthresh=1, linscale=0.5)
            ax.set_xticks(_log_ticks(steps[-1], room(ax)[0]))
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
        self.boundary_ = self._plane.draw_boundary(self.ax_, Z, self.contour_kw)
        self.line_.set_data(self.steps[: i + 1], self._losses[: i + 1])
        self.marker_.set_data([self.step_], [self._losses[i]])
        step, accuracy, loss = f"step {self.step_:,}", f"{model.score(self.X, self.y):.1%}", self._losses[i]
        end = f"step {self.steps[-1]:,}"  # its length decides for all steps, since words that change distract
        lengths = [len(f"{end}: accuracy 100.0%"), len(f"{end}: 100.0%"), len(end)]
        self._set_title(self.ax_, [f"{step}: accuracy {accuracy}", f"{step}: {accuracy}", step], lengths)
        self._set_title(self.loss_ax_, [f"cost {loss:.4g}", f"J {loss:.2g}"], [14, 8])

    def _set_title(self, ax, texts, lengths):
        """Set the first of the titles for whose length there is room."""
        style = import_matplotlib("pyplot").rcParams["axes.titlesize"]
        size = points("small" if is_small(self.ax_) else style)
        n = n_letters(room(ax)[0], size)
        fits = [text for text, length in zip(texts, lengths, strict=True) if length <= n]
        ax.set_title(fits[0] if fits else "", fontsize=size)

    def _draw_units(self, model):
        """Draw the line of each hidden unit; return those in the panel."""
        if not hasattr(last_step(model), "coefs_"):
            return []
        inputs = np.moveaxis(self._plane.hidden_inputs(model), -1, 0)
        pale_ink = 0.6 * ink() + 0.4 * paper()
        style = {"colors": [pale_ink], "linestyles": "dashed", "linewidths": 0.8}
        lines = [self._plane.draw_zero_line(self.ax_, Z, **style) for Z in inputs]
        return [line for line in lines if line is not None]


def _log_ticks(end, width):
    """Return 0 and powers of 10 up to the end, as many as have room in a width in inches."""
    decades = int(np.log10(max(end, 1)))
    stride = int(np.ceil(TICK * (decades + 1) / width))
    powers = [10**k for k in range(decades, -1, -stride)]
    return sorted({0, *(power for power in powers if stride == 1 or power > 1)})


def _to_html(animation, figure, interval, dpi):
    """Return an animation as HTML, and close its figure, of which a notebook would show a second picture."""
    pyplot, tools = import_matplotlib("pyplot"), import_matplotlib("animation")
    quality = {"pil_kwargs": {"quality": QUALITY}}
    with pyplot.rc_context({"animation.frame_format": "jpeg"}), TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        writer = tools.HTMLWriter(fps=1000 / interval, embed_frames=True)
        animation.save(page, writer, dpi=dpi, savefig_kwargs=quality)
        html = page.read_text(encoding="utf-8")
    pyplot.close(figure)
    return html


def _save_gif(animation, path, interval, dpi):
    """Save an animation in colours that all frames share, so that what stays equal takes no space."""
    from PIL import Image, ImageSequence

    with TemporaryDirectory() as folder:
        pictures = Path(folder) / "frames.png"  # an animated PNG: it loses nothing
        animation.save(pictures, import_matplotlib("animation").PillowWriter(fps=1000 / interval), dpi=dpi)
        with Image.open(pictures) as picture:
            frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(picture)]
            durations = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    ends = Image.fromarray(np.vstack([np.asarray(frames[i]) for i in (0, len(frames) // 2, -1)]))
    palette = ends.quantize(N_COLOURS, dither=Image.Dither.NONE)
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)
