"""A report on fitted models in one picture: cost curves, confusion matrices, weights and mistakes."""

import os
import warnings
from io import BytesIO
from math import ceil, prod
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import fill

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.utils.multiclass import unique_labels

from .._files.atomic import write_atomically
from .._files.datasets import ImageDataset
from .._files.text import short_name
from .._lazy.sources import computed
from .axes import import_matplotlib
from .confusion_images import ConfusionImagesDisplay
from .estimators import unwrap
from .images import fitted_images, is_image_shape
from .loss_curve import LossCurveDisplay
from .names import counted, distinguishing_names, escape_formulas, name_classes
from .weights import WeightsDisplay, has_known_start

SIZE, DPI = (12.8, 7.2), 150  # inches of a slide of 16:9 on which 10 points are readable, 1920 x 1080 dots
N_SHOWN = 12  # images of weights, and of mistakes in all parts together
N_NUMBERED = 12  # classes of a confusion matrix whose cells hold numbers
NAME_LENGTH = 12  # characters of a class, so that titles do not overlap
LEGEND_LENGTH = 55  # characters of a line of the legend, of which two have room beside each other
SMALL, MEDIUM, LARGE = 7.5, 10, 12  # points of the titles of images, axes and parts
CHARACTER = 0.0083  # inches of a character, for each point of its size
TITLE_HEIGHT = 0.35  # inches of the title of an image, of two lines


def check_report(path):
    """Raise an error if `write_report` could not write to `path`; call it before a long training."""
    kinds = sorted(import_matplotlib("backend_bases").FigureCanvasBase.get_supported_filetypes())
    kinds.remove("pgf")  # since it needs LaTeX
    path = Path(path)
    if path.suffix[1:].lower() not in kinds:
        raise ValueError(f"{path} should end in one of {', '.join(f'.{kind}' for kind in kinds)}.")
    if path.is_dir():
        raise OSError(f"{path} cannot be written: it is a folder.")
    try:
        TemporaryFile(dir=os.path.dirname(os.path.realpath(path))).close()  # noqa: PTH120
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}, {error.filename}.") from error


