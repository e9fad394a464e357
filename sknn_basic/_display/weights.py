"""The weights of the first layer as images."""

from numbers import Integral

import numpy as np

from .._files.text import short_name
from .estimators import unwrap
from .images import axes_for_images, check_image_shape, fit_titles, fitted_images
from .names import name_classes

UNIT_NAME_LENGTH = 20  # characters of a class in the title of a unit, and of a title on one line


class WeightsDisplay:
    """The weights of the first layer as images: what logistic regression, or each hidden unit, looks for.

    Grey images, (height, width) or (height, width, 1): red where a bright pixel raises the score, blue where
    it lowers it. Colour images, (height, width, 3): mid-grey is 0, and each of red, green and blue is
    brighter where it raises the score. Each image is scaled by its own largest weight.

    The weights of hidden units are drawn at random at the start, and descent changes them little: what a unit
    has learnt is seen only relative to its start, which is subtracted if an int as `random_state` draws it
    again. Its title names the class that its output weight is for: the second of two if the weight is
    positive and the first if it is negative; of more classes, that of the largest weight.

    Create it by `from_estimator`; `plot` draws it again.

    Parameters
    ----------
    weights : array-like of shape (n_images, n_features)
        One row of weights per image.
    image_shape : tuple of int
        (height, width), (height, width, 1) or (height, width, 3).
    titles : list of str, default=None
        The title of each image.
    title : str, default=None
        The title of a new figure.

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

    What the units of a network have learnt:

    >>> from sknn_basic import ShallowNNClassifier
    >>> network = ShallowNNClassifier(4, learning_rate=0.005, max_iter=100, random_state=0)
    >>> model = make_pipeline(FlattenScaler(), network).fit(train_x, train_y)
    >>> display = WeightsDisplay.from_estimator(model, class_names=["temple", "flower"])
    >>> display.title
    'weights minus their start'
    >>> display.titles
    ['unit 0, for temple', 'unit 1, for flower', 'unit 2, for flower', 'unit 3, for temple']
    """

    def __init__(self, *, weights, image_shape, titles=None, title=None):
        self.weights = weights
        self.image_shape = image_shape
        self.titles = titles
        self.title = title

    @classmethod
    def from_estimator(
        cls, estimator, *, relative_to="auto", class_names=None, image_shape=None, ax=None, **kwargs
    ):
        """Draw the weights of a fitted classifier.

        Parameters
        ----------
        estimator : LogisticRegressionGD, ShallowNNClassifier, Pipeline or fitted search
            The fitted classifier, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        relative_to : "auto", "start", estimator or None, default="auto"
            What is subtracted from the weights. "start" is the weights that the fit started from: 0 for
            logistic regression; those of a network are drawn again, so its `random_state` must be an int, and
            the parameters those of the fit. An estimator is another fitted model with as many weights, such
            as the one after 0 steps of `descent_path`. None subtracts nothing. "auto" is "start" for a
            network whose start can be drawn again, else None; the title of a new figure tells which, and what
            to do if the start of a network is unknown.
        class_names : array-like of str or dict, default=None
            The names of the classes: a dict from labels to names or, for numbered classes, the names of
            0, 1, ..., as `read_hdf5` and `read_image_folder` return them. Labels that are strings are names
            already. None shows the labels.
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
            keeps this number but changes the meaning of the features goes unnoticed); if the start of the
            fit is unknown, or `relative_to` has other weights; if a class has no name; or if there are too
            few or too many axes, or one to be divided that is not part of a grid.
        """
        display = cls._describe(estimator, relative_to, class_names, image_shape)
        return display.plot(ax, **kwargs)

    @classmethod
    def _describe(cls, estimator, relative_to, class_names, image_shape=None):
        """Return the display of `from_estimator`, not drawn."""
        steps, classifier = unwrap(cls.__name__, estimator)
        if image_shape is None:
            image_shape, _ = fitted_images(steps)
        weights = _first_layer(classifier)
        image_shape = check_image_shape(image_shape, weights.shape[1])
        title = None if relative_to is None else "weights minus those given"
        if isinstance(relative_to, str) and relative_to == "auto":
            relative_to, title = ("start", title) if has_known_start(classifier) else (None, None)
            if relative_to is None and hasattr(classifier, "coefs_"):
                title = "weights, including the random start"
                if lacks_seed(classifier):
                    title += ":\npass an int random_state to subtract it"
        if isinstance(relative_to, str):
            if relative_to != "start":
                raise ValueError(
                    f'relative_to should be "auto", "start", a fitted model or None, got {relative_to!r}.'
                )
            weights, title = weights - _initial_weights(classifier), "weights minus their start"
        elif relative_to is not None:
            _, other = unwrap(cls.__name__, relative_to)
            subtracted = _first_layer(other)
            if subtracted.shape != weights.shape:
                raise ValueError(
                    f"relative_to has weights of shape {subtracted.shape}, but those of the estimator have "
                    f"the shape {weights.shape}: pass a model of the same size."
                )
            weights = weights - subtracted
        names = name_classes(classifier.classes_.tolist(), class_names)
        titles = _titles(classifier, [names[label] for label in classifier.classes_.tolist()])
        return cls(weights=weights, image_shape=image_shape, titles=titles, title=title)

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
        self.axes_ = np.array(axes_for_images(ax, n_images))
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
        fit_titles(self.axes_)
        if ax is None and self.title is not None:
            self.figure_.suptitle(self.title)
        return self


