"""The plane of two features: a grid of points, the colours of the classes, boundaries, hidden units."""

from numbers import Integral

import numpy as np
from scipy.special import softmax
from sklearn.utils import check_array, check_consistent_length, check_scalar, column_or_1d

from .._files.text import short_name
from .._fitting.inputs import validate_new_samples
from .._fitting.pipelines import last_step, transformed
from .axes import (
    SMALL,
    add_legend,
    import_matplotlib,
    ink,
    is_small,
    keywords,
    label_axes,
    paper,
    room,
    style_of,
    text_size,
)
from .names import legend_name

GRID = 200  # points on each side: lines look smooth on a slide
MARGIN = 0.08  # around the samples, as a share of their range
PALETTE = "#0072B2 #E66100 #009E73 #CC79A7 #56B4E9 #8B5A2B #F0C000".split()  # for all kinds of sight
LEGEND_NAME = 28  # letters of the longest name of a class
STRENGTH = 0.5  # how much colour the background has at most, so that points and frames stand out


class Plane:
    """A grid of points over the range of samples X with two features, an array or a table.

    It has `resolution` points on each side.

    It has the `samples` as an array (n_samples, 2), the `names` of both features, the coordinates of the
    grid along both, `first` and `second` (n_points,), and all its `points` (n_points * n_points, 2) as an
    estimator takes them: a table if X is one, in the precision of X.
    """

    def __init__(self, X, resolution=GRID):
        check_scalar(resolution, "grid_resolution", Integral, min_val=2)
        self.samples = check_array(X, input_name="X")
        if self.samples.shape[1] != 2:
            raise ValueError(
                f"What is drawn is the plane of two features, but X has {self.samples.shape[1]}. Fit and "
                "pass two columns of X, or the two components of a PCA."
            )
        is_table = hasattr(X, "columns")
        names = list(X.columns) if is_table else ["feature 0", "feature 1"]
        self.names = [short_name(name) for name in names]
        dtype = np.float32 if self.samples.dtype == np.float32 else np.float64
        self.first, self.second = (_axis(column, resolution).astype(dtype) for column in self.samples.T)
        columns = [grid.ravel() for grid in np.meshgrid(self.first, self.second)]
        if is_table:
            self.points = type(X)(dict(zip(names, columns, strict=True)))
        else:
            self.points = np.column_stack(columns)

    def on_grid(self, values):
        """Return values of all points in the shape of the grid, (n_points, n_points, ...)."""
        return np.reshape(values, (len(self.second), len(self.first), *np.shape(values)[1:]))

    def logits(self, model):
        """Return the logits that a fitted model gives the points of the grid."""
        return self.on_grid(model.decision_function(self.points))

    def hidden_inputs(self, model):
        """Return Z1 of a fitted network's hidden units on the grid, (n_points, n_points, n_units)."""
        network = last_step(model)
        W, b = network._get_layers()[0]
        return self.on_grid(validate_new_samples(network, transformed(model, self.points)) @ W + b)

    def draw_image(self, ax, values, **options):
        """Draw values of the grid as an image that fills the axes; return the image."""
        extent = [float(limit) for limit in (*self.first[[0, -1]], *self.second[[0, -1]])]
        ax.grid(False)  # of a style
        style = {"origin": "lower", "aspect": "auto", "interpolation": "bilinear"}
        return ax.imshow(values, extent=extent, **style | options)

    def draw_boundary(self, ax, Z, contour_kw=None):
        """Draw the lines where the most probable class changes, and return them."""
        style = {"linewidths": 1.4 if is_small(ax) else 2.2} | (contour_kw or {})
        scores = scores_of_classes(Z)
        ahead = [scores[..., c] - np.delete(scores, c, axis=-1).max(axis=-1) for c in range(scores.shape[-1])]
        lines = [self.draw_zero_line(ax, margin, **style) for margin in ahead[1:]]
        return [line for line in lines if line is not None]

    def draw_zero_line(self, ax, values, **style):
        """Draw the line where values on the grid are 0; return it, or None where they have one sign."""
        if not values.min() < 0 < values.max():
            return None
        colours = {} if "cmap" in style else {"colors": [ink()]}
        return ax.contour(self.first, self.second, values, levels=[0], **{"zorder": 2} | colours | style)

    def draw_samples(self, ax, labels, classes, colours, scatter_kw=None):
        """Draw the samples, a legend of the classes and the names of the features; return the points."""
        size = np.clip(8000 / len(self.samples), 4, 32)  # smaller, the more there are
        style = {
            "c": "white" if labels is None else colours[labels],
            "s": size * min(*room(ax) / SMALL, 1),
            "edgecolor": "black",
            "linewidth": 0.3 if is_small(ax) else 0.5,
            "zorder": 3,
        }
        artist = import_matplotlib("collections").PathCollection
        points = ax.scatter(*self.samples.T, **keywords(artist, style, scatter_kw))
        label_axes(ax, *([name] for name in self.names), size=text_size(ax))
        _draw_legend(ax, classes, colours)
        ax.set(xlim=self.first[[0, -1]], ylim=self.second[[0, -1]])
        return points


