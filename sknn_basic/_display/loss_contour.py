"""The cost over two weights, or over a plane in the space of all of them, with the paths of descents."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_scalar

from .._fitting.fitted_weights import model_in
from .._fitting.pipelines import last_step
from .axes import (
    SLIDE,
    add_legend,
    import_matplotlib,
    ink,
    is_small,
    keywords,
    label_axes,
    lay_out,
    one_axes,
    paper,
    room,
    style_of,
    text_size,
)
from .feature_plane import class_colours
from .names import check_names, distinguishing_names, legend_name
from .weight_paths import Descent, low_vectors
from .weight_plane import WeightPlane, axis_plane, choose_axes, n_apart, principal_plane, view

GRID = 60  # points on each side
N_LEVELS = 20
N_STEPS_OF_BAR = 5  # between the ticks of the colour bar, at most; in a small place 4
TICK = 0.45, 0.3  # inches that a number on the horizontal and the vertical axis takes
BAR = 1.04, 0, 0.04, 1  # where the colour bar is, in shares of the plane: beside it, as high as it


class LossContourDisplay:
    """The cost as contours over two weights, or over a plane of weights, with the paths of descents on it.

    With two parameters in all, their plane is the whole space. With more, it is that of the two principal
    directions of the paths: the cost is that of the weights in this plane, which contains the final weights
    of the path that ends lowest, and paths are projected onto it. The names of the axes tell which share of
    the paths' variance about these weights each direction has: the closer their sum is to 100 %, the more
    truly the costs under a path are its own.

    Both axes have the same scale, so steps of small rates are perpendicular to the contours.

    Create it by `from_estimator`, which trains; `plot` draws it again, and `add_path` adds other paths.

    Parameters
    ----------
    first, second : ndarray of shape (n_points,)
        The coordinates along the horizontal and the vertical axis.
    loss : ndarray of shape (n_points, n_points)
        The cost, with the penalty: rows along the second axis, columns along the first.
    paths : list of ndarray of shape (n_points, 2)
        The coordinates of each path. By `from_estimator` these are all steps of a descent, 0 to `max_iter`,
        if its models take at most 64 MiB: 16,000 steps of a few weights, 650 of 12,288. Of more, they are the
        first 100 steps, then others at an odd distance, and the last: see `steps_`.
    learning_rates : list of float
        The learning rate of each path; None for a path that has a label.
    names : tuple of two str
        The names of the axes.
    stable_rate : float, default=None
        2/L, below which descent is stable; for a network 2/sharpness, below which it is at the start.
    labels : list of str, default=None
        The name of each path in the legend; None names the learning rates.
    colors : str or list of matplotlib colors of shape (n_paths,), default=None
        The colours of the paths: the name of a colormap, or a colour for each path. None takes those of the
        style's `axes.prop_cycle`; of matplotlib's default style, colours for all kinds of sight.
    cmap : str or matplotlib Colormap, default=None
        The colours of the cost. None takes the style's `image.cmap`; of matplotlib's default, greys.
    levels : int or array-like of float in increasing order, default=20
        The levels of the contours; a number of bands, at least 1, makes levels as far apart as those of a
        bowl at equal distances.
    contour_kw, line_kw, scatter_kw : dict, default=None
        For matplotlib's `contour`, `plot` and `scatter`, which draw the lines of equal cost, the paths, and
        their first and last points.

    Attributes
    ----------
    center_ : ndarray of shape (n_parameters,)
        The weights at the coordinates (0, 0), of a display by `from_estimator`: W and b of each layer, as
        `coefs_` and `intercepts_` hold them, or the transposed `coef_` and `intercept_`, row by row. Without
        `fit_intercept` there is no b.
    directions_ : ndarray of shape (2, n_parameters)
        The orthonormal directions of both axes: a point (a, b) is ``center_ + a * directions_[0] +
        b * directions_[1]``.
    contours_ : matplotlib QuadContourSet
        The cost, filled.
    steps_ : list of ndarray of shape (n_points,)
        The number of the step of each point on the paths of `from_estimator`.
    lines_ : list of matplotlib Line2D
        The paths, with dots at the first steps, as long as the dots do not overlap.
    starts_, ends_ : matplotlib PathCollection
        Their first points, in the colour of the figure, and their last ones, in their colours.
    colorbar_ : matplotlib Colorbar
        The scale of the cost.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    DescentDisplay : The boundary, step by step.
    LossCurveDisplay : The cost over the steps.
    propagate : The cost at given weights.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.1.3: gradient descent on the surface of J.

    H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS
    2018, section 7: the principal directions of a path.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn_basic import LogisticRegressionGD, LossContourDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LogisticRegressionGD(max_iter=100))
    >>> display = LossContourDisplay.from_estimator(
    ...     model, X[50:, 2:], y[50:], learning_rates=[0.1, "auto", 5.0]
    ... )
    >>> [len(path) for path in display.paths]
    [101, 101, 101]

    Any other weights in the same plane, such as those of a descent at another rate:

    >>> from sknn_basic import descent_path
    >>> model = model.set_params(logisticregressiongd__learning_rate=1.0)
    >>> models = descent_path(model, X[50:, 2:], y[50:], range(50))
    >>> display.project(models).shape
    (50, 2)
    >>> line = display.add_path(models, label="rate 1")
    """

    def __init__(
        self,
        *,
        first,
        second,
        loss,
        paths,
        learning_rates,
        names,
        stable_rate=None,
        labels=None,
        colors=None,
        cmap=None,
        levels=N_LEVELS,
        contour_kw=None,
        line_kw=None,
        scatter_kw=None,
    ):
        self.first = first
        self.second = second
        self.loss = loss
        self.paths = paths
        self.learning_rates = learning_rates
        self.names = names
        self.stable_rate = stable_rate
        self.labels = labels
        self.colors = colors
        self.cmap = cmap
        self.levels = levels
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
        learning_rates=None,
        names=None,
        weights=None,
        grid_resolution=GRID,
        colors=None,
        cmap=None,
        levels=N_LEVELS,
        contour_kw=None,
        line_kw=None,
        scatter_kw=None,
        ax=None,
    ):
        """Train an estimator at each learning rate, from the same start, or several, and draw the paths.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search, or a list of them
            A classifier of this package, a pipeline that ends in one, or a search whose `best_estimator_` is
            either. It is cloned and trained anew; whether it is fitted makes no difference. Its `max_iter` is
            the last step of the paths. Of a list each is trained once; all must have the same number of
            weights. The cost is that of the first, on what its transformers make of X.
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            The samples as `fit` of the estimator takes them.
        y : array-like of shape (n_samples,)
            The class of each sample.
        learning_rates : array-like of float or "auto", default=None
            The learning rate of each path; None takes that of the estimator. Not for a list of estimators,
            which have their own.
        names : list of str of shape (n_paths,), default=None
            The name of each path in the legend. None takes the learning rates or, of estimators that differ
            in something else, all parameters that differ.
        weights : tuple of two int, default=None
            The features whose weights are the axes, for logistic regression on two classes: the numbers of
            two columns, after the transformers of a pipeline. All other parameters are those at the
            end of the path that ends lowest. None takes all parameters: two as they are, of more the
            principal directions of the paths.
        grid_resolution : int, default=60
            The points on each side at which the cost is evaluated, at least 2.
        colors, cmap, levels, contour_kw, line_kw, scatter_kw
            The colours, the levels and the style of the parts: see the parameters of the class.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. In a small place words are fewer and shorter. Create its
            figure with ``layout="constrained"``.

        Returns
        -------
        display : LossContourDisplay
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
            If there are no learning rates or estimators, if both are lists, if `names` has not one for each
            path, if the estimators have different numbers of weights, if colours are unknown or not one for
            each path, if `grid_resolution` is below 2 or the number of `levels` below 1, if `weights` are not
            two features of a logistic regression on two classes, if the model has only one parameter, or for
            what `fit` refuses.

        Warns
        -----
        ConvergenceWarning
            If a fit would, but not of given `learning_rates`, whose paths show it.
        UserWarning
            If there is no room for a legend.
        """
        import_matplotlib("pyplot")
        check_scalar(grid_resolution, "grid_resolution", Integral, min_val=2)
        is_list = isinstance(estimator, (list, tuple))
        _check_lists(cls.__name__, estimator if is_list else None, learning_rates)
        models = [model_in(cls.__name__, model) for model in (estimator if is_list else [estimator])]
        if learning_rates is None:
            rates = [last_step(model).learning_rate for model in models]
            labels = _names([last_step(model) for model in models]) if is_list else None
        else:
            labels, rates = None, list(learning_rates)
        labels = labels if names is None else check_names(names, len(rates), "path")
        class_colours(len(rates), colors, "colors")  # refuses them before it trains
        descents = [Descent(model, X, y) for model in models]
        space = descents[0].space
        _check_sizes([descent.space.n_parameters for descent in descents])
        axes, axis_names = choose_axes(space, weights, descents[0].names)
        with warnings.catch_warnings():
            if learning_rates is not None:
                warnings.simplefilter("ignore", ConvergenceWarning)
            descents = descents if is_list else descents * len(rates)
            paths = [descent.path(rate) for descent, rate in zip(descents, rates, strict=True)]
        lowest, near = low_vectors(paths)
        plane = principal_plane(near, lowest) if axes is None else axis_plane(lowest, axes, axis_names)
        first, second = view(plane.project(near), grid_resolution)
        display = cls(
            first=first,
            second=second,
            loss=np.array([space.losses(plane.points(first, b)) for b in second]),
            paths=[plane.project(path.vectors) for path in paths],
            learning_rates=[path.rate for path in paths],
            names=plane.names,
            stable_rate=None if is_list else space.stable_rate,
            labels=labels,
            colors=colors,
            cmap=cmap,
            levels=levels,
            contour_kw=contour_kw,
            line_kw=line_kw,
            scatter_kw=scatter_kw,
        )
        display.center_, display.directions_, display._space = plane.origin, plane.directions, space
        display.steps_ = [np.array(path.steps) for path in paths]
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the cost and the paths.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LossContourDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        TypeError
            If `ax` is not one Axes.
        ValueError
            If colours are unknown or not one for each path, or the number of `levels` is below 1.
        """
        colours = class_colours(len(self.paths), self.colors, "colors")
        self.ax_ = ax = one_axes(ax, figsize=SLIDE)
        self.figure_ = ax.figure
        ax.grid(False)  # of a style
        ax.set(xlim=self.first[[0, -1]], ylim=self.second[[0, -1]], aspect="equal")
        self._draw_losses()
        self.lines_ = [self._draw_path(i, colour) for i, colour in enumerate(colours)]
        self.starts_ = self._draw_points([path[0] for path in self.paths], [paper()], label="start")
        self.ends_ = self._draw_points([path[-1] for path in self.paths], colours)
        self._draw_legend()
        lay_out(self.figure_)  # the first draw does it again: a plane of equal scales needs both
        return self

    def project(self, weights):
        """Return the coordinates of weights in the plane: those of its points that are closest to them.

        Parameters
        ----------
        weights : array-like of shape (n_points, n_parameters) or list of estimators of shape (n_points,)
            Vectors, in the order of `center_`, or fitted models of the same size, such as those of
            `descent_path`. Those of pipelines and searches are the weights of their last step.

        Returns
        -------
        points : ndarray of shape (n_points, 2)
            The coordinates along both axes.

        Raises
        ------
        NotFittedError
            If a model is not fitted.
        TypeError
            If a model is none of this package.
        ValueError
            If there are none, if they are not finite or have other numbers of weights.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sknn_basic import LogisticRegressionGD, LossContourDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> model = LogisticRegressionGD(max_iter=100)
        >>> display = LossContourDisplay.from_estimator(model, X, y)
        >>> display.project([display.center_, display.center_ + 2 * display.directions_[1]]).round(3) + 0.0
        array([[0., 0.],
               [0., 2.]])
        """
        vectors = self._space.vectors(weights, type(self).__name__)
        return WeightPlane(self.center_, self.directions_, self.names).project(vectors)

    def add_path(self, weights, label=None, **kwargs):
        """Draw another path in the plane, such as one from another start.

        The contours and the view stay as they are: a path is seen where it lies within them.

        Parameters
        ----------
        weights : array-like of shape (n_steps, n_parameters) or list of estimators of shape (n_steps,)
            The weights after each step, as `project` takes them.
        label : str, default=None
            The name of the path in the legend; None numbers it.
        **kwargs : dict
            For matplotlib's `plot`, such as ``color="red"``.

        Returns
        -------
        line : matplotlib Line2D
            The path, which is also the last of `lines_`.

        Raises
        ------
        NotFittedError
            If a model is not fitted.
        TypeError
            If a model is none of this package.
        ValueError
            If there are none, if they are not finite or have other numbers of weights.
        """
        points = self.project(weights)
        i = len(self.paths)
        labels = [None] * i if self.labels is None else self.labels
        self.labels = [*labels, f"path {i + 1}" if label is None else label]
        self.paths, self.learning_rates = [*self.paths, points], [*self.learning_rates, None]
        line = self._draw_path(i, class_colours(i + 1)[-1], **kwargs)
        if self.colors is not None:
            self.colors = [*class_colours(i, self.colors, "colors"), line.get_color()]
        self.lines_.append(line)
        self._draw_points(points[:1], [paper()])
        self._draw_points(points[-1:], [line.get_color()])
        self._draw_legend()
        return line

    def _draw_losses(self):
        """Draw the cost, its lines and its scale, with ticks as far apart on the scale as their levels."""
        finite = self.loss[np.isfinite(self.loss)]
        lowest, highest = float(finite.min()), float(finite.max())
        levels = self.levels
        if np.ndim(levels) == 0:
            check_scalar(levels, "levels", Integral, min_val=1)
            levels = lowest + (highest - lowest or 1) * np.linspace(0, 1, levels + 1) ** 2
        colors = import_matplotlib("colors")
        greys = colors.LinearSegmentedColormap.from_list("cost", [paper(), 0.45 * paper() + 0.55 * ink()])
        cmap = greys if self.cmap is None and style_of("image.cmap") is None else self.cmap
        cmap = import_matplotlib("pyplot").get_cmap(cmap).resampled(max(256, len(levels)))
        axes = self.first, self.second, self.loss
        norm = colors.BoundaryNorm(levels, cmap.N)  # bands differ as much in colour, however far apart
        self.contours_ = self.ax_.contourf(*axes, levels=levels, cmap=cmap, norm=norm)
        style = {"linewidths": 0.3 if is_small(self.ax_) else 0.5} | (self.contour_kw or {})
        grey = {} if "cmap" in style else {"colors": [(paper() + ink()) / 2]}
        self.ax_.contour(*axes, levels=levels, **grey | style)
        n = 4 if is_small(self.ax_) else N_STEPS_OF_BAR
        ticks = np.unique(np.linspace(0, len(levels) - 1, n + 1).round().astype(int))
        options = {"format": "%.3g", "ticks": np.asarray(levels)[ticks], "spacing": "uniform"}
        has_layout = self.figure_.get_layout_engine() is not None  # which makes room beside the plane
        if has_layout:
            options["cax"] = self.ax_.inset_axes(BAR)
        else:
            share = 0.2 if is_small(self.ax_) else 0.15  # of the width, for the bar and its numbers
            height = (0.95 - share) * self._sides()[0] * np.ptp(self.second) / np.ptp(self.first)
            options |= {"ax": self.ax_, "fraction": share, "shrink": min(height / room(self.ax_)[1], 1)}
        self.colorbar_ = self.figure_.colorbar(self.contours_, **options)
        self.colorbar_.ax.minorticks_off()
        name = "cost J" if has_layout or not is_small(self.ax_) else ""
        label_axes(self.colorbar_.ax, [""], [name], size=text_size(self.ax_), sides=self._sides())

    def _sides(self):
        """Return the width and height of the plane in inches, about: both axes have one scale."""
        width, height = room(self.ax_)
        ratio = np.ptp(self.second) / np.ptp(self.first)
        width = min(width, height / ratio)
        return width, width * ratio

    def _draw_path(self, i, colour, **kwargs):
        """Draw the i-th path and return its line."""
        style = {"color": tuple(colour), "marker": "o", "markersize": 3, "linestyle": "-", "linewidth": 1.8}
        if is_small(self.ax_):
            style |= {"markersize": 1.2, "linewidth": 0.8}
        artist = import_matplotlib("lines").Line2D
        style = keywords(artist, keywords(artist, style, self.line_kw), kwargs)
        scale = 72 * self._sides()[0] / np.ptp(self.first)  # points of a unit of both axes
        n_dots = n_apart(scale * self.paths[i], style["markersize"])
        style = {"markevery": slice(n_dots)} | style
        return self.ax_.plot(*self.paths[i].T, **style)[0]

    def _label(self, i):
        """Return the name of the i-th path in the legend."""
        if self.labels is not None and self.labels[i] is not None:
            return legend_name(self.labels[i])
        rate, small = self.learning_rates[i], is_small(self.ax_)
        text = ("rate " if self._has_names() else "") + (f"{rate:.2g}" if small else f"{rate:.4g}")
        if small or self.stable_rate is None:
            return text
        return f"{text} = {rate / self.stable_rate:.3g} times the stable rate"

    def _draw_points(self, points, colours, **kwargs):
        """Draw first or last points of paths and return them."""
        style = {
            "c": colours,
            "s": 18 if is_small(self.ax_) else 70,
            "linewidth": 0.6 if is_small(self.ax_) else 1,
            "edgecolor": [ink()],
            "zorder": 3,
        }
        artist = import_matplotlib("collections").PathCollection
        return self.ax_.scatter(*np.transpose(points), **keywords(artist, style, self.scatter_kw), **kwargs)

    def _draw_legend(self):
        """Draw the legend and the names of the axes: the legend below them, in a small place in few words."""
        size, (width, height) = text_size(self.ax_), self._sides()
        names = [[name, name.replace(" of the variance", "")] for name in self.names]
        label_axes(self.ax_, *names, size=size, sides=(width, height))
        if size is not None:
            for axis, side, tick in zip("xy", (width, height), TICK, strict=True):
                self.ax_.locator_params(axis, nbins=max(int(side / tick), 2))
        for i, line in enumerate(self.lines_):
            line.set_label(self._label(i))
        entries = zip(*self.ax_.get_legend_handles_labels(), strict=True)
        entries = sorted(entries, key=lambda entry: entry[0] is self.starts_)  # which is the last
        handles, labels = map(list, zip(*entries, strict=True))
        title, style = self._legend_title(), {"handlelength": 1, "handletextpad": 0.4}
        add_legend(self.ax_, handles, labels, (width, height), title=title, **style)

    def _legend_title(self):
        """Return what the labels of paths are, or None if they are names."""
        if self._has_names():
            return None
        has_stable = self.stable_rate is not None and not is_small(self.ax_)
        return "learning rate" + (f" (stable below {self.stable_rate:.3g})" if has_stable else "")

    def _has_names(self):
        return self.labels is not None and any(label is not None for label in self.labels)


def _names(classifiers):
    """Return names of classifiers, or None if the learning rate alone tells them apart."""
    names = distinguishing_names(classifiers)
    is_rate = [name.startswith("learning_rate=") and not {*name} & {*",("} for name in names]
    return None if all(is_rate) else names


def _check_sizes(sizes):
    """Refuse estimators of different numbers of weights."""
    if len({*sizes}) > 1:
        raise ValueError(
            f"The estimators have {sizes} weights, but one plane needs models of the same size: the same "
            "features, classes, fit_intercept and hidden_layer_size."
        )


def _check_lists(display, estimators, learning_rates):
    """Refuse learning rates that are no list, empty lists, and both lists at once."""
    if np.ndim(learning_rates) == 0 and learning_rates is not None:
        raise TypeError(
            f"learning_rates should be a list, got {learning_rates!r}: pass [{learning_rates!r}]."
        )
    if learning_rates is not None and estimators is not None:
        raise ValueError("Of several estimators each has its own learning_rate: pass no learning_rates.")
    for name, values in (("learning_rates", learning_rates), ("the estimators", estimators)):
        if values is not None and len(values) == 0:
            raise ValueError(f"{display} draws a path for each of {name}, but that is empty.")
