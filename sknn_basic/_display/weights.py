"""The weights of the first layer as images."""

from math import prod

import numpy as np

from .common import axes_for_images, check_image_shape, fitted_image_shape, unwrap


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
    ConfusionImagesDisplay : The images that a classifier mistakes for others.

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
        steps, classifier = unwrap(cls.__name__, estimator)
        if image_shape is None:
            image_shape = fitted_image_shape(steps)
            if image_shape is None:
                raise ValueError(
                    "WeightsDisplay needs the shape of the images: pass image_shape=(height, width, 3), or a "
                    "pipeline with FlattenScaler."
                )
            if len(image_shape) == 1:
                raise ValueError(
                    "FlattenScaler was fitted on rows, which do not tell the shape of the images: pass "
                    "image_shape=(height, width, 3)."
                )
        check_image_shape(cls.__name__, image_shape)
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
        self.axes_ = np.array(axes_for_images(type(self).__name__, ax, n_images))
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
