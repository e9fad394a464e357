"""The plane of two features: a grid of points, the colours of the classes, boundaries, hidden units."""

import numpy as np
from scipy.special import softmax
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from .._files.text import short_name
from .._fitting.inputs import validate_new_samples
from .._fitting.pipelines import last_step, transformed
from .axes import import_matplotlib
from .names import legend_name

GRID = 200  # points on each side: lines look smooth on a slide
MARGIN = 0.08  # around the samples, as a share of their range
PALETTE = "#0072B2 #E66100 #009E73 #CC79A7 #56B4E9 #8B5A2B #F0C000".split()  # for all kinds of sight
LEGEND_NAME, LEGEND_ROW = 28, 64  # letters of the longest name of a class, and of all in a row
STRENGTH = 0.5  # how much colour the background has at most, so that points and frames stand out


class Plane:
    """A grid of points over the range of samples X with two features, an array or a table.

    It has the `samples` as an array (n_samples, 2), the `names` of both features, the coordinates of the
    grid along both, `first` and `second` (n_points,), and all its `points` (n_points * n_points, 2) as an
    estimator takes them: a table if X is one, in the precision of X.
    """

    def __init__(self, X):
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
        self.first, self.second = (_axis(column).astype(dtype) for column in self.samples.T)
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
        style = {"origin": "lower", "aspect": "auto", "interpolation": "bilinear"}
        return ax.imshow(values, extent=extent, **style | options)

    def draw_boundary(self, ax, Z):
        """Draw the lines where the most probable class changes, and return them."""
        scores = scores_of_classes(Z)
        ahead = [scores[..., c] - np.delete(scores, c, axis=-1).max(axis=-1) for c in range(scores.shape[-1])]
        lines = [self.draw_zero_line(ax, margin, colors="black", linewidths=2.2) for margin in ahead[1:]]
        return [line for line in lines if line is not None]

    def draw_zero_line(self, ax, values, **style):
        """Draw the line where values on the grid are 0; return it, or None where they have one sign."""
        if not values.min() < 0 < values.max():
            return None
        return ax.contour(self.first, self.second, values, levels=[0], zorder=2, **style)

    def draw_samples(self, ax, labels, classes, colours):
        """Draw the samples, a legend of the classes and the names of the features; return the points."""
        size = np.clip(8000 / len(self.samples), 4, 32)  # smaller, the more there are
        fill = "white" if labels is None else colours[labels]
        points = ax.scatter(*self.samples.T, c=fill, s=size, edgecolors="black", linewidths=0.5, zorder=3)
        _draw_legend(ax, classes, colours)
        ax.set_xlabel(self.names[0], parse_math=False)
        ax.set_ylabel(self.names[1], parse_math=False)
        ax.set(xlim=self.first[[0, -1]], ylim=self.second[[0, -1]])
        return points


def _axis(column):
    low, high = float(column.min()), float(column.max())
    margin = MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, GRID)


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


def class_colours(n_classes):
    """Return RGB colours of classes, (n_classes, 3)."""
    if n_classes <= len(PALETTE):
        return import_matplotlib("colors").to_rgba_array(PALETTE[:n_classes])[:, :3]
    return import_matplotlib("cm").turbo(np.linspace(0.05, 0.95, n_classes))[:, :3]


def scores_of_classes(Z):
    """Return one score for each class, (..., n_classes): the log-odds of two classes become 0 and Z."""
    return np.stack([np.zeros_like(Z), Z], axis=-1) if Z.ndim == 2 else Z


def background(Z, colours):
    """Return an RGB image of logits: white where all classes are equally probable, else their colours."""
    n_classes = len(colours)
    excess = np.maximum(softmax(scores_of_classes(Z), axis=-1) - 1 / n_classes, 0) / (1 - 1 / n_classes)
    return excess @ pale(colours) + (1 - excess.sum(axis=-1, keepdims=True))


def pale(colours):
    """Return colours mixed with white."""
    return 1 - STRENGTH * (1 - colours)


def _draw_legend(ax, classes, colours):
    """Draw a legend of the classes in as many columns as their names leave room for."""
    names = [legend_name(short_name(label, LEGEND_NAME)) for label in classes.tolist()]
    n_columns = min(max(LEGEND_ROW // (max(map(len, names)) + 4), 1), 5)
    style = {"marker": "o", "markeredgecolor": "black", "markeredgewidth": 0.5, "linestyle": ""}
    for name, colour in zip(names, colours, strict=True):
        ax.plot([], [], color=colour, label=name, **style)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=n_columns, frameon=False)
