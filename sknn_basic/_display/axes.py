"""Where displays draw: in a figure of matplotlib, a new one or a place in one, and how much fits there."""

import warnings
from itertools import product
from math import ceil

import numpy as np

from .._extras import import_extra
from .._files.text import short_name

SLIDE = 9.6, 5.4  # inches, of a new figure: the shape of a slide
SMALL = 3  # inches, of the shorter side of an axes below which its text and lines are small
LETTER = 0.6  # of the size of the font: the mean width of a letter
HANDLE = 4  # letters that the line or marker of an entry in a legend takes
MOST_COLUMNS = 5  # of a legend
MOST_ROWS = 1.6  # of a legend below an axes, for each inch of the height of the axes
LEGEND_SIZES = "medium", "small", "x-small", "xx-small"  # of letters
SHORTEST = 6  # letters of a name in a legend that is cut
BETWEEN = 0.5  # of the size of both panels: room for the labels between them where no layout makes it


def import_matplotlib(module):
    """Return a module of matplotlib, or raise ImportError: figures need the extra `plots`."""
    return import_extra(f"matplotlib.{module}", "plots", "A figure")


def one_axes(ax, **options):
    """Return the axes given, or those of a new figure of constrained layout; raise TypeError for others."""
    if ax is None:
        return import_matplotlib("pyplot").subplots(layout="constrained", **options)[1]
    if not hasattr(ax, "get_subplotspec"):
        raise TypeError(f"pass one Axes, such as axs[0], as ax, which is of type {type(ax).__name__}.")
    return ax


def divide(ax, size):
    """Return a figure and a place in its grid: those of the axes given, or of a new figure of a size."""
    if ax is None:
        figure = import_matplotlib("pyplot").figure(figsize=size, layout="constrained")
        return figure, figure.add_gridspec(1, 1)[0]
    place = one_axes(ax).get_subplotspec()
    if place is None:
        raise ValueError(
            "Several panels cannot share an axes outside a grid: create the axes by plt.subplots, or pass "
            "ax=None for a new figure."
        )
    ax.set_axis_off()
    return ax.figure, place


def two_panels(figure, place, **ratios):
    """Return a grid of two places beside each other, with room between them."""
    gap = 0.06 if figure.get_layout_engine() else BETWEEN
    return place.subgridspec(1, 2, wspace=gap, **ratios)


def room(ax):
    """Return the width and height of an axes in inches, before a layout makes room for text."""
    place = ax.get_subplotspec()
    box = ax.get_position(original=True) if place is None else place.get_position(ax.figure)
    return box.size * ax.figure.bbox.size / ax.figure.dpi


def is_small(ax):
    """Whether an axes has room only for few and small words."""
    return bool(min(room(ax)) < SMALL)


def text_size(ax):
    """Return the size of the text of a small axes in points, or None for those of the style."""
    return points("x-small") if is_small(ax) else None


def points(size):
    """Return a size of matplotlib's fonts, such as "x-small", in points."""
    return import_matplotlib("font_manager").FontProperties(size=size).get_size_in_points()


def n_letters(width, size):
    """Return about how many letters of a size in points fit in a width in inches."""
    return int(width * 72 / (LETTER * size))


def fitting(texts, n):
    """Return the first of the texts, from long to short, whose lines have at most n letters, or ""."""
    return next((text for text in texts if max(map(len, text.split("\n"))) <= n), "")


def label_axes(ax, x, y, *, size, sides=None):
    """Name the axes by the longest of the names, from long to short, that fits its side in inches.

    The size is that of the text in points; None takes those of the style.
    """
    for axis, names, side in zip((ax.xaxis, ax.yaxis), (x, y), sides or room(ax), strict=True):
        n = n_letters(side, size or axis.label.get_fontsize())
        text = fitting([*names, short_name(names[-1], max(n, 4))], n)
        axis.set_label_text(text, parse_math=False, **({} if size is None else {"fontsize": size}))
    if size is not None:
        ax.tick_params(which="both", labelsize=size, pad=2, length=2)