def _axis(column, resolution):
    low, high = float(column.min()), float(column.max())
    margin = MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, resolution)


def check_labels(X, y, classes):
    """Return y as the indices of its labels in the sorted classes."""
    y = column_or_1d(y)
    check_consistent_length(X, y)
    unknown = sorted(set(y.tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"y has labels that the model does not know: {unknown}; its classes are {classes.tolist()}. Pass "
            "the labels of the fit."
        )
    return np.searchsorted(classes, y)


def class_colours(n_classes, given=None, name="multiclass_colors"):
    """Return RGB colours of classes or paths, (n_classes, 3): those given, else those of the user's style.

    Without a style, these are those of PALETTE: matplotlib's own cycle has red beside green.
    """
    if given is None:
        cycle = style_of("axes.prop_cycle")
        given = list(dict.fromkeys(cycle.by_key().get("color", PALETTE) if cycle else PALETTE))[:n_classes]
        if len(given) < n_classes:
            return import_matplotlib("cm").turbo(np.linspace(0.05, 0.95, n_classes))[:, :3]
    if isinstance(given, str):
        pyplot = import_matplotlib("pyplot")
        if given not in pyplot.colormaps():
            raise ValueError(
                f"{name}={given!r} is no colormap of matplotlib: pass the name of one, or a list."
            )
        return pyplot.get_cmap(given)(np.linspace(0, 1, n_classes))[:, :3]
    if len(given) != n_classes:
        raise ValueError(f"{name} has {len(given)} colours, but {n_classes} are drawn: pass one for each.")
    return import_matplotlib("colors").to_rgba_array(given)[:, :3]


def scores_of_classes(Z):
    """Return one score for each class, (..., n_classes): the log-odds of two classes become 0 and Z."""
    return np.stack([np.zeros_like(Z), Z], axis=-1) if Z.ndim == 2 else Z


def background(Z, colours):
    """Return an RGB image of logits: the paper where all classes are equally probable, else their colours."""
    n_classes = len(colours)
    excess = np.maximum(softmax(scores_of_classes(Z), axis=-1) - 1 / n_classes, 0) / (1 - 1 / n_classes)
    return excess @ pale(colours) + (1 - excess.sum(axis=-1, keepdims=True)) * paper()


def pale(colours):
    """Return colours mixed with that of the paper."""
    return paper() + STRENGTH * (colours - paper())


def _draw_legend(ax, classes, colours):
    """Draw a legend of the classes."""
    names = [legend_name(short_name(label, LEGEND_NAME)) for label in classes.tolist()]
    style = {"marker": "o", "markeredgecolor": "black", "markeredgewidth": 0.5, "linestyle": ""}
    handles = [ax.plot([], [], color=colour, **style)[0] for colour in colours]
    add_legend(ax, handles, names, room(ax), handletextpad=0.2)
