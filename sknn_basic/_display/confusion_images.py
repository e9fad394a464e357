"""The images that a classifier misclassifies."""

from math import prod
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.utils import check_array, check_consistent_length, check_scalar, column_or_1d
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted

from .._files.text import short_name
from .._fitting.pipelines import transformers_of
from .images import axes_for_images, check_image_shape, fit_titles, fitted_images
from .names import counted, name_classes


class ConfusionImagesDisplay:
    """The images that a classifier misclassifies, the most confident mistakes first.

    The title of each image gives the predicted class (the most probable one), its probability and the true
    class. The images are the off-diagonal cells of a confusion matrix, one by one.

    Create it by `from_estimator` or `from_predictions`; `plot` draws it again.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width) or (n_images, height, width, 3)
        The images to draw, grey or RGB: 0 is black and 1 is white.
    predicted : array-like of shape (n_images,)
        The name of the predicted class of each image.
    probability : array-like of shape (n_images,)
        The probability of that class.
    true : array-like of shape (n_images,)
        The name of the true class of each image.
    n_mistakes : int
        The number of misclassified samples, including those not drawn.
    n_samples : int
        The number of all samples.
    indices : array-like of shape (n_images,), default=None
        The row of X that each image is, so that ``filenames[display.indices]`` names the files.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The images; empty where there are no mistakes.
    axes_ : ndarray of matplotlib Axes, of shape (n_images,)
        The axes of each image; without mistakes, the one of `text_`.
    text_ : matplotlib Text or None
        The text that is shown if there are no mistakes.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    WeightsDisplay : The weights as images.
    sklearn.metrics.ConfusionMatrixDisplay : How many samples of each class are taken for which.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn_basic import (
    ...     ConfusionImagesDisplay, FlattenScaler, LogisticRegressionGD, load_photo_patches
    ... )
    >>> train_x, train_y, test_x, test_y, names = load_photo_patches()
    >>> model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=100)).fit(train_x, train_y)
    >>> display = ConfusionImagesDisplay.from_estimator(model, test_x, test_y, class_names=names)
    >>> display.n_samples
    50
    >>> display.n_mistakes == (model.predict(test_x) != test_y).sum()
    np.True_
    >>> bool((model.predict(test_x[display.indices]) != test_y[display.indices]).all())
    True
    """

    def __init__(self, *, images, predicted, probability, true, n_mistakes, n_samples, indices=None):
        self.images = images
        self.predicted = predicted
        self.probability = probability
        self.true = true
        self.n_mistakes = n_mistakes
        self.n_samples = n_samples
        self.indices = indices

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, n_images=12, class_names=None, image_shape=None, ax=None, **kwargs
    ):
        """Draw the images that a fitted classifier misclassifies.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with `predict_proba`, of this package or not: alone, at the end of a Pipeline,
            or the `best_estimator_` of a fitted search.
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            What the estimator takes: images of shape (height, width), (height, width, 1) or
            (height, width, 3), or rows into which they are flattened. 0 and below is black.
            White is the divisor of the pipeline's FlattenScaler, if no value of X is above it. Else it is 255
            if the dtype is uint8 or the largest value is in (1, 255]; that value if it is above 255; else 1.
        y : array-like of shape (n_samples,)
            The true class of each image. Images of classes unknown to the classifier count as mistakes.
        n_images : int, default=12
            The maximum number of images to draw, at least 1.
        class_names : array-like of str or dict, default=None
            The names of the classes: a dict from labels to names or, for numbered classes, the names of
            0, 1, ..., as `read_hdf5` and `read_image_folder` return them. Labels that are strings are names
            already. None shows the labels.
        image_shape : tuple of int, default=None
            The shape of one image, where X has rows; None takes that of the pipeline's FlattenScaler.
        ax : matplotlib Axes or array-like of Axes, default=None
            One to divide among the images, or several, which are filled in order; None makes a new figure.
        **kwargs : dict
            For matplotlib's `imshow`.

        Returns
        -------
        display : ConfusionImagesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not a classifier with `predict_proba`.
        ValueError
            If the shape of the images is unknown, not one of an image or not that of X; if X and y differ in
            length; if labels are partly strings and partly numbers; if a class has no name; or if `ax` is
            empty, or is one to be divided that is not part of a grid.
        """
        if not (hasattr(estimator, "predict_proba") and is_classifier(estimator)):
            raise TypeError(
                f"{cls.__name__} takes a fitted classifier with predict_proba, or a search over one with "
                f"refit=True, got {estimator!r}."
            )
        check_is_fitted(estimator)
        fitted_shape, white = fitted_images(transformers_of(getattr(estimator, "best_estimator_", estimator)))
        if image_shape is None and np.ndim(X) == 2:
            image_shape = fitted_shape
        y_prob, labels = estimator.predict_proba(X), estimator.classes_
        display = cls._describe(X, y, y_prob, labels, n_images, class_names, image_shape, white)
        return display.plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true,
        y_prob,
        *,
        labels=None,
        n_images=12,
        class_names=None,
        image_shape=None,
        ax=None,
        **kwargs,
    ):
        """Draw the images for which the most probable class is not the true one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Images, or rows into which they are flattened, as in `from_estimator` without a FlattenScaler.
        y_true : array-like of shape (n_samples,)
            The true class of each image.
        y_prob : array-like of shape (n_samples, n_classes)
            The probabilities of the classes, as `predict_proba` returns them.
        labels : array-like of shape (n_classes,), default=None
            The class of each column of `y_prob`, such as `classes_`; None takes those of `y_true`, sorted.
        n_images : int, default=12
            The maximum number of images to draw, at least 1.
        class_names : array-like of str or dict, default=None
            The names of the classes, as in `from_estimator`.
        image_shape : tuple of int, default=None
            The shape of one image; needed where X has rows.
        ax : matplotlib Axes or array-like of Axes, default=None
            One to divide among the images, or several, which are filled in order; None makes a new figure.
        **kwargs : dict
            For matplotlib's `imshow`.

        Returns
        -------
        display : ConfusionImagesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            As `from_estimator`, and if `y_prob` has not one column for each class.
        """
        display = cls._describe(X, y_true, y_prob, labels, n_images, class_names, image_shape)
        return display.plot(ax, **kwargs)

    @classmethod
    def _describe(cls, X, y_true, y_prob, labels, n_images, class_names, image_shape=None, white=None):
        """Return the display of `from_predictions`, not drawn; `white` is the value of white, if known."""
        check_scalar(n_images, "n_images", Integral, min_val=1)
        X = check_array(X, accept_sparse="csr", allow_nd=True, input_name="X")
        y_true = column_or_1d(y_true)
        if np.ndim(y_prob) != 2:
            raise ValueError("y_prob must have a column for each class: pass predict_proba(X).")
        y_prob = check_array(y_prob, input_name="y_prob")
        check_consistent_length(X, y_true, y_prob)
        sample_shape = X.shape[1:]
        image_shape = sample_shape if image_shape is None else image_shape
        image_shape = check_image_shape(image_shape, prod(sample_shape))
        labels = unique_labels(y_true) if labels is None else np.asarray(labels)
        if y_prob.shape[1] != len(labels):
            raise ValueError(
                f"y_prob has {y_prob.shape[1]} columns, but there are {len(labels)} classes: "
                f"{labels.tolist()}. Pass one column for each class, and the classes of the columns as "
                "labels where y_true lacks some."
            )
        names = name_classes(unique_labels(labels, y_true).tolist(), class_names)
        predicted = labels[y_prob.argmax(axis=1)]
        (mistakes,) = np.nonzero(predicted != y_true)
        by_confidence = np.argsort(-y_prob[mistakes].max(axis=1), kind="stable")
        shown = mistakes[by_confidence[:n_images]]
        colours = image_shape[2:] if image_shape[2:] == (3,) else ()  # without the axis of one channel
        return cls(
            images=_scale(X, shown, white).reshape(len(shown), *image_shape[:2], *colours),
            predicted=[names[label] for label in predicted[shown].tolist()],
            probability=y_prob[shown].max(axis=1),
            true=[names[label] for label in y_true[shown].tolist()],
            n_mistakes=len(mistakes),
            n_samples=len(y_true),
            indices=shown,
        )

    def plot(self, ax=None, **kwargs):
        """Draw the images; in a new figure, a title counts the mistakes.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One to divide among the images, or several, which are filled in order; None makes a new figure.
        **kwargs : dict
            For matplotlib's `imshow`.

        Returns
        -------
        display : ConfusionImagesDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        ValueError
            If `ax` is empty, or is one to be divided that is not part of a grid.
        """
        n_images = len(self.images)
        n_axes = max(n_images, 1)  # for a text where there are no mistakes
        every = np.array(axes_for_images(ax, n_axes))
        for axes in every:
            axes.set_axis_off()
        self.axes_ = every[:n_axes]
        self.figure_ = every[0].figure
        style = {"cmap": "gray"} | ({} if "norm" in kwargs else {"vmin": 0, "vmax": 1}) | kwargs
        self.images_ = []
        for axes, image, predicted, p, true in zip(
            self.axes_, self.images, self.predicted, self.probability, self.true, strict=False
        ):
            self.images_.append(axes.imshow(image, **style))
            title = f"{short_name(predicted)}, {p:.1%}\n(is {short_name(true)})"
            axes.set_title(title, fontsize="small", parse_math=False)
        fit_titles(self.axes_)
        self.text_ = None
        if n_images == 0:
            centred = {"ha": "center", "va": "center", "transform": every[0].transAxes}
            self.text_ = every[0].text(0.5, 0.5, self._count(), **centred)
        elif ax is None:
            self.figure_.suptitle(self._count())
        return self

    def _count(self):
        """Return how many mistakes there are, and whether all of them are drawn."""
        n_images, n_mistakes = len(self.images), self.n_mistakes
        text = f"{counted(n_mistakes, 'mistake')} in {counted(self.n_samples, 'image')}"
        return text if n_images == n_mistakes else f"The {n_images} most confident of {text}"


def _scale(X, shown, white):
    """Return the samples to show, scaled to black at 0 and white at 1."""
    highest = X.max()
    if white is None or highest > white:
        white = 255 if X.dtype == np.uint8 or 1 < highest <= 255 else max(highest, 1)
    samples = X[shown].toarray() if issparse(X) else X[shown]
    return np.clip(samples / white, 0, 1)
