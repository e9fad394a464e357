"""The cost over the steps of gradient descent."""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from .axes import MOST_ROWS, below, import_matplotlib, lay_out, n_columns, n_letters, one_axes, points, room
from .estimators import unwrap
from .names import Traits, check_names, legend_name, names_of_traits

ROUNDING = 1e-8  # a cost that ends this share above its minimum has not risen
EARLY = 0.05  # share of the steps; where most of the fall is in it, a linear axis shows a vertical line
TRAINING = "training", ""  # what a curve of training samples is called, beside others and alone
DASHED = "dashed: validation"  # the title of a legend that names the other curves alone
LEGEND_SIZES = None, "small", "x-small"  # of letters, the first in which a legend fits in its axes


class _Drawn(NamedTuple):
    """What a line shows: which curve, and of which model if its name is to tell it from others."""

    curve: str  # "training", "" without a validation curve to tell it from, or what begins with "validation"
    traits: Traits | None


# Of each line, so that a model drawn later on the same axes renames those before it.
_DRAWN = WeakKeyDictionary()
_CHOSEN = WeakSet()  # axes whose scale of steps is chosen by their curves, and may change with another


class LossCurveDisplay:
    """The cost over the steps of gradient descent, of training and of validation samples.

    Create it by `from_estimator`, or several on one axis by `from_estimators`; `plot` draws it again.

    Where the cost of the validation samples rises after its minimum, a point marks the lowest that is
    recorded, and the legend has its step: more steps overfit.

    Models without a name of their own are called by what tells them apart from the others on their axes, also
    where several calls draw them: by the parameters in which they differ.

    Parameters
    ----------
    iterations : array-like of shape (n_points,)
        The numbers of steps after which the costs were taken.
    loss : array-like of shape (n_points,)
        The cost of the training samples, with the penalty if there is one.
    validation_loss : array-like of shape (n_points,), default=None
        The cost of the validation samples, without the penalty.
    name : str, default=None
        The name of the model in the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve of the training samples.
    validation_line_ : matplotlib Line2D or None
        The curve of the validation samples, dashed, in the same colour, with a point at a minimum after which
        it rises.
    ax_ : matplotlib Axes
        The axes of both curves.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    WeightsDisplay : The weights as images.
    ConfusionImagesDisplay : The images that a classifier mistakes for others.
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of samples.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: the costs that `optimize` collects for a graph.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import LogisticRegressionGD, LossCurveDisplay, ShallowNNClassifier
    >>> X, y = make_moons(300, noise=0.2, random_state=0)
    >>> X, y, X_val, y_val = X[:200], y[:200], X[200:], y[200:]
    >>> line = LogisticRegressionGD().fit(X, y, X_val=X_val, y_val=y_val)
    >>> network = ShallowNNClassifier(random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    >>> display = LossCurveDisplay.from_estimator(line)
    >>> displays = LossCurveDisplay.from_estimators([line, network])  # both on one axis

    The candidates of a search, of which it keeps only the best; their names are the learning rates:

    >>> from sklearn.base import clone
    >>> from sklearn.model_selection import GridSearchCV
    >>> search = GridSearchCV(LogisticRegressionGD(), {"learning_rate": [0.01, 0.1, 1]}).fit(X, y)
    >>> candidates = search.cv_results_["params"]
    >>> models = [clone(search.estimator).set_params(**candidate).fit(X, y) for candidate in candidates]
    >>> [display.name for display in LossCurveDisplay.from_estimators(models)]
    ['learning_rate=0.01', 'learning_rate=0.1', 'learning_rate=1']
    """

    def __init__(self, *, iterations, loss, validation_loss=None, name=None):
        self.iterations = iterations
        self.loss = loss
        self.validation_loss = validation_loss
        self.name = name
        self._traits = None

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, name=None, log_x=None, log_y=False, **kwargs):
        """Draw the costs recorded by a fit: `loss_curve_`, `loss_` and those of the validation samples.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        ax : matplotlib Axes, default=None
            Where to draw, such as the `ax_` of another display; None makes a new figure.
        name : str, default=None
            The name of the model in the legend. None takes the name of the class or, beside models of the
            same class on `ax` that have no name of their own either, the parameters that differ.
        log_x : bool, default=None
            Whether the axis of the steps is logarithmic, with step 0 as far from 1 as 1 from 10. None chooses
            it if it shows more: if the training curves on the axes fall, together, by half of their fall in
            the first 5 % of the steps, and those are recorded: ``record_every="auto"``.
        log_y : bool, default=False
            Whether the axis of the cost is logarithmic.
        **kwargs : dict
            For matplotlib's `plot`, of both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If the classifier is not fitted.
        TypeError
            If `estimator` holds no classifier of this package, or is a list: that takes `from_estimators`; or
            if `ax` is not one Axes.
        """
        if isinstance(estimator, list | tuple | dict | np.ndarray):
            raise TypeError(
                f"from_estimator takes one estimator; for several, use {cls.__name__}.from_estimators. Costs "
                f"of your own are drawn by {cls.__name__}(iterations=..., loss=...).plot()."
            )
        display = cls._describe(estimator, name)
        return display.plot(ax, log_x=log_x, log_y=log_y, **kwargs)

    @classmethod
    def from_estimators(cls, estimators, *, names=None, ax=None, log_x=None, log_y=False, **kwargs):
        """Draw the costs recorded by several fits on one axis.

        Parameters
        ----------
        estimators : list of estimators of shape (n_models,) or dict
            What `from_estimator` takes, one or more. The keys of a dict are their names.
        names : list of str of shape (n_models,), default=None
            The names in the legend. None takes the names of the classes or, for several models of one class,
            the parameters of the classifiers that differ, such as "learning_rate=0.1" or
            "learning_rate=auto (0.883)"; of a dict its keys.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, with the legend beside the axes.
        log_x : bool, default=None
            Whether the axis of the steps is logarithmic; None chooses by all curves, as in `from_estimator`.
        log_y : bool, default=False
            Whether the axis of the cost is logarithmic.
        **kwargs : dict
            For matplotlib's `plot`, of all curves.

        Returns
        -------
        displays : list of LossCurveDisplay of shape (n_models,)
            One for each model, drawn, in the order of `estimators`.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If a classifier is not fitted.
        TypeError
            If `estimators` is neither a list nor a dict of them, one of them holds no classifier of this
            package, or `ax` is not one Axes.
        ValueError
            If `estimators` is empty, or `names` has not one name for each.
        """
        if hasattr(estimators, "get_params"):
            raise TypeError(
                f"from_estimators takes a list of estimators or a dict of them by name, got "
                f"{type(estimators).__name__}; for one, use {cls.__name__}.from_estimator."
            )
        if isinstance(estimators, Mapping):
            names = [*estimators] if names is None else names
            estimators = estimators.values()
        estimators = list(estimators)
        if not estimators:
            raise ValueError("from_estimators needs at least one estimator, but estimators is empty.")
        if names is None:
            displays = [cls._describe(estimator) for estimator in estimators]
            for display, name in zip(displays, names_of_traits([d._traits for d in displays]), strict=True):
                display.name = name
        else:
            names = check_names(names, len(estimators), "model")
            displays = [cls._describe(*named) for named in zip(estimators, names, strict=True)]
        is_new, ax = ax is None, one_axes(ax, figsize=(10.5, 4.2))
        for display in displays:
            display._draw(ax, None, kwargs)
        _finish(ax, log_x, log_y)
        if is_new:
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        else:
            _add_legend(ax)
        return displays

    @classmethod
    def _describe(cls, estimator, name=None):
        """Return the display of `from_estimator`, not drawn."""
        _, classifier = unwrap(cls.__name__, estimator)
        n_iter, n_records = classifier.n_iter_, len(classifier.loss_curve_)
        iterations = [*classifier.loss_curve_steps_, n_iter]
        curves = {"loss": [*classifier.loss_curve_, classifier.loss_]}
        if hasattr(classifier, "validation_loss_curve_"):
            curves["validation_loss"] = [*classifier.validation_loss_curve_, classifier.validation_loss_]
        # Where a descent has diverged, the last record is that of the fitted model.
        n_points = n_records if n_records and n_iter <= iterations[-2] else n_records + 1
        display = cls(
            iterations=np.array(iterations[:n_points]),
            **{name: np.array(curve[:n_points]) for name, curve in curves.items()},
            name=type(classifier).__name__ if name is None else name,
        )
        display._traits = Traits(classifier) if name is None else None
        return display

    def plot(self, ax=None, *, name=None, log_x=None, log_y=False, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            The name of the model in the legend; None takes the name of the display.
        log_x : bool, default=None
            Whether the axis of the steps is logarithmic; None chooses, as in `from_estimator`.
        log_y : bool, default=False
            Whether the axis of the cost is logarithmic.
        **kwargs : dict
            For matplotlib's `plot`, of both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        TypeError
            If `ax` is not one Axes.
        """
        ax = one_axes(ax)
        self._draw(ax, name, kwargs)
        _finish(ax, log_x, log_y)
        _add_legend(ax)
        return self

    def _draw(self, ax, name, kwargs):
        traits = self._traits if name is None else None
        name = self.name if name is None else name
        kwargs = import_matplotlib("cbook").normalize_kwargs(kwargs, import_matplotlib("lines").Line2D)
        training = "training" if name is None or self.validation_loss is not None else ""
        style = {"label": _label(name, training)} | kwargs
        (self.line_,) = ax.plot(self.iterations, self.loss, **style)
        _DRAWN[self.line_] = _Drawn(training, None if "label" in kwargs else traits)
        self.validation_line_ = None
        if self.validation_loss is not None:
            curve, style = "validation", {"linestyle": "--"}
            lowest = np.argmin(self.validation_loss)
            if self.validation_loss[-1] > self.validation_loss[lowest] * (1 + ROUNDING):
                curve += f", lowest recorded at step {self.iterations[lowest]}"
                if "marker" not in kwargs:
                    style |= {"marker": "o", "markevery": [lowest]}
            style |= kwargs | {"color": self.line_.get_color(), "label": _label(name, curve)}
            (self.validation_line_,) = ax.plot(self.iterations, self.validation_loss, **style)
            _DRAWN[self.validation_line_] = _Drawn(curve, traits)
        self.ax_, self.figure_ = ax, ax.figure


def _label(name, curve):
    return ", ".join(filter(None, (name if name is None else legend_name(name), curve)))


def _finish(ax, log_x, log_y):
    """Name the curves on the axes, those drawn before included, and scale the axes for all of them."""
    drawn = {line: _DRAWN[line] for line in ax.lines if line in _DRAWN}
    traits = list(dict.fromkeys(its.traits for its in drawn.values() if its.traits))
    names = dict(zip(traits, names_of_traits(traits), strict=True))
    for line, its in drawn.items():
        if its.traits:
            line.set_label(_label(names[its.traits], its.curve))
    ax.set(xlabel="step", ylabel="cost J")
    training = [line for line, its in drawn.items() if its.curve in TRAINING]
    if log_x is not None:
        _CHOSEN.discard(ax)
    elif ax.get_xscale() == "linear" or ax in _CHOSEN:
        log_x = _falls_early(training)
        _CHOSEN.add(ax)
        if not log_x and ax.get_xscale() != "linear":  # a scale that is set anew forgets the user's ticks
            ax.set_xscale("linear")
    if log_x:
        ax.set_xscale("symlog", linthresh=1, linscale=0.9, subs=range(2, 10))
    if log_y:
        ax.set_yscale("log")


def _falls_early(lines):
    """Whether curves fall, together, by half of their fall in the first steps, which are recorded."""
    curves = [line.get_data(orig=False) for line in lines]
    n_steps = max(steps[-1] for steps, _ in curves)
    early_fall = fall = 0
    for steps, costs in curves:
        if len(steps) > 1 and steps[1] ** 2 < n_steps:  # else nothing is seen in half of the decades
            early_fall += costs[0] - np.fmin.reduce(costs[steps <= EARLY * n_steps])
        fall += costs[0] - np.fmin.reduce(costs)
    return early_fall >= fall / 2 > 0


def _add_legend(ax):
    """Add a legend in the first form that fits in the axes and covers no curve, or else below them."""
    lay_out(ax.figure)
    forms = _forms(*ax.get_legend_handles_labels())
    for (handles, labels, title), size in product(forms, LEGEND_SIZES):
        legend = ax.legend(handles, labels, **title, fontsize=size, title_fontsize=size)
        if _is_free(ax, legend.get_window_extent()):
            return
    handles, labels, title = forms[-2]
    if title.get("title") == DASHED:
        labels = [label.removesuffix(", training") for label in labels]
    size, (width, height) = points("x-small"), room(ax)
    columns = n_columns(labels, n_letters(width, size))
    if ax.figure.get_layout_engine() and len(labels) <= MOST_ROWS * height * columns:
        options = {"ncols": columns, "fontsize": size, "title_fontsize": size}
        below(ax, handles=handles, labels=labels, **options, **title)


def _forms(handles, labels):
    """Return the lines, labels and title of legends, from many words in a line to few."""
    forms = [(handles, labels, {})]
    training = [line for line in handles if line not in _DRAWN or _DRAWN[line].curve in TRAINING]
    ends = [f", {_DRAWN[line].curve}" if line in _DRAWN and _DRAWN[line].curve else "" for line in handles]
    names = {label.removesuffix(end) for label, end in zip(labels, ends, strict=True)}
    if 1 < len(training) < len(handles):
        forms.append((training, [line.get_label() for line in training], {"title": DASHED}))
    elif len(names) == 1 < len(handles):
        forms.append((handles, [end.removeprefix(", ") for end in ends], {"title": names.pop()}))
    handles, labels, title = forms[-1]
    return [*forms, (handles, [label.replace(", ", ",\n") for label in labels], title)]


def _is_free(ax, box):
    """Whether a box is in the axes, and covers none of their curves."""
    room = ax.get_window_extent()
    fits = room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1
    curves = (line.get_transform().transform_path(line.get_path()) for line in ax.lines)
    return fits and not any(curve.intersects_bbox(box, filled=False) for curve in curves)
