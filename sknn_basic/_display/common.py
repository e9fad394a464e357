"""Helpers of the displays: the classifier inside an estimator, matplotlib, names, image shapes and axes."""

from collections.abc import Mapping
from math import ceil, sqrt

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._extras import import_extra
from .._files.text import NAME_LENGTH, short_name
from .._fitting.base import GradientDescentClassifier
from .._fitting.pipelines import last_step, transformers_of
from .._preprocessing import FlattenScaler


def unwrap(display, estimator):
    """Return the steps before the classifier and the classifier; `display` is the name for messages."""
    model = best_model(display, estimator)
    check_is_fitted(last_step(model))
    return steps_before_last(model), last_step(model)


def best_model(display, estimator):
    """Return a classifier of this package or a pipeline that ends in one: that of a search, or as given."""
    if hasattr(estimator, "refit") and not hasattr(estimator, "best_estimator_"):
        raise NotFittedError(
            f"{display} draws the best_estimator_ of a search, but this {type(estimator).__name__} has none: "
            "fit it, with refit=True."
        )
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not isinstance(last_step(estimator), GradientDescentClassifier):
        raise TypeError(
            f"{display} takes LogisticRegressionGD, ShallowNNClassifier, a Pipeline that ends in one or a "
            f"fitted search over either, got {estimator!r}."
        )
    return estimator


def distinguishing_names(classifiers):
    """Return names that tell classifiers apart: their classes, and parameters that differ.

    If all are of one class, its name is left out. Those that differ in nothing are numbered.
    """
    kinds = [type(classifier).__name__ for classifier in classifiers]
    parameters = [
        {key: _short_value(value) for key, value in classifier.get_params().items()}
        for classifier in classifiers
    ]
    names = []
    for kind, own in zip(kinds, parameters, strict=True):
        rivals = [other for its, other in zip(kinds, parameters, strict=True) if its == kind]
        differing = [
            f"{key}={own[key]}" for key in own if any(other.get(key) != own[key] for other in rivals)
        ]
        are_of_one_class = len(rivals) == len(kinds)
        names.append(", ".join(differing if differing and are_of_one_class else [kind, *differing]))
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _short_value(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def name_classes(labels, class_names):
    """Return a dict from each label to the name of its class."""
    if class_names is None:
        return {label: label for label in labels}
    names = class_names if isinstance(class_names, Mapping) else dict(enumerate(class_names))
    nameless = [label for label in labels if label not in names]
    if nameless:
        raise ValueError(
            f"class_names has no name for the classes {nameless}. Pass the names of the classes 0, 1, ..., "
            "or a dict from labels to names."
        )
    return names


def escape_formulas(text):
    """Return the text so that matplotlib draws each $ as it is, instead of a formula between two."""
    return text.replace("$", r"\$")


def steps_before_last(estimator):
    """Return the transformers of a pipeline, or of the best one of a search; [] for any other estimator."""
    return transformers_of(getattr(estimator, "best_estimator_", estimator))


def legend_name(name):
    """Return the name for a legend, which would read $ as a formula and leave out what begins with "_"."""
    text = escape_formulas(short_name(name, 2 * NAME_LENGTH))
    return f" {text}" if text.startswith("_") else text


def import_matplotlib(module, display):
    """Return a module of matplotlib, or raise ImportError: the display needs the extra `plots`."""
    return import_extra(f"matplotlib.{module}", "plots", display)


def fitted_image_shape(steps):
    """Return the shape of the samples that the last FlattenScaler was fitted on, or None without one."""
    shapes = [step.image_shape_ for step in steps if isinstance(step, FlattenScaler)]
    return shapes[-1] if shapes else None


def fitted_divisor(steps):
    """Return the divisor of the last FlattenScaler, or None without one."""
    divisors = [step.divisor for step in steps if isinstance(step, FlattenScaler)]
    return divisors[-1] if divisors else None


def is_image_shape(image_shape):
    """Whether samples of the shape are images: grey, grey with an axis of one channel, or RGB."""
    return len(image_shape) == 2 or (len(image_shape) == 3 and image_shape[2] in (1, 3))


def check_image_shape(display, image_shape):
    """Raise ValueError if samples of the shape are not images."""
    if not is_image_shape(image_shape):
        raise ValueError(
            f"{display} draws images of shape (height, width), (height, width, 1) or (height, width, 3), "
            f"got image_shape={image_shape}."
        )


def grid_for_images(n_images):
    """Return the rows and columns of a grid that is wide rather than tall, with few empty places."""
    widths = range(ceil(sqrt(n_images)), ceil(sqrt(2.5 * n_images)) + 1)
    n_columns = min(widths, key=lambda n: (-n_images % n, abs(n - sqrt(1.5 * n_images))))
    return ceil(n_images / n_columns), n_columns


def axes_for_images(display, ax, n_images):
    """Return a sequence of axes: those given, those that divide one into a grid, or those of a new figure."""
    if ax is not None and np.ndim(ax) > 0:
        if np.size(ax) == 0:
            raise ValueError(f"{display} needs axes to draw in, but ax is empty.")
        return np.ravel(ax)
    n_rows, n_columns = grid_for_images(n_images)
    if ax is None:
        size = 1 + 1.6 * n_columns, 1 + 1.7 * n_rows
        figure = import_matplotlib("pyplot", display).figure(figsize=size, layout="constrained")
        grid = figure.add_gridspec(n_rows, n_columns)
    elif n_images == 1:
        return [ax]
    else:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                f"{n_images} images cannot share an axes outside a grid: create it by plt.subplots, "
                f"or pass {n_images} axes."
            )
        ax.set_axis_off()
        figure, grid = ax.figure, place.subgridspec(n_rows, n_columns)
    return [figure.add_subplot(grid[i // n_columns, i % n_columns]) for i in range(n_images)]


def room_for_panels(display, ax, size):
    """Return a figure and a place in its grid: those of the axes given, or of a new figure of a size."""
    if ax is None:
        figure = import_matplotlib("pyplot", display).figure(figsize=size, layout="constrained")
        return figure, figure.add_gridspec(1, 1)[0]
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(f"{display} divides the axes it is given, which must be one of plt.subplots.")
    ax.set_axis_off()
    return ax.figure, place
