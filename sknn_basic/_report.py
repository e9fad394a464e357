"""A report figure on fitted models: cost curves, weights and misclassified test images."""

import warnings
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from ._display.common import is_image_shape
from ._display.confusion_images import ConfusionImagesDisplay
from ._display.loss_curve import LossCurveDisplay
from ._display.weights import WeightsDisplay
from ._extras import import_extra
from ._files import resolve, write_atomically

GRID = 3, 4  # rows and columns of misclassified images, in half the width of the figure
N_SHOWN = 12


def check_report(path):
    """Raise an error if `write_report` could not write to `path`; call it before a long training."""
    figure = _new_figure()
    path = Path(path)
    kinds = sorted(set(figure.canvas.get_supported_filetypes()) - {"pgf"})  # which needs LaTeX
    if path.suffix[1:].lower() not in kinds:
        raise ValueError(f"{path} should end in one of {', '.join(f'.{kind}' for kind in kinds)}.")
    if path.is_dir():
        raise OSError(f"{path} cannot be written: it is a folder.")
    try:
        TemporaryFile(dir=resolve(path).parent).close()
    except OSError as error:
        raise OSError(
            f"{path} cannot be written: {error.strerror}, {error.filename or path.parent}."
        ) from error


def write_report(models, data, path):
    """Draw a report and write it to `path`, whose suffix is the format, such as .png, .pdf or .svg."""
    content = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about glyphs that the font lacks
        draw_report(models, data).savefig(content, format=Path(path).suffix[1:].lower(), dpi=100)
    write_atomically(path, content.getbuffer(), overwrite=True)


def draw_report(models, data):
    """Return a figure of fitted models.

    Parameters
    ----------
    models : list of Pipeline
        Each a FlattenScaler and a classifier, fitted on the training images.
    data : ImageDataset
        The images that they were fitted on, and the test set whose mistakes are shown.

    Returns
    -------
    figure : matplotlib Figure
        One row for the cost curves, and one for each model.
    """
    heights = [3.4] + [4.4] * len(models)
    figure = _new_figure(figsize=(11, sum(heights)), layout="constrained")
    top, *parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    ax = top.subplots()
    for model in models:
        LossCurveDisplay.from_estimator(model, ax=ax)
    ax.set_title("Cost over the steps of gradient descent; validation on the test set")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    for part, model in zip(parts, models, strict=True):
        _draw_model(part, model, data)
    return figure


def _new_figure(**options):
    return import_extra("matplotlib.figure", "plots", "A report").Figure(**options)


def _draw_model(part, model, data):
    accuracies = [
        f"{name} accuracy {100 * model.score(x, y):.1f} %"
        for name, x, y in (
            ("training", data.train_set_x, data.train_set_y),
            ("test", data.test_set_x, data.test_set_y),
        )
    ]
    part.suptitle(f"{type(model[-1]).__name__}: {', '.join(accuracies)}", fontweight="bold")
    left, right = part.subfigures(1, 2)
    if is_image_shape(data.train_set_x.shape[1:]):
        _draw_weights(left, model, data.classes)
        _draw_mistakes(right, model, data)
    else:
        _write_text(left, f"Samples of shape {data.train_set_x.shape[1:]} cannot be drawn as images.")


def _draw_weights(part, model, names):
    """Draw the weights of each class, or of the hidden units with the largest output weights."""
    display = WeightsDisplay._describe(model, names=names)
    if hasattr(model[-1], "coef_"):
        n = len(display.weights)
        shown = np.arange(n)[:N_SHOWN]
        part.suptitle("What it looks for" if n <= N_SHOWN else f"What it looks for: {N_SHOWN} of {n} classes")
    else:
        importance = np.abs(model[-1].coefs_[1]).sum(axis=1)
        shown = np.sort(np.argsort(-importance, kind="stable")[:N_SHOWN])
        part.suptitle(
            "What its hidden units look for"
            if len(shown) == len(importance)
            else f"What {len(shown)} of its {len(importance)} hidden units look for"
        )
    WeightsDisplay(
        weights=display.weights[shown],
        image_shape=display.image_shape,
        titles=[display.titles[i] for i in shown],
    ).plot(part.subplots())


def _draw_mistakes(part, model, data):
    """Draw the misclassified test images, the most confident mistakes first."""
    display = ConfusionImagesDisplay._describe(
        data.test_set_x,
        data.test_set_y,
        model.predict_proba(data.test_set_x),
        labels=model.classes_,
        class_names=data.classes,
        n_images=N_SHOWN,
    )
    n_mistakes, n_drawn = display.n_mistakes, len(display.images)
    if n_mistakes == 0:
        _write_text(part, f"All {display.n_samples} test images are classified correctly.")
        return
    which = "Its" if n_drawn == n_mistakes else f"The {n_drawn} most confident of its"
    mistakes = "mistake" if n_mistakes == 1 else "mistakes"
    part.suptitle(f"{which} {n_mistakes} {mistakes} in {display.n_samples} test images")
    display.plot(part.subplots(*GRID))


def _write_text(part, text):
    part.text(0.5, 0.5, text, ha="center", va="center")