def write_report(models, data, path):
    """Draw a report and write it to `path`, whose suffix is the format, such as .png, .pdf or .svg."""
    content = BytesIO()
    figure = import_matplotlib("figure").Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    draw_report(models, data, figure=figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about glyphs that the font lacks
        figure.savefig(content, format=Path(path).suffix[1:].lower())
    write_atomically(path, content.getbuffer(), overwrite=True)


def draw_report(models, data, *, figure=None):
    """Draw a report on fitted models in one picture, for a slide.

    Above the cost over the steps and the confusion matrix of each model; below, where the samples are images,
    the weights of each model and its most confident mistakes in the test set. Of a network, the weights that
    are drawn are those of at most 12 hidden units, those with the largest output weights: minus their start,
    if that is known (see `relative_to` of `WeightsDisplay.from_estimator`).

    Parameters
    ----------
    models : list of estimators of shape (n_models,)
        Classifiers of this package, pipelines that end in one or fitted searches over either, fitted on the
        training images. There is room for three.
    data : tuple of length 5
        ``(train_x, train_y, test_x, test_y, classes)``, as `load_photo_patches` and `read_hdf5` return them:
        the training samples, on which the models were fitted, their labels, the test samples with theirs, and
        the names of the classes 0, 1, ... (or a dict from labels to names; None for the labels themselves).
    figure : matplotlib Figure or SubFigure, default=None
        Where to draw, of a constrained layout; None makes a new figure of 12.8 x 7.2 inches, 16:9.

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        The figure, to show or to save: ``figure.savefig("report.png", dpi=150)`` has 1920 x 1080 pixels.

    Raises
    ------
    ImportError
        If matplotlib is not installed: the extra `plots`.
    NotFittedError
        If a model is not fitted.
    TypeError
        If `models` is not a list, or one of them holds no classifier of this package.
    ValueError
        If `models` is empty, `data` has not five parts or a class has no name.

    See Also
    --------
    LossCurveDisplay : The cost over the steps.
    WeightsDisplay : The weights as images.
    ConfusionImagesDisplay : The misclassified images.
    sklearn.metrics.ConfusionMatrixDisplay : How many samples of each class are taken for which.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: the costs, accuracies and a mistake of its model.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn_basic import (
    ...     FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, draw_report, load_photo_patches
    ... )
    >>> data = load_photo_patches()
    >>> train_x, train_y, test_x, test_y, names = data
    >>> line = LogisticRegressionGD(0.005, max_iter=100, record_every="auto")
    >>> network = ShallowNNClassifier(
    ...     4, learning_rate=0.005, max_iter=100, random_state=0, record_every="auto"
    ... )
    >>> models = [make_pipeline(FlattenScaler(), model).fit(train_x, train_y) for model in (line, network)]
    >>> figure = draw_report(models, data)
    """
    if hasattr(models, "get_params"):
        raise TypeError("draw_report takes a list of models: put the model in a list.")
    models = list(models)
    if not models:
        raise ValueError("draw_report needs at least one model, but models is empty.")
    if len(data) != len(ImageDataset._fields):
        raise ValueError(
            "data should be (train_x, train_y, test_x, test_y, classes), as load_photo_patches returns them, "
            f"but has {len(data)} parts."
        )
    train_x, train_y, test_x, test_y, classes = data
    train_x, test_x = (x if hasattr(x, "shape") else np.asarray(x) for x in (train_x, test_x))
    data = ImageDataset(train_x, computed(train_y), test_x, computed(test_y), classes)
    unwrapped = [unwrap("draw_report", model) for model in models]
    names = distinguishing_names([classifier for _, classifier in unwrapped])
    parts = [_Part(data, *each) for each in zip(names, models, unwrapped, strict=True)]
    if figure is None:
        figure = import_matplotlib("pyplot").figure(figsize=SIZE, layout="constrained")
    if not is_image_shape(train_x.shape[1:]):
        curves, bottom = figure.subfigures(2, 1)
        for part, where in zip(parts, bottom.subfigures(1, len(parts), squeeze=False).flat, strict=True):
            part.draw_confusion_matrix(where, part.summary())
    else:
        top, bottom = figure.subfigures(2, 1, height_ratios=[0.42, 0.58])
        curves, *matrices = top.subfigures(1, 1 + len(parts), width_ratios=[2.5, *[1] * len(parts)]).flat
        places = bottom.subfigures(1, len(parts), squeeze=False).flat
        for part, matrix, where in zip(parts, matrices, places, strict=True):
            part.draw_confusion_matrix(matrix, part.name)
            where.suptitle(_wrapped(part.summary(), where, LARGE), fontsize=LARGE, fontweight="bold")
            left, right = where.subfigures(1, 2)
            part.draw_weights(left)
            part.draw_mistakes(right, N_SHOWN // len(parts) or 1)
    _draw_curves(curves, parts)
    return figure


def _draw_curves(where, parts):
    ax, names = where.subplots(), [part.name for part in parts]
    LossCurveDisplay.from_estimators([part.model for part in parts], names=names, ax=ax)
    ax.set_title("Cost over the steps of gradient descent", fontsize=MEDIUM)
    ax.get_legend().remove()
    handles, labels = ax.get_legend_handles_labels()
    n_columns = 2 if max(map(len, labels)) <= LEGEND_LENGTH else 1
    where.legend(handles, labels, loc="outside lower center", ncols=n_columns, fontsize="small")


class _Part:
    """What a report says of one model."""

    def __init__(self, data, name, model, unwrapped):
        self.data, self.name, self.model = data, name, model
        steps, self.classifier = unwrapped
        self.image_shape, self.white = fitted_images(steps)
        self.labels = unique_labels(self.classifier.classes_, data.test_set_y)
        names = name_classes(self.labels.tolist(), data.classes)
        self.names = {label: short_name(names[label], NAME_LENGTH) for label in self.labels.tolist()}
        self.probabilities = computed(model.predict_proba(data.test_set_x))
        self.predicted = self.classifier.classes_[self.probabilities.argmax(axis=1)]

    def summary(self):
        training = self.model.score(self.data.train_set_x, self.data.train_set_y)
        test = np.mean(self.predicted == self.data.test_set_y)
        return f"{self.name}\naccuracy: training {100 * training:.1f} %, test {100 * test:.1f} %"

    def draw_confusion_matrix(self, where, title):
        ax = where.subplots()
        n = len(self.labels)
        names = [escape_formulas(name) for name in self.names.values()]
        style = {"include_values": n <= N_NUMBERED, "cmap": "Blues", "colorbar": False}
        ConfusionMatrixDisplay.from_predictions(
            self.data.test_set_y, self.predicted, labels=self.labels, ax=ax, **style
        )
        ax.set_title(_wrapped(title, where, MEDIUM), fontsize=MEDIUM, parse_math=False)
        ax.set_anchor("N")
        ax.set(xlabel="predicted class", ylabel="true class")
        shown = np.arange(0, n, ceil(n / N_NUMBERED))  # names of more would overlap
        ax.set_xticks(shown, [names[i] for i in shown], fontsize="small")
        ax.set_yticks(shown, [names[i] for i in shown], fontsize="small")
        if len(shown) * max(len(names[i]) for i in shown) > 2 * NAME_LENGTH:
            ax.tick_params(axis="x", rotation=90)
        elif n == 2:
            ax.tick_params(axis="y", rotation=90)

    def draw_weights(self, where):
        """Draw the weights of each class, or of the hidden units with the largest output weights."""
        shape, classifier = self.image_shape, self.classifier
        if shape is None or not is_image_shape(shape) or prod(shape) != classifier.n_features_in_:
            text = "Its features are not pixels,\nso its weights are no images."
            where.text(0.5, 0.5, text, ha="center", va="center")
            return
        is_network = hasattr(classifier, "coefs_")
        is_relative = has_known_start(classifier)
        display = WeightsDisplay._describe(self.model, "auto", self.names)
        n = len(display.weights)
        importance = np.abs(classifier.coefs_[1]).sum(axis=1) if is_network else np.zeros(n)
        shown = np.sort(np.argsort(-importance, kind="stable")[:N_SHOWN])
        title = _weights_title(n, len(shown), is_network, is_relative)
        where.suptitle(_wrapped(title, where, MEDIUM), fontsize=MEDIUM)
        colours = _colours(shape[2:] == (3,), is_relative)
        where.supxlabel(_wrapped(colours, where, 0.9 * SMALL), fontsize=SMALL)
        titles = [display.titles[i].replace(", for ", "\nfor ", 1) for i in shown]
        longest = max(len(line) for title in titles for line in title.splitlines())
        shown_display = WeightsDisplay(weights=display.weights[shown], image_shape=shape, titles=titles)
        _draw_images(shown_display, where, len(shown), longest)

    def draw_mistakes(self, where, n_images):
        """Draw the misclassified test images, the most confident mistakes first."""
        X, y, labels = self.data.test_set_x, self.data.test_set_y, self.classifier.classes_
        display = ConfusionImagesDisplay._describe(
            X, y, self.probabilities, labels, n_images, self.names, white=self.white
        )
        n_mistakes, n_drawn = display.n_mistakes, len(display.images)
        if n_mistakes == 0:
            text = f"All {display.n_samples} test images\nare classified correctly."
            where.text(0.5, 0.5, text, ha="center", va="center")
            return
        which = "Its" if n_drawn == n_mistakes else f"The {n_drawn} most confident of its"
        title = f"{which} {counted(n_mistakes, 'mistake')}\nin {display.n_samples} test images"
        where.suptitle(_wrapped(title, where, MEDIUM), fontsize=MEDIUM)
        longest = max(len(name) for name in [*display.predicted, *display.true])
        _draw_images(display, where, n_drawn, longest + len(", 99.9%"))


def _weights_title(n, n_shown, is_network, is_relative):
    if not is_network:
        return "What it looks for\n" + (f"({n_shown} of {n} classes)" if n_shown < n else "(weights)")
    which = "its hidden units" if n_shown == n else f"{n_shown} of its {n} hidden units"
    return f"What {which} have learnt\n(weights minus start)" if is_relative else f"What {which}\nlook for"


def _colours(is_rgb, is_relative):
    """Return what the colours of weights mean."""
    if is_rgb:
        up, zero = ("has grown", "no change") if is_relative else ("raises the score", "0")
        return f"red, green, blue: brighter where a channel's\nweight {up}; mid-grey: {zero}"
    if is_relative:
        return "red: weight has grown; blue: it has fallen; white: 0"
    return "red: bright pixel raises the score; blue: lowers it; white: 0"


def _draw_images(display, where, n_images, n_characters):
    """Draw a display of images in the grid in which they are largest, and as wide as so many characters."""
    width, height = where.bbox.width / where.figure.dpi, where.bbox.height / where.figure.dpi
    n_most = max(1, min(n_images, int(width / (n_characters * CHARACTER * SMALL))))
    size = {n: min(width / n, height / ceil(n_images / n) - TITLE_HEIGHT) for n in range(1, n_most + 1)}
    n_columns = max(size, key=size.get)
    axes = where.subplots(ceil(n_images / n_columns), n_columns, squeeze=False).ravel()
    for ax in axes[n_images:]:
        ax.set_axis_off()
    display.plot(axes[:n_images])
    for ax in axes[:n_images]:
        ax.set_anchor("N")  # so that the layout knows where its title is
        ax.title.set_fontsize(SMALL)


def _wrapped(text, where, points):
    """Return the text in lines that are no wider than a part of the figure, in letters of so many points."""
    n_characters = int(where.bbox.width / where.figure.dpi / (CHARACTER * points))
    return "\n".join(fill(line, max(n_characters, 1)) for line in text.splitlines())