def has_known_start(classifier):
    """Whether the classifier is a network whose random start can be drawn again."""
    return hasattr(classifier, "coefs_") and _unknown_start(classifier) is None


def lacks_seed(classifier):
    """Whether a network has no int as random_state, without which its start is unknown."""
    return not isinstance(classifier.random_state, Integral)


def _unknown_start(classifier):
    """Return why the weights that a fit started from cannot be known and what to do, or None if they can."""
    if classifier.warm_start:
        return "warm_start=True, which continues from weights that are not kept. Fit it without warm_start"
    if hasattr(classifier, "coef_"):
        return None
    random_state, size = classifier.random_state, classifier.hidden_layer_size
    if lacks_seed(classifier):
        text = "which does not give the same weights again. Fit it with an int as random_state"
        return f"random_state={random_state!r}, {text}"
    n_units = classifier.coefs_[0].shape[1]
    if n_units != size:
        return f"{n_units} hidden units, but hidden_layer_size is {size}. Set it back to that of the fit"
    return None


def _initial_weights(classifier):
    """Return the weights of the first layer that the fit of a classifier started from."""
    reason = _unknown_start(classifier)
    if reason:
        raise ValueError(
            f'relative_to="start" needs the initial weights, but {type(classifier).__name__} has {reason}, '
            "or pass another fitted model as relative_to, such as the first of "
            "descent_path(..., steps=[0, ...])."
        )
    weights = _first_layer(classifier)
    n_units, n_features = weights.shape
    n_outputs = n_units if hasattr(classifier, "coef_") else classifier.coefs_[1].shape[1]
    return classifier._init_layers(n_features, n_outputs, weights.dtype)[0][0].T


def _first_layer(classifier):
    """Return the weights of the first layer, one row for each class or hidden unit."""
    return classifier.coef_ if hasattr(classifier, "coef_") else classifier.coefs_[0].T


def _titles(classifier, names):
    """Return the title of each image: a class, or a unit and the class that its output weight is for."""
    if hasattr(classifier, "coef_"):
        shown = [short_name(name) for name in names]
        return [f"{shown[1]} against {shown[0]}"] if len(shown) == 2 else shown
    W2 = classifier.coefs_[1]
    favoured = W2.argmax(axis=1) if len(names) > 2 else (W2.ravel() > 0).astype(int)
    titles = [f"unit {j}, for {short_name(names[k], UNIT_NAME_LENGTH)}" for j, k in enumerate(favoured)]
    if max(map(len, titles)) > UNIT_NAME_LENGTH:
        titles = [title.replace(", ", "\n", 1) for title in titles]
    return titles
