"""A report on fitted models in one picture: cost curves, confusion matrices, weights and mistakes."""

import os
import warnings
from collections.abc import Mapping
from io import BytesIO
from itertools import product
from math import ceil, prod
from pathlib import Path
from tempfile import TemporaryFile
from textwrap import fill, wrap

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils import check_consistent_length, column_or_1d
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
from .weights import WeightsDisplay, has_known_start, lacks_seed

SIZE, DPI = (12.8, 7.2), 150  # inches of a slide of 16:9 on which 10 points are readable, 1920 x 1080 dots
MOST_MODELS = 3  # in one picture
N_SHOWN = 12  # images of weights, and of mistakes in all parts together
N_NUMBERED = 12  # classes of a confusion matrix whose cells hold numbers
NAME_LENGTH = 12  # characters of a class, so that titles do not overlap
TABLE_NAME_LENGTH = 18  # characters of a class beside a confusion matrix alone
SMALL, MEDIUM, LARGE = 7.5, 10, 12  # points of the titles of images, axes and parts
FULL = 9.6, 5.4  # inches of a figure below which all letters are smaller
LEAST = 0.75  # of that size, below which a report has no images: their titles would be unreadable
SMALLEST = 0.7  # of these points, in any figure
CHARACTER = 0.0083  # inches of a character, for each point of its size
MATRIX = 0.85  # of the width of its part: beside a matrix are the names of the classes
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
    _draw(models, data, figure, beside="test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about glyphs that the font lacks
        figure.savefig(content, format=Path(path).suffix[1:].lower())
    write_atomically(path, content.getbuffer(), overwrite=True)


def draw_report(models, X, y=None, *, class_names=None, figure=None):
    """Draw a report on fitted models in one picture, for a slide.

    The cost over the steps and the confusion matrix of each model; below, where the samples are images, the
    weights of each model and its most confident mistakes. Of a network, the weights that are drawn are those
    of at most 12 hidden units, those with the largest output weights: minus their start, if that is known
    (see `relative_to` of `WeightsDisplay.from_estimator`).

    Parameters
    ----------
    models : estimator, list of estimators of shape (n_models,) or dict
        Fitted classifiers of this package, pipelines that end in one or fitted searches over either: one, or
        up to three for which there is room. The keys of a dict are their names; else they are called by what
        tells them apart.
    X : array-like of shape (n_samples, ...) or tuple of length 5
        Samples to predict, such as test images: what the models take. A tuple is
        ``(train_x, train_y, test_x, test_y, classes)``, as `load_photo_patches` and `read_hdf5` return them,
        without y: also the samples on which the models were fitted, for the accuracy there.
    y : array-like of shape (n_samples,), default=None
        The true class of each sample.
    class_names : array-like of str or dict, default=None
        The names of the classes: a dict from labels to names or, for numbered classes, the names of
        0, 1, ..., as `read_hdf5` and `read_image_folder` return them. Labels that are strings are names
        already. None shows those of the tuple, or the labels.
    figure : matplotlib Figure or SubFigure, default=None
        Where to draw, of a constrained layout; None makes a new figure of 12.8 x 7.2 inches, 16:9. One that
        is smaller than 7.2 x 4.05 inches has room for the curves and the matrices alone, without images.

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
        If one of the models holds no classifier of this package.
    ValueError
        If `models` is empty or more than three, X and y differ in length, y is left out and X has not five
        parts, or a class has no name.

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
    >>> line = LogisticRegressionGD(0.005, max_iter=100)
    >>> network = ShallowNNClassifier(4, learning_rate=0.005, max_iter=100, random_state=0)
    >>> models = [make_pipeline(FlattenScaler(), model).fit(train_x, train_y) for model in (line, network)]
    >>> figure = draw_report(models, data)

    Of one model and other samples:

    >>> figure = draw_report({"network": models[1]}, test_x[:20], test_y[:20], class_names=names)
    """
    if y is None:
        if len(X) != len(ImageDataset._fields):
            raise ValueError(
                "Without y, the data should be (train_x, train_y, test_x, test_y, classes), as "
                f"load_photo_patches returns them, but has {len(X)} parts."
            )
        train_x, train_y, X, y, classes = X
        class_names = classes if class_names is None else class_names
    else:
        train_x = train_y = None
    X = X if hasattr(X, "shape") else np.asarray(X)
    y = column_or_1d(computed(y))
    check_consistent_length(X, y)
    return _draw(models, ImageDataset(train_x, computed(train_y), X, y, class_names), figure)


def _draw(models, data, figure, beside="validation"):
    """Return the figure of `draw_report`; `beside` is what the validation samples of the fits are called."""
    models = [models] if hasattr(models, "get_params") else models
    if not models:
        raise ValueError("draw_report needs at least one model, but models is empty.")
    if len(models) > MOST_MODELS:
        raise ValueError(
            f"draw_report has room for {MOST_MODELS} models, got {len(models)}: draw several reports, or the "
            "costs alone by LossCurveDisplay.from_estimators."
        )
    names = [short_name(name) for name in models] if isinstance(models, Mapping) else None
    models = list(models if names is None else models.values())
    unwrapped = [unwrap("draw_report", model) for model in models]
    if names is None:
        names = distinguishing_names([classifier for _, classifier in unwrapped])
    pyplot = import_matplotlib("pyplot")
    if figure is None:
        figure = pyplot.figure(figsize=SIZE, layout="constrained")
    scale = min(1, *figure.bbox.size / figure.dpi / FULL)
    has_images, scale = _are_images(data) and scale >= LEAST, max(scale, SMALLEST)
    parts = [_Part(data, scale, *each) for each in zip(names, models, unwrapped, strict=True)]
    with pyplot.rc_context({"font.size": scale * pyplot.rcParams["font.size"]}):
        _draw_parts(parts, figure, has_images, beside)
    return figure


def _draw_parts(parts, figure, has_images, beside):
    if not has_images:
        n_rows, n_columns = (len(parts), 1) if len(parts) < 3 else (1, len(parts))
        if n_columns == 1:
            curves, rest = figure.subfigures(1, 2, width_ratios=[1, 1] if n_rows == 1 else [1.7, 1])
        else:
            curves, rest = figure.subfigures(2, 1)
        places = rest.subfigures(n_rows, n_columns, squeeze=False).flat
        for part, where in zip(parts, places, strict=True):
            part.draw_confusion_matrix(where, part.summary())
    else:
        top, bottom = figure.subfigures(2, 1, height_ratios=[0.42, 0.58])
        curves, *matrices = top.subfigures(1, 1 + len(parts), width_ratios=[2.5, *[1] * len(parts)]).flat
        places = bottom.subfigures(1, len(parts), squeeze=False).flat
        for part, matrix, where in zip(parts, matrices, places, strict=True):
            part.draw_confusion_matrix(matrix, part.name)
            caption, style = _caption(part.summary(), where, LARGE * part.scale)
            where.suptitle(caption, **style, fontweight="bold", parse_math=False)
            left, right = where.subfigures(1, 2)
            part.draw_weights(left)
            part.draw_mistakes(right, N_SHOWN // len(parts) or 1)
    _draw_curves(curves, parts, beside)


def _are_images(data):
    return is_image_shape(data.test_set_x.shape[1:])


def _draw_curves(where, parts, beside):
    ax, names = where.subplots(), [part.name for part in parts]
    displays = LossCurveDisplay.from_estimators([part.model for part in parts], names=names, ax=ax)
    for line in (display.validation_line_ for display in displays if display.validation_line_):
        line.set_label(beside.join(line.get_label().rsplit("validation", 1)))
    caption, style = _caption("Cost over the steps of gradient descent", where, MEDIUM * parts[0].scale)
    ax.set_title(caption, **style)
    ax.get_legend().remove()
    handles, labels = ax.get_legend_handles_labels()
    for n_columns, size in product((3, 2, 1) if len(parts) == 3 else (2, 1), ("small", "x-small")):
        for legend in where.legends:  # one that is too wide
            legend.remove()
        legend = where.legend(handles, labels, loc="outside lower center", ncols=n_columns, fontsize=size)
        if legend.get_window_extent().width <= where.bbox.width:
            break


class _Part:
    """What a report says of one model."""

    def __init__(self, data, scale, name, model, unwrapped):
        self.data, self.scale, self.name, self.model = data, scale, name, model
        steps, self.classifier = unwrapped
        self.image_shape, self.white = fitted_images(steps)
        self.labels = unique_labels(self.classifier.classes_, data.test_set_y)
        names, is_table = name_classes(self.labels.tolist(), data.classes), not _are_images(data)
        length = TABLE_NAME_LENGTH if is_table else NAME_LENGTH
        self.names = {label: short_name(names[label], length) for label in self.labels.tolist()}
        self.probabilities = computed(model.predict_proba(data.test_set_x))
        self.predicted = self.classifier.classes_[self.probabilities.argmax(axis=1)]

    def summary(self):
        accuracy = f"{100 * np.mean(self.predicted == self.data.test_set_y):.1f} %"
        if self.data.train_set_x is not None:
            training = self.model.score(self.data.train_set_x, self.data.train_set_y)
            accuracy = f"training {100 * training:.1f} %, test {accuracy}"
        return f"{self.name}\naccuracy: {accuracy}"

    def draw_confusion_matrix(self, where, title):
        ax = where.subplots()
        n = len(self.labels)
        names = [escape_formulas(name) for name in self.names.values()]
        counts = confusion_matrix(self.data.test_set_y, self.predicted, labels=self.labels)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # or small classes are all pale
        style = {"include_values": n <= N_NUMBERED, "cmap": "Blues", "colorbar": False}
        display = ConfusionMatrixDisplay(shares).plot(ax=ax, im_kw={"vmin": 0, "vmax": 1}, **style)
        texts = [] if display.text_ is None else display.text_.flat
        for text, count in zip(texts, counts.flat, strict=False):
            text.set_text(str(count))
        caption, style = _caption(title, where, MEDIUM * self.scale, share=MATRIX)
        ax.set_title(caption, **style, parse_math=False)
        ax.set_anchor("N")
        ax.grid(visible=False)
        ax.set(xlabel="predicted class", ylabel="true class")
        shown = np.arange(0, n, ceil(n / N_NUMBERED))  # names of more would overlap
        ax.set_xticks(shown, [names[i] for i in shown], fontsize="small")
        ax.set_yticks(shown, [names[i] for i in shown], fontsize="small")
        room = 0.6 * min(where.bbox.width, where.bbox.height) / where.figure.dpi  # inches of the matrix
        if len(shown) * max(len(names[i]) for i in shown) * CHARACTER * SMALL * self.scale > room:
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
        title = _weights_title(n, len(shown), is_network, is_relative, is_network and lacks_seed(classifier))
        caption, style = _caption(title, where, MEDIUM * self.scale)
        where.suptitle(caption, **style)
        caption, style = _caption(_colours(shape[2:] == (3,), is_relative), where, 0.9 * SMALL * self.scale)
        where.supxlabel(caption, fontsize=style["fontsize"] / 0.9)  # its letters are narrow
        titles = [display.titles[i].replace(", for ", "\nfor ", 1) for i in shown]
        longest = max(len(line) for title in titles for line in title.splitlines())
        shown_display = WeightsDisplay(weights=display.weights[shown], image_shape=shape, titles=titles)
        _draw_images(shown_display, where, SMALL * self.scale, longest)

    def draw_mistakes(self, where, n_images):
        """Draw the misclassified test images, the most confident mistakes first."""
        X, y, labels = self.data.test_set_x, self.data.test_set_y, self.classifier.classes_
        display = ConfusionImagesDisplay._describe(
            X, y, self.probabilities, labels, n_images, self.names, white=self.white
        )
        n_mistakes, n_drawn = display.n_mistakes, len(display.images)
        samples = "images" if self.data.train_set_x is None else "test images"
        if n_mistakes == 0:
            text = f"All {display.n_samples} {samples}\nare classified correctly."
            where.text(0.5, 0.5, text, ha="center", va="center")
            return
        which = "Its" if n_drawn == n_mistakes else f"The {n_drawn} most confident of its"
        title = f"{which} {counted(n_mistakes, 'mistake')}\nin {display.n_samples} {samples}"
        caption, style = _caption(title, where, MEDIUM * self.scale)
        where.suptitle(caption, **style)
        longest = max(len(name) for name in [*display.predicted, *display.true])
        _draw_images(display, where, SMALL * self.scale, longest + len(", 99.9%"))


def _weights_title(n, n_shown, is_network, is_relative, lacks_seed):
    if not is_network:
        return "What it looks for\n" + (f"({n_shown} of {n} classes)" if n_shown < n else "(weights)")
    which = "its hidden units" if n_shown == n else f"{n_shown} of its {n} hidden units"
    if is_relative:
        return f"What {which} have learnt\n(weights minus start)"
    hint = ": pass int random_state" if lacks_seed else ""
    return f"What {which} look for\n(start included{hint})"


def _colours(is_rgb, is_relative):
    """Return what the colours of weights mean."""
    if is_rgb:
        up, zero = ("has grown", "no change") if is_relative else ("raises the score", "0")
        return f"red, green, blue: brighter where a channel's\nweight {up}; mid-grey: {zero}"
    if is_relative:
        return "red: weight has grown; blue: it has fallen; white: 0"
    return "red: bright pixel raises the score; blue: lowers it; white: 0"


def _draw_images(display, where, points, n_characters):
    """Draw a display of images in the grid in which they are largest, and as wide as so many characters."""
    n_images = len(display.weights if isinstance(display, WeightsDisplay) else display.images)
    width, height = where.bbox.width / where.figure.dpi, where.bbox.height / where.figure.dpi
    n_most = max(1, min(n_images, int(width / (n_characters * CHARACTER * points))))
    size = {n: min(width / n, height / ceil(n_images / n) - TITLE_HEIGHT) for n in range(1, n_most + 1)}
    n_columns = max(size, key=size.get)
    axes = where.subplots(ceil(n_images / n_columns), n_columns, squeeze=False).ravel()
    for ax in axes[n_images:]:
        ax.set_axis_off()
    display.plot(axes[:n_images])
    for ax in axes[:n_images]:
        ax.set_anchor("N")  # so that the layout knows where its title is
        ax.title.set_fontsize(points)


def _caption(text, where, points, share=1):
    """Return the text in two lines at most, for a share of a part's width, and the size of its letters."""
    lines = text.splitlines()
    for size in points * np.array((1, 0.9, 0.8, 0.7, 0.6)):
        width = max(int(share * where.bbox.width / where.figure.dpi / (CHARACTER * size)), 5)
        wrapped = [each for line in lines for each in wrap(line, width)]
        if len(wrapped) <= 2:
            return "\n".join(wrapped), {"fontsize": size}
    cut = [fill(line, width, max_lines=2 // len(lines), placeholder="...") for line in lines]
    return "\n".join(cut), {"fontsize": size}