def n_columns(labels, row):
    """Return in how many columns a legend of labels has rows of so many letters."""
    return min(max(row // (max(map(len, labels)) + HANDLE), 1), len(labels), MOST_COLUMNS)


def lay_out(figure):
    """Execute the layout of a figure, if it has one, so that the sizes of its axes are known."""
    layout = figure.get_layout_engine()
    if layout:
        layout.execute(figure.get_figure(root=True))


def below(ax, **options):
    """Draw the legend of an axes below its label, in the size of its text."""
    transforms, sizes = import_matplotlib("transforms"), [ax.xaxis.label.get_fontsize()]
    sizes += [tick.get_fontsize() for tick in ax.get_xticklabels()[:1]]
    depth = 1.3 * sum(sizes) + 12  # points: labels, and the distances between them
    shift = transforms.ScaledTranslation(0, -depth / 72, ax.figure.dpi_scale_trans)
    return ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=ax.transAxes + shift,
        borderaxespad=0,
        frameon=False,
        **options,
    )


def add_legend(ax, handles, labels, sides, *, title=None, **options):
    """Draw a legend below an axes, in the largest letters in which it fits; in it where nothing makes room.

    Names are cut where the smallest letters are not enough; if that is not either, warn. The sides are the
    width and the height of what is drawn in the axes, in inches.
    """
    width, height = sides
    has_layout, n_titles = ax.figure.get_layout_engine() is not None, int(title is not None)
    places = [(below, room(ax)[0], MOST_ROWS * height)] if has_layout or is_small(ax) else []
    places += [] if has_layout else [(ax.legend, 0.9 * width, 2.5 * height - n_titles)]
    for draw, longest, rows_of_medium in places:
        for size, columns, shown in _legend_forms(ax, labels, longest, rows_of_medium):
            options |= {"ncols": columns, "columnspacing": 1, "handles": handles, "labels": shown}
            options |= {"fontsize": size, "title": title, "title_fontsize": size}
            legend = draw(ax, **options) if draw is below else draw(**options, framealpha=0.9)
            if has_layout or draw is not below or _is_clear(legend):
                return
    if ax.get_legend():
        ax.get_legend().remove()
    layout = "" if has_layout else ', or pass layout="constrained" to the function that creates it'
    warnings.warn(
        f"There is no room for a legend of {len(labels)} names: make the figure larger or the names "
        f"shorter{layout}.",
        UserWarning,
        stacklevel=2,
    )


def _legend_forms(ax, labels, width, rows_of_medium):
    """Yield sizes of letters, numbers of columns and labels with which a legend fits, best first."""
    medium, *_ = sizes = [points(size) for size in LEGEND_SIZES]
    sizes = [size for size in sizes if size <= (text_size(ax) or medium)]
    for may_cut, size in product((False, True), sizes):
        row, n_rows = n_letters(width, size), max(int(rows_of_medium * medium / size), 1)
        columns = max(n_columns(labels, row), ceil(len(labels) / n_rows))
        longest = row // columns - HANDLE
        shown = [short_name(label, max(longest, SHORTEST)) for label in labels]
        if shown == labels or (may_cut and longest >= SHORTEST and len({*shown}) == len({*labels})):
            yield size, columns, shown


def _is_clear(legend):
    """Whether a legend is in its figure, and over no axes."""
    legend.axes.apply_aspect()
    box, figure = legend.get_window_extent(), legend.axes.figure
    is_inside = box.x0 >= figure.bbox.x0 and box.x1 <= figure.bbox.x1 and box.y0 >= figure.bbox.y0
    return is_inside and not box.count_overlaps([ax.get_window_extent() for ax in figure.axes])


def style_of(name):
    """Return a parameter of the user's style, or None where it is matplotlib's own."""
    matplotlib = import_matplotlib("pyplot").matplotlib
    given = matplotlib.rcParams[name]
    return None if given == matplotlib.rcParamsDefault[name] else given


def ink():
    """Return the colour of text in the user's style, RGB (3,): that of lines over a plane of colour."""
    return _rgb("text.color")


def paper():
    """Return the colour of the figure in the user's style, RGB (3,): where a plane of colour has none."""
    return _rgb("figure.facecolor")


def _rgb(name):
    """Return a colour of the style; those without any are transparent over white."""
    colours, params = import_matplotlib("colors"), import_matplotlib("pyplot").rcParams
    red, green, blue, alpha = colours.to_rgba(params[name])
    return np.array((red, green, blue) if alpha or (red + green + blue) else (1.0, 1.0, 1.0))


def keywords(artist, defaults, given):
    """Return the keywords of a class of artists: the given ones, under any name, in place of defaults."""
    return defaults | import_matplotlib("cbook").normalize_kwargs(given or {}, artist)
