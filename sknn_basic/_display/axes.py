"""Where displays draw: in a figure of matplotlib, a new one or a place in one."""

from .._extras import import_extra

SLIDE = 9.6, 5.4  # inches, of a new figure: the shape of a slide, and an animation of less than 20 MB


def import_matplotlib(module):
    """Return a module of matplotlib, or raise ImportError: figures need the extra `plots`."""
    return import_extra(f"matplotlib.{module}", "plots", "A figure")


def divide(ax, size):
    """Return a figure and a place in its grid: those of the axes given, or of a new figure of a size."""
    if ax is None:
        figure = import_matplotlib("pyplot").figure(figsize=size, layout="constrained")
        return figure, figure.add_gridspec(1, 1)[0]
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            "Several panels cannot share an axes outside a grid: create the axes by plt.subplots, or pass "
            "ax=None for a new figure."
        )
    ax.set_axis_off()
    return ax.figure, place
