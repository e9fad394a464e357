"""The cost over the steps of gradient descent."""

import numpy as np

from .common import import_matplotlib, legend_name, unwrap


class LossCurveDisplay:
    """The cost over the steps of gradient descent, of training and of validation samples.

    Create it by `from_estimator`; `plot` draws it again.

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
        The curve of the validation samples, dashed, in the same colour.
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
    >>> display = LossCurveDisplay.from_estimator(network, ax=display.ax_)  # both on one axis
    """

    def __init__(self, *, iterations, loss, validation_loss=None, name=None):
        self.iterations = iterations
        self.loss = loss
        self.validation_loss = validation_loss
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, name=None, **kwargs):
        """Draw the costs recorded by a fit: `loss_curve_`, `loss_` and those of the validation samples.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        ax : matplotlib Axes, default=None
            Where to draw, such as the `ax_` of another display; None makes a new figure.
        name : str, default=None
            The name of the model in the legend; None takes the name of the class.
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
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            The name of the model in the legend; None takes the name of the display.
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
        this = type(self).__name__
        if ax is None:
            _, ax = import_matplotlib("pyplot", this).subplots()
        name = self.name if name is None else name
        prefix = "" if name is None else f"{legend_name(name)}, "
        aliases = import_matplotlib("lines", this).Line2D
        kwargs = import_matplotlib("cbook", this).normalize_kwargs(kwargs, aliases)
        style = {"label": f"{prefix}training"} | kwargs
        (self.line_,) = ax.plot(self.iterations, self.loss, **style)
        self.validation_line_ = None
        if self.validation_loss is not None:
            style = {"linestyle": "--"} | kwargs | {"color": self.line_.get_color()}
            style["label"] = f"{prefix}validation"
            (self.validation_line_,) = ax.plot(self.iterations, self.validation_loss, **style)
        ax.set(xlabel="step", ylabel="cost J")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
