"""The cost over two weights, or over a plane in the space of all of them, with the paths of descents."""

import warnings
from operator import itemgetter

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._files.text import short_name
from .._fitting.descent_path import descent_path, geometric_steps, models_reached, unfitted
from .._fitting.pipelines import feature_names, fit_transformers, last_step
from .axes import SLIDE, import_matplotlib
from .estimators import best_model
from .feature_plane import class_colours
from .weight_space import WeightSpace, axis_plane, principal_plane

GRID = 60  # points on each side
MARGIN = 0.15  # around the paths, as a share of their range
NARROWEST = 0.3  # the shorter side of the view, as a share of the longer one
HIGHEST = 4  # times the first cost: the view covers what of the paths is below, since others may diverge
FIRST_STEPS = 100  # are all drawn: from one to the next a path beyond 2/L may jump
N_STEPS = 100  # further ones
N_LEVELS = 20


class LossContourDisplay:
    """The cost as contours over two weights, or over a plane of weights, with the paths of descents on it.

    With two parameters in all, their plane is the whole space. With more, it is that of the two principal
    directions of the paths: the cost is that of the weights in this plane, which contains the final weights
    of the path that ends lowest, and paths are projected onto it. The names of the axes tell which share of
    the paths' variance about these weights each direction has: the closer their sum is to 100 %, the more
    truly the costs under a path are its own.

    Create it by `from_estimator`, which trains; `plot` draws it again.

    Parameters
    ----------
    first : ndarray of shape (n_points,)
        The coordinates along the horizontal axis.
    second : ndarray of shape (n_points,)
        The coordinates along the vertical axis.
    loss : ndarray of shape (n_points, n_points)
        The cost, with the penalty: rows along the second axis, columns along the first.
    paths : list of ndarray of shape (n_steps, 2)
        The coordinates of each path.
    learning_rates : list of float
        The learning rate of each path.
    names : tuple of two str
        The names of the axes.
    stable_rate : float, default=None
        2/L, below which descent is stable; for a network 2/sharpness, below which it is at the start.

    Attributes
    ----------
    contours_ : matplotlib QuadContourSet
        The cost, filled.
    lines_ : list of matplotlib Line2D
        The paths.
    starts_, ends_ : matplotlib PathCollection
        Their first points, white, and their last ones, in their colours.
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
    """

    def __init__(self, *, first, second, loss, paths, learning_rates, names, stable_rate=None):
        self.first = first
        self.second = second
        self.loss = loss
        self.paths = paths
        self.learning_rates = learning_rates
        self.names = names
        self.stable_rate = stable_rate

    @classmethod
    def from_estimator(cls, estimator, X, y, *, learning_rates=None, weights=None, ax=None):
        """Train an estimator at each learning rate, from the same start, and draw the paths.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            A classifier of this package, a pipeline that ends in one, or a search whose `best_estimator_` is
            either. It is cloned and trained anew; whether it is fitted makes no difference. Its `max_iter` is
            the length of the paths.
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            The samples as `fit` of the estimator takes them.
        y : array-like of shape (n_samples,)
            The class of each sample.
        learning_rates : array-like of float or "auto", default=None
            The learning rate of each path; None takes that of the estimator.
        weights : tuple of two int, default=None
            The features whose weights are the axes, for logistic regression on two classes: the numbers of
            two columns, after the transformers of a pipeline. All other parameters are those at the
            end of the path that ends lowest. None takes all parameters: two as they are, of more the
            principal directions of the paths.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

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
            If `estimator` holds no classifier of this package.
        ValueError
            If there are no learning rates, if `weights` are not two features of a logistic regression on two
            classes, if the model has only one parameter, or for what `fit` refuses.

        Warns
        -----
        ConvergenceWarning
            If a fit would, but not of given `learning_rates`, whose paths show it.
        """
        import_matplotlib("pyplot")
        model = best_model(cls.__name__, estimator)
        names, X, y = _transform(model, X, y)
        classifier = _with_fixed_start(last_step(model))
        space = WeightSpace(classifier, X, y)
        axes, names = _axes(space, weights, names)
        if np.ndim(learning_rates) == 0 and learning_rates is not None:
            raise TypeError(
                f"learning_rates should be a list, got {learning_rates!r}: pass [{learning_rates!r}]."
            )
        rates = [classifier.learning_rate] if learning_rates is None else list(learning_rates)
        if not rates:
            raise ValueError(f"{cls.__name__} draws a path for each of learning_rates, but that is empty.")
        with warnings.catch_warnings():
            if learning_rates is not None:
                warnings.simplefilter("ignore", ConvergenceWarning)
            paths = [_Path(space, clone(classifier).set_params(learning_rate=rate), X, y) for rate in rates]
        lowest = min((path.lowest() for path in paths), key=itemgetter(0))[1]
        near = np.concatenate([[lowest], *(path.low_vectors() for path in paths)])
        plane = principal_plane(near, lowest) if axes is None else axis_plane(lowest, axes, names)
        first, second = _view(plane.project(near))
        display = cls(
            first=first,
            second=second,
            loss=np.array([space.losses(plane.points(first, b)) for b in second]),
            paths=[plane.project(path.vectors) for path in paths],
            learning_rates=[space.learning_rate(rate) for rate in rates],
            names=plane.names,
            stable_rate=space.stable_rate,
        )
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
        """
        if ax is None:
            _, ax = import_matplotlib("pyplot").subplots(figsize=SLIDE, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_losses()
        colours = class_colours(len(self.paths))
        self.lines_ = []
        for path, rate, colour in zip(self.paths, self.learning_rates, colours, strict=True):
            style = {"color": colour, "marker": "o", "markersize": 3, "linestyle": "-", "linewidth": 1.8}
            multiple = (
                "" if self.stable_rate is None else f" = {rate / self.stable_rate:.3g} times the stable rate"
            )
            self.lines_ += ax.plot(*path.T, label=f"{rate:.4g}{multiple}", **style)
        style = {"s": 70, "edgecolors": "black", "zorder": 3, "clip_on": True}
        starts, ends = (np.array([path[i] for path in self.paths]) for i in (0, -1))
        self.starts_ = ax.scatter(*starts.T, c="white", **style)
        self.ends_ = ax.scatter(*ends.T, c=colours, **style)
        stable = "" if self.stable_rate is None else f" (stable below {self.stable_rate:.3g})"
        ax.legend(title=f"learning rate{stable}", framealpha=0.9)
        ax.set_xlabel(self.names[0], parse_math=False)
        ax.set_ylabel(self.names[1], parse_math=False)
        ax.set(xlim=self.first[[0, -1]], ylim=self.second[[0, -1]])
        return self

    def _draw_losses(self):
        """Draw the cost in grey, with levels as far apart as those of a bowl at equal distances."""
        finite = self.loss[np.isfinite(self.loss)]
        lowest, highest = float(finite.min()), float(finite.max())
        levels = lowest + (highest - lowest or 1) * np.linspace(0, 1, N_LEVELS + 1) ** 2
        colors = import_matplotlib("colors")
        grey = colors.LinearSegmentedColormap.from_list("cost", ["white", "0.45"])
        norm = colors.PowerNorm(0.5, levels[0], levels[-1])
        axes = self.first, self.second, self.loss
        self.contours_ = self.ax_.contourf(*axes, levels=levels, cmap=grey, norm=norm)
        self.ax_.contour(*axes, levels=levels, colors="0.5", linewidths=0.5)
        self.figure_.colorbar(self.contours_, ax=self.ax_, label="cost J", format="%.3g", ticks=levels[::4])


class _Path:
    """The weight vectors and costs of one descent."""

    def __init__(self, space, classifier, X, y):
        end = int(classifier.max_iter)
        steps = np.unique([*range(min(end, FIRST_STEPS) + 1), *geometric_steps(end, N_STEPS)])
        models, _ = models_reached(descent_path(classifier, X, y, steps), steps)
        self.vectors = np.array([space.vector(model._get_layers()) for model in models])
        self.losses = np.array([model.loss_ for model in models])

    def lowest(self):
        """Return the lowest cost and its vector, the last of equal ones."""
        i = len(self.losses) - 1 - np.argmin(self.losses[::-1])
        return self.losses[i], self.vectors[i]

    def low_vectors(self):
        """Return the vectors whose cost is not far above that of the start."""
        return self.vectors[self.losses <= HIGHEST * self.losses[0]]


def _transform(model, X, y):
    """Return what reaches the classifier behind transformers fitted anew: the features' names, X and y."""
    given = getattr(X, "columns", None)
    fitted, X, y = fit_transformers(unfitted(model, 1), X, y)
    names = None if given is None else feature_names(fitted, given)
    if names is None:
        names = [f"feature {j}" for j in range(np.shape(X)[1])]
    return [short_name(name) for name in names], X, y


