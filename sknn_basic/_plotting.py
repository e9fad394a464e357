"""What a model has learnt, drawn by matplotlib in scikit-learn's manner: `from_estimator`, then `plot`."""

from math import ceil, prod

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._base import GradientDescentClassifier, last_step
from ._extras import import_extra
from ._preprocessing import FlattenScaler


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
        The cost of the validation samples, without it.
    name : str, default=None
        What the legend calls the model.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve of the training samples.
    validation_line_ : matplotlib Line2D or None
        The curve of the validation samples, dashed, in the same colour.
    ax_ : matplotlib Axes
        Where both are.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    WeightsDisplay : The weights as images.
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
        """Draw what a fit has recorded: `loss_curve_` and `loss_`, and the same of validation samples.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        ax : matplotlib Axes, default=None
            Where to draw, such as the `ax_` of another display; None makes a new figure.
        name : str, default=None
            What the legend calls the model; None takes the name of the class.
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
            If there is no classifier of this package.
        """
        _, classifier = _unwrap(cls, estimator)
        n_iter, n_records = classifier.n_iter_, len(classifier.loss_curve_)
        iterations = classifier._recorded_every * np.arange(n_records)
        ends_later = n_records == 0 or n_iter > iterations[-1]  # not where a descent has broken down

        def whole(curve, last):
            return np.array([*curve, last] if ends_later else curve)

        validation_loss = None
        if hasattr(classifier, "validation_loss_curve_"):
            validation_loss = whole(classifier.validation_loss_curve_, classifier.validation_loss_)
        display = cls(
            iterations=whole(iterations, n_iter),
            loss=whole(classifier.loss_curve_, classifier.loss_),
            validation_loss=validation_loss,
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
            What the legend calls the model; None takes the name of the display.
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
            _, ax = _matplotlib("pyplot", self).subplots()
        name = self.name if name is None else name
        prefix = "" if name is None else f"{name}, "
        names = import_extra("matplotlib.lines", "plots", type(self).__name__).Line2D
        kwargs = import_extra("matplotlib.cbook", "plots", type(self).__name__).normalize_kwargs(
            kwargs, names
        )
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


class WeightsDisplay:
    """The weights of the first layer as images: what logistic regression, or each hidden unit, looks for.

    Grey images, (height, width) or (height, width, 1): red where a bright pixel speaks for it, blue where it
    speaks against. Colour images, (height, width, 3): mid-grey is 0, and each of red, green and blue is
    brighter where it speaks for it. Each image is scaled by its own largest weight.

    Create it by `from_estimator`; `plot` draws it again.

    Parameters
    ----------
    weights : array-like of shape (n_images, n_features)
        One row of weights an image.
    image_shape : tuple of int
        (height, width), (height, width, 1) or (height, width, 3).
    titles : list of str, default=None
        What stands above each image.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The images.
    axes_ : ndarray of matplotlib Axes, of shape (n_images,)
        The axes of each.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    LossCurveDisplay : The cost over the steps.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: w has one weight for each channel of each pixel.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn_basic import FlattenScaler, LogisticRegressionGD, WeightsDisplay, load_photo_patches
    >>> train_x, train_y, *_ = load_photo_patches()
    >>> model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=100)).fit(train_x, train_y)
    >>> display = WeightsDisplay.from_estimator(model)
    >>> display.image_shape
    (64, 64, 3)
    """

    def __init__(self, *, weights, image_shape, titles=None):
        self.weights = weights
        self.image_shape = image_shape
        self.titles = titles

    @classmethod
    def from_estimator(cls, estimator, *, image_shape=None, ax=None, **kwargs):
        """Draw the weights of a fitted classifier.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        image_shape : tuple of int, default=None
            The shape of one image; None takes that of the pipeline's FlattenScaler.
        ax : matplotlib Axes or array-like of Axes, default=None
            One for each image, or one whose place they divide; None makes a new figure.
        **kwargs : dict
            For matplotlib's `imshow`.

        Returns
        -------
        display : WeightsDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If the classifier is not fitted.
        TypeError
            If there is no classifier of this package.
        ValueError
            If the shape is unknown or not one of an image, if the number of weights is not that of its values
            (a step that keeps the number but changes what features mean goes unnoticed), or if the axes are
            too few, too many or, when one is to be divided, in no grid.
        """
        return cls._describe(estimator, image_shape).plot(ax, **kwargs)

    @classmethod
    def _describe(cls, estimator, image_shape=None, names=None):
        """Return the display of a fitted classifier as `from_estimator` does, but not drawn.

        `names` (array of str) are those of classes that are numbered.
        """
        steps, classifier = _unwrap(cls, estimator)
        if image_shape is None:
            shapes = [step.image_shape_ for step in steps if isinstance(step, FlattenScaler)]
            if not shapes:
                raise ValueError(
                    "WeightsDisplay needs the shape of the images: pass image_shape=(height, width, 3), or a "
                    "pipeline with FlattenScaler."
                )
            image_shape = shapes[-1]
            if len(image_shape) == 1:
                raise ValueError(
                    "FlattenScaler was fitted on rows, which do not tell the shape of the images: pass "
                    "image_shape=(height, width, 3)."
                )
        if not are_drawable(image_shape):
            raise ValueError(
                "WeightsDisplay draws images of shape (height, width), (height, width, 1) or "
                f"(height, width, 3), got image_shape={image_shape}."
            )
        if hasattr(classifier, "coef_"):
            weights, labels = classifier.coef_, classifier.classes_
            labels = (labels if names is None else names[labels]).tolist()
            titles = [f"{labels[1]} against {labels[0]}"] if len(labels) == 2 else [*map(str, labels)]
        else:
            weights = classifier.coefs_[0].T
            titles = [f"unit {j}" for j in range(len(weights))]
        if weights.shape[1] != prod(image_shape):
            raise ValueError(
                f"The classifier has {weights.shape[1]} weights an image, but images of shape {image_shape} "
                f"have {prod(image_shape)} values: a step between changes the number of features, or "
                "image_shape is another."
            )
        return cls(weights=weights, image_shape=tuple(image_shape), titles=titles)

    def plot(self, ax=None, **kwargs):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One for each image, or one whose place they divide; None makes a new figure.
        **kwargs : dict
            For matplotlib's `imshow`.

        Returns
        -------
        display : WeightsDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            If the axes are too few, too many or, when one is to be divided, in no grid.
        """
        n_images = len(self.weights)
        self.axes_ = np.array(self._make_axes(ax, n_images))
        if len(self.axes_) != n_images:
            raise ValueError(f"{n_images} images need {n_images} axes or one, got {len(self.axes_)}.")
        self.figure_ = self.axes_[0].figure
        self.images_ = []
        for axes, w, title in zip(self.axes_, self.weights, self.titles or [""] * n_images, strict=True):
            limit = np.abs(w).max() or 1.0
            if tuple(self.image_shape[2:]) == (3,):
                image, colours = 0.5 + np.reshape(w, self.image_shape) / (2 * limit), {}
            else:
                image, colours = np.reshape(w, self.image_shape[:2]), {"cmap": "RdBu_r"}
                if "norm" not in kwargs:
                    colours |= {"vmin": -limit, "vmax": limit}
            self.images_.append(axes.imshow(image, **colours | kwargs))
            axes.set(xticks=[], yticks=[])
            axes.set_title(title, fontsize="medium", parse_math=False)
        return self

    def _make_axes(self, ax, n_images):
        if ax is not None and np.ndim(ax) > 0:
            return np.ravel(ax)
        n_columns = ceil(np.sqrt(n_images * 1.5))
        n_rows = ceil(n_images / n_columns)
        if ax is None:
            size = 1 + 1.6 * n_columns, 1 + 1.7 * n_rows
            figure = _matplotlib("pyplot", self).figure(figsize=size, layout="constrained")
            grid = figure.add_gridspec(n_rows, n_columns)
        elif n_images == 1:
            return [ax]
        else:
            place = ax.get_subplotspec()
            if place is None:
                raise ValueError(
                    f"{n_images} images cannot share an axes that lies in no grid: make it by plt.subplots, "
                    f"or pass {n_images} axes."
                )
            ax.set_axis_off()
            figure, grid = ax.figure, place.subgridspec(n_rows, n_columns)
        return [figure.add_subplot(grid[i // n_columns, i % n_columns]) for i in range(n_images)]


def are_drawable(image_shape):
    """Whether samples of the shape are images: grey, grey with an axis of one channel, or RGB."""
    return len(image_shape) == 2 or (len(image_shape) == 3 and image_shape[2] in (1, 3))


def _unwrap(display, estimator):
    """Return the steps before the classifier, and the fitted classifier."""
    if hasattr(estimator, "refit") and not hasattr(estimator, "best_estimator_"):
        raise NotFittedError(
            f"{display.__name__} draws the best_estimator_ of a search, but this {type(estimator).__name__} "
            "has none: fit it, with refit=True."
        )
    estimator = getattr(estimator, "best_estimator_", estimator)
    classifier = last_step(estimator)
    if not isinstance(classifier, GradientDescentClassifier):
        raise TypeError(
            f"{display.__name__} takes LogisticRegressionGD, ShallowNNClassifier, a Pipeline that ends in "
            f"one or a fitted search over either, got {estimator!r}."
        )
    check_is_fitted(classifier)
    steps = [step for _, step in estimator.steps[:-1]] if isinstance(estimator, Pipeline) else []
    return steps, classifier


def _matplotlib(part, display):
    return import_extra(f"matplotlib.{part}", "plots", type(display).__name__)
