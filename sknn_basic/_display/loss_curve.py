"""The cost over the steps of gradient descent."""

import numpy as np

from .axes import import_matplotlib
from .estimators import unwrap
from .names import distinguishing_names, legend_name

ROUNDING = 1e-8  # a cost that ends this share above its minimum has not risen


class LossCurveDisplay:
    """The cost over the steps of gradient descent, of training and of validation samples.

    Create it by `from_estimator`, or several on one axis by `from_estimators`; `plot` draws it again.

    Where the cost of the validation samples rises after its minimum, a point marks the minimum, and the
    legend has its step: more steps overfit.

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
    >>> displays = LossCurveDisplay.from_estimators([line, network], log_x=True)  # both on one axis

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

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, name=None, log_x=False, log_y=False, **kwargs):
        """Draw the costs recorded by a fit: `loss_curve_`, `loss_` and those of the validation samples.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        ax : matplotlib Axes, default=None
            Where to draw, such as the `ax_` of another display; None makes a new figure.
        name : str, default=None
            The name of the model in the legend; None takes the name of the class.
        log_x : bool, default=False
            Whether the axis of the steps is logarithmic, with step 0 as far from 1 as 1 from 10. It shows the
            first steps of a long descent, if they are recorded: ``record_every="auto"``.
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
            If `estimator` holds no classifier of this package.
        """
        display = cls._describe(estimator, name)
        return display.plot(ax, log_x=log_x, log_y=log_y, **kwargs)

    @classmethod
    def from_estimators(cls, estimators, *, names=None, ax=None, log_x=False, log_y=False, **kwargs):
        """Draw the costs recorded by several fits on one axis.

        Parameters
        ----------
        estimators : list of estimators of shape (n_models,)
            What `from_estimator` takes, one or more.
        names : list of str of shape (n_models,), default=None
            The names in the legend. None takes the names of the classes or, for several models of one class,
            the parameters of the classifiers that differ, such as "learning_rate=0.1" or
            "learning_rate=auto (0.883)".
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, with the legend beside the axes.
        log_x, log_y : bool, default=False
            Whether the axes of the steps and of the cost are logarithmic, as in `from_estimator`.
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
            If `estimators` is not a list of them, or one of them holds no classifier of this package.
        ValueError
            If `estimators` is empty, or `names` has not one name for each.
        """
        if hasattr(estimators, "get_params"):
            raise TypeError(
                f"from_estimators takes a list of estimators; for one, use {cls.__name__}.from_estimator."
            )
        estimators = list(estimators)
        if not estimators:
            raise ValueError("from_estimators needs at least one estimator, but estimators is empty.")
        if names is None:
            names = distinguishing_names([unwrap(cls.__name__, estimator)[1] for estimator in estimators])
        elif isinstance(names, str) or len(names) != len(estimators):
            raise ValueError(
                f"names should be a list of {len(estimators)}, one for each model, got {names!r}."
            )
        is_new = ax is None
        if is_new:
            _, ax = import_matplotlib("pyplot").subplots(figsize=(10.5, 4.2), layout="constrained")
        displays = [cls._describe(*named) for named in zip(estimators, names, strict=True)]
        for display in displays:
            display.plot(ax, log_x=log_x, log_y=log_y, **kwargs)
        if is_new:
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return displays

    @classmethod
    def _describe(cls, estimator, name):
        """Return the display of `from_estimator`, not drawn."""
        _, classifier = unwrap(cls.__name__, estimator)
        n_iter, n_records = classifier.n_iter_, len(classifier.loss_curve_)
        iterations = [*classifier.loss_curve_steps_, n_iter]
        curves = {"loss": [*classifier.loss_curve_, classifier.loss_]}
        if hasattr(classifier, "validation_loss_curve_"):
            curves["validation_loss"] = [*classifier.validation_loss_curve_, classifier.validation_loss_]
        # Where a descent has diverged, the last record is that of the fitted model.
        n_points = n_records if n_records and n_iter <= iterations[-2] else n_records + 1
        return cls(
            iterations=np.array(iterations[:n_points]),
            **{name: np.array(curve[:n_points]) for name, curve in curves.items()},
            name=type(classifier).__name__ if name is None else name,
        )

    def plot(self, ax=None, *, name=None, log_x=False, log_y=False, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            The name of the model in the legend; None takes the name of the display.
        log_x, log_y : bool, default=False
            Whether the axes of the steps and of the cost are logarithmic, as in `from_estimator`.
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
        """
        if ax is None:
            _, ax = import_matplotlib("pyplot").subplots()
        name = self.name if name is None else name
        prefix = "" if name is None else f"{legend_name(name)}, "
        kwargs = import_matplotlib("cbook").normalize_kwargs(kwargs, import_matplotlib("lines").Line2D)
        style = {"label": f"{prefix}training"} | kwargs
        (self.line_,) = ax.plot(self.iterations, self.loss, **style)
        self.validation_line_ = None
        if self.validation_loss is not None:
            style = {"linestyle": "--", "label": f"{prefix}validation"}
            lowest = np.argmin(self.validation_loss)
            if self.validation_loss[-1] > self.validation_loss[lowest] * (1 + ROUNDING):
                style["label"] += f", lowest at step {self.iterations[lowest]}"
                if "marker" not in kwargs:
                    style |= {"marker": "o", "markevery": [lowest]}
            style |= kwargs | {"color": self.line_.get_color(), "label": style["label"]}
            (self.validation_line_,) = ax.plot(self.iterations, self.validation_loss, **style)
        ax.set(xlabel="step", ylabel="cost J")
        if log_x:
            ax.set_xscale("symlog", linthresh=1, linscale=0.9, subs=range(2, 10))
        if log_y:
            ax.set_yscale("log")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
