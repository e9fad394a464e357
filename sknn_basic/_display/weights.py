"""The weights of the first layer as images."""

from math import prod

import numpy as np

from .._text import short_name
from .common import axes_for_images, check_image_shape, fitted_image_shape, unwrap


class WeightsDisplay:
    """The weights of the first layer as images: what logistic regression, or each hidden unit, looks for.

    Grey images, (height, width) or (height, width, 1): red where a bright pixel raises the score, blue where
    it lowers it. Colour images, (height, width, 3): mid-grey is 0, and each of red, green and blue is
    brighter where it raises the score. Each image is scaled by its own largest weight.

    Create it by `from_estimator`; `plot` draws it again.

    Parameters
    ----------
    weights : array-like of shape (n_images, n_features)
        One row of weights per image.
    image_shape : tuple of int
        (height, width), (height, width, 1) or (height, width, 3).
    titles : list of str, default=None
        The title of each image.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The images.
    axes_ : ndarray of matplotlib Axes, of shape (n_images,)
        The axes of each image.
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
            One for each image, or one to divide among them; None makes a new figure.
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
            If `estimator` holds no classifier of this package.
        ValueError
            If the image shape is unknown or invalid, if it does not match the number of weights (a step that
            keeps this number but changes the meaning of the features goes unnoticed), or if there are too
            few or too many axes, or one to be divided that is not part of a grid.
        """
        return cls._describe(estimator, image_shape).plot(ax, **kwargs)

    @classmethod
    def _describe(cls, estimator, image_shape=None, names=None):
        """Return the display of `from_estimator`, not drawn.

        `names` (array of str) are the names of numbered classes.
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
                    "FlattenScaler was fitted on rows, which do not give the shape of the images: pass "
                    "image_shape=(height, width, 3)."
                )
        check_image_shape(cls.__name__, image_shape)
        if hasattr(classifier, "coef_"):
            weights, labels = classifier.coef_, classifier.classes_
            labels = (labels if names is None else names[labels]).tolist()
            shown = [short_name(label) for label in labels]
            titles = [f"{shown[1]} against {shown[0]}"] if len(shown) == 2 else shown
        else:
            weights = classifier.coefs_[0].T
            titles = [f"unit {j}" for j in range(len(weights))]
        if weights.shape[1] != prod(image_shape):
            raise ValueError(
                f"The classifier has {weights.shape[1]} weights per image, but images of shape {image_shape} "
                f"have {prod(image_shape)} values: a step in between changes the number of features, "
                "or image_shape is wrong."
            )
        return cls(weights=weights, image_shape=tuple(image_shape), titles=titles)

    def plot(self, ax=None, **kwargs):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One for each image, or one to divide among them; None makes a new figure.
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
            If there are too few or too many axes, or one to be divided that is not part of a grid.
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