def _with_fixed_start(classifier):
    """Return a clone that starts afresh, and from the same random weights in every fit."""
    classifier = clone(classifier)
    classifier.warm_start = False  # not set_params: a subclass may have fewer parameters
    if "random_state" in classifier.get_params() and classifier.random_state is None:
        classifier.set_params(random_state=check_random_state(None).randint(2**31 - 1))
    return classifier


def _axes(space, weights, names):
    """Return which two parameters are the axes and their names, or None and None for principal directions."""
    is_vector = len(space.problem.layers) == 1 and space.shapes[0][1] == 1
    if weights is not None:
        if not is_vector:
            raise ValueError(
                "weights=... is for logistic regression on two classes, where each feature has one weight. "
                "Leave it out, for the principal directions of the paths."
            )
        if len(weights) != 2 or len({*weights} & {*range(len(names))}) != 2:
            raise ValueError(f"weights should be two of the features 0 to {len(names) - 1}, got {weights}.")
        return tuple(weights), tuple(f"weight of {names[j]}" for j in weights)
    if space.n_parameters == 1:
        raise ValueError("A model of one weight, without an intercept, has no plane of weights.")
    if space.n_parameters > 2 or not is_vector:
        return None, None
    return (0, 1), tuple([f"weight of {name}" for name in names] + ["intercept"])[:2]


def _view(points):
    """Return coordinates along both axes that cover the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    sizes = high - low
    sizes = np.maximum(sizes, NARROWEST * (sizes.max() or 1))
    centre, half = (low + high) / 2, sizes * (0.5 + MARGIN)
    return tuple(np.linspace(c - h, c + h, GRID) for c, h in zip(centre, half, strict=True))
