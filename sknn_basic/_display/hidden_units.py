"""What each hidden unit of a network does on the plane of two features."""

from math import ceil, sqrt

import numpy as np

from .._files.text import short_name
from .._fitting.fitted_weights import model_in
from .axes import divide, import_matplotlib, is_small, n_letters, paper, points, room, two_panels
from .estimators import unwrap
from .feature_plane import GRID, Plane, background, check_labels, class_colours, pale

SIZE = 10.7, 6.0  # inches, of a new figure: the shape of a slide
FRAME = 0.6, 6.0  # points, the widths of the frames of a unit without influence and of the strongest
TITLE_SIZES = "medium", "x-small"  # of units; in a small place the second
PANEL = 1.2  # inches, of a panel below which frames are thinner in proportion


class HiddenUnitsDisplay:
    """The activation of each hidden unit over the plane of two features, and the boundary that they make.

    Each panel on the left is one unit: white (in a dark style black) where its activation A1 is 0, more
    coloured the larger abs(A1) is, up to its own maximum in the panel. The line is where its input Z1 is 0.
    The colour is that of the class which the unit makes more probable there: for two classes the sign of A1
    times its output weight. The frame has the colour of the class with the largest weight. It is the wider
    the more the unit can change the score, by the largest abs(A1 times weight) in the panel. The title gives
    the weight, if there is room.

    The panel on the right is the whole model: the probabilities, the line of 50 % and the samples.

    With more than two classes each unit has a weight for every class. Only differences between them
    matter, so their mean is subtracted. Where A1 is positive, the colour is that of the class with the
    largest weight, whose name is in the title; where it is negative, of that with the smallest.

    Create it by `from_estimator`; `plot` draws it again.

    Parameters
    ----------
    X : array-like of shape (n_samples, 2)
        The samples, whose range the panels cover.
    inputs, activations : ndarray of shape (n_points, n_points, n_units)
        Z1 and A1 on a grid: rows along the second feature, columns along the first.
    weights : ndarray of shape (n_units, n_classes)
        The output weight of each unit for each class; of two classes one column, for the second.
    logits : ndarray of shape (n_points, n_points) or (n_points, n_points, n_classes)
        The `decision_function` of the whole model on the grid.
    classes : ndarray of shape (n_classes,)
        The labels of the classes.
    y : array-like of shape (n_samples,), default=None
        The class of each sample; None draws all of them white.
    multiclass_colors : str or list of matplotlib colors of shape (n_classes,), default=None
        The colours of the classes, of two classes too: the name of a colormap, or a colour for each class.
        None takes those of the style's `axes.prop_cycle`; of matplotlib's default style, colours for all
        kinds of sight.
    cmap : str or matplotlib Colormap, default=None
        The colours of activations from -max(abs(A1)) to its opposite; None takes those of the classes.
    contour_kw, scatter_kw : dict, default=None
        For matplotlib's `contour`, which draws the lines where inputs are 0 and the boundary, and `scatter`,
        which draws the samples.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_units,)
        The panels of the units.
    images_ : list of matplotlib AxesImage
        Their activations.
    zero_lines_ : list of matplotlib QuadContourSet or None
        The lines where their inputs are 0; None for a unit whose input has one sign in the whole panel.
    ax_ : matplotlib Axes
        The panel of the whole model.
    image_ : matplotlib AxesImage
        Its probabilities.
    boundary_ : list of matplotlib QuadContourSet
        The lines where the most probable class changes.
    points_ : matplotlib PathCollection
        The samples.
    figure_ : matplotlib Figure
        The figure of all axes.

    See Also
    --------
    DescentDisplay : The boundary and the zero lines of the units, step by step.
    WeightsDisplay : The weights of hidden units on images.
    sklearn.inspection.DecisionBoundaryDisplay : The boundary alone, of any classifier.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.3.3: the hidden layer A1 = g(Z1) and the output Z2.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import HiddenUnitsDisplay, ShallowNNClassifier
    >>> X, y = make_moons(200, noise=0.2, random_state=0)
    >>> network = ShallowNNClassifier(4, random_state=0, max_iter=1000).fit(X, y)
    >>> display = HiddenUnitsDisplay.from_estimator(network, X, y)
    >>> display.weights.shape
    (4, 1)
    """

    def __init__(
        self,
        *,
        X,
        inputs,
        activations,
        weights,
        logits,
        classes,
        y=None,
        multiclass_colors=None,
        cmap=None,
        contour_kw=None,
        scatter_kw=None,
    ):
        self.X = X
        self.inputs = inputs
        self.activations = activations
        self.weights = weights
        self.logits = logits
        self.classes = classes
        self.y = y
        self.multiclass_colors = multiclass_colors
        self.cmap = cmap
        self.contour_kw = contour_kw
        self.scatter_kw = scatter_kw

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        multiclass_colors=None,
        cmap=None,
        grid_resolution=GRID,
        contour_kw=None,
        scatter_kw=None,
        ax=None,
    ):
        """Draw the hidden units of a fitted network.

        Parameters
        ----------
        estimator : ShallowNNClassifier, Pipeline or fitted search
            The fitted network, a pipeline that ends in one, or a search whose `best_estimator_` is either.
        X : array-like of shape (n_samples, 2)
            Samples as the estimator takes them, before the transformers of a pipeline: the panels cover
            their range. The columns of a table name the axes.
        y : array-like of shape (n_samples,), default=None
            The class of each sample, for its colour.
        multiclass_colors, cmap, contour_kw, scatter_kw
            The colours and the style of the parts: see the parameters of the class.
        grid_resolution : int, default=200
            The points on each side of the panels, at least 2.
        ax : matplotlib Axes, default=None
            One of a grid of axes, whose place the panels divide; None makes a new figure. In a small place
            words are fewer and shorter. Create its figure with ``layout="constrained"``.

        Returns
        -------
        display : HiddenUnitsDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        NotFittedError
            If the network is not fitted.
        TypeError
            If `estimator` holds no network of this package, or if `ax` is not one Axes.
        ValueError
            If X has not two features, if `y` has labels that the network does not know or another length,
            if colours are unknown or not one for each class, if `grid_resolution` is below 2, or if `ax` is
            not one of a grid.
        """
        _, network = unwrap(cls.__name__, estimator)
        if not hasattr(network, "coefs_"):
            raise TypeError(
                f"{cls.__name__} draws hidden units, but {type(network).__name__} has none: pass a "
                "ShallowNNClassifier, or draw the boundary by DescentDisplay."
            )
        model = model_in(cls.__name__, estimator)
        plane = Plane(X, grid_resolution)
        inputs = plane.hidden_inputs(model)
        display = cls(
            X=X,
            inputs=inputs,
            activations=network._network.activation.g(inputs),
            weights=network.coefs_[1],
            logits=plane.logits(model),
            classes=network.classes_,
            y=y,
            multiclass_colors=multiclass_colors,
            cmap=cmap,
            contour_kw=contour_kw,
            scatter_kw=scatter_kw,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            One of a grid of axes, whose place the panels divide; None makes a new figure.

        Returns
        -------
        display : HiddenUnitsDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed: the extra `plots`.
        TypeError
            If `ax` is not one Axes.
        ValueError
            If X has not two features, if `y` has unknown labels or another length, or if `ax` is not one of
            a grid.
        """
        plane = Plane(self.X, len(self.inputs))
        colours = class_colours(len(self.classes), self.multiclass_colors)
        labels = None if self.y is None else check_labels(self.X, self.y, self.classes)
        self.figure_, place = divide(ax, SIZE)
        left, right = two_panels(self.figure_, place)
        self.ax_ = self.figure_.add_subplot(right)
        self._draw_units(left, plane, colours)
        self.image_ = plane.draw_image(self.ax_, background(self.logits, colours))
        self.boundary_ = plane.draw_boundary(self.ax_, self.logits, self.contour_kw)
        self.points_ = plane.draw_samples(self.ax_, labels, self.classes, colours, self.scatter_kw)
        self.ax_.set_title(
            "all units together", **({"fontsize": points("small")} if is_small(self.ax_) else {})
        )
        return self

    def _draw_units(self, place, plane, colours):
        weights = weights_of_classes(self.weights)
        n_columns = ceil(sqrt(len(weights)))
        gaps = {"wspace": 0.08, "hspace": 0.08} if self.figure_.get_layout_engine() else {"hspace": 0.4}
        grid = place.subgridspec(ceil(len(weights) / n_columns), n_columns, **gaps)
        largest = np.abs(self.activations).max(axis=(0, 1))
        strengths = np.abs(weights).max(axis=1) * largest
        self.axes_ = np.array([self.figure_.add_subplot(panel) for panel in list(grid)[: len(weights)]])
        width = room(self.axes_[0])[0]
        frame = np.multiply(FRAME, min(width / PANEL, 1))
        widths = np.interp(strengths / (strengths.max() or 1), (0, 1), frame)
        titles, size = self._titles(weights, width)
        self.images_, self.zero_lines_ = [], []
        style = {"linewidths": min(width / PANEL, 1) * 1.2} | (self.contour_kw or {})
        for j, axes in enumerate(self.axes_):
            favoured = weights[j].argmax()
            shades = _shades(pale(colours[weights[j].argmin()]), pale(colours[favoured]), largest[j] or 1)
            shades |= {} if self.cmap is None else {"cmap": self.cmap}
            self.images_.append(plane.draw_image(axes, self.activations[..., j], **shades))
            self.zero_lines_.append(plane.draw_zero_line(axes, self.inputs[..., j], **style))
            axes.spines[:].set(color=colours[favoured], linewidth=widths[j])
            axes.set(xticks=[], yticks=[])
            axes.set_title(titles[j], fontsize=size, pad=3 + widths[j] / 2, parse_math=False)

    def _titles(self, weights, width):
        """Return the title of each unit and their size: its number, weight and class, if there is room.

        The class is that of the weight, if these are more than two.
        """
        shown = [1 if len(w) == 2 else w.argmax() for w in weights]
        values = [f"{w[k]:+.2g}".replace("-", "\N{MINUS SIGN}") for w, k in zip(weights, shown, strict=True)]
        full, short = ([f"{word}{j}: {value}" for j, value in enumerate(values)] for word in ("unit ", ""))
        forms = [full, short, values, [""] * len(values)]
        if weights.shape[1] > 2:
            names = [short_name(self.classes[k], 12) for k in shown]
            forms[:0] = [[*map(between.join, zip(full, names, strict=True))] for between in (", ", "\n")]
        longest = [max(map(len, "\n".join(form).split("\n"))) + 1 for form in forms[:-1]] + [0]
        sizes = TITLE_SIZES[is_small(self.ax_) :]
        choices = [(*choice, size) for choice in zip(forms, longest, strict=True) for size in sizes]
        return next((form, size) for form, n, size in choices if n <= n_letters(width, points(size)))


def weights_of_classes(weights):
    """Return one output weight of each unit for each class, (n_units, n_classes), with a mean of 0.

    The one column of two classes becomes those that give the same log-odds, if both are doubled.
    """
    if weights.shape[1] == 1:
        return np.hstack([-weights, weights])
    return weights - weights.mean(axis=1, keepdims=True)


def _shades(low, high, limit):
    """Return the options of an image from one colour at -limit over the paper at 0 to another at limit."""
    colour_map = import_matplotlib("colors").LinearSegmentedColormap
    return {"cmap": colour_map.from_list("unit", [low, paper(), high]), "vmin": -limit, "vmax": limit}
