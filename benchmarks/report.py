"""Tables and pictures from what was measured."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

IMAGES = Path(__file__).parent / "images"
BLUE, GREY = "#0060c0", "#555555"  # told apart by lightness too
saving = False  # set for a full run: others leave its images alone


class Section(NamedTuple):
    title: str
    lines: list  # of Markdown


def table(header, rows):
    """Return the lines of a Markdown table; numbers to the right."""
    marks = ["---"] + ["---:"] * (len(header) - 1)
    return [f"| {' | '.join(map(str, row))} |" for row in (header, marks, *rows)] + [""]


def seconds(value):
    """Three significant digits, with the unit that suits."""
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def ratio(value):
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def verdict(claim, value, bound, at_least=True):
    """Return a line that says whether a figure is met."""
    met = value >= bound if at_least else value <= bound
    word = "at least" if at_least else "at most"
    return f"* {'met' if met else '**missed**'}: {claim}: {value:.2f} ({word} {bound})"


def times_table(times, labels, ours, *columns):
    """Return a table of times, the fastest first; `columns` are (header, function of a time)."""
    header = ["", "time", *(name for name, _ in columns), "times ours"]
    rows = [
        [labels.get(name, name), seconds(time), *(cell(time) for _, cell in columns), ratio(time / ours)]
        for name, time in by_time(times)
    ]
    return table(header, rows)


def by_time(times):
    return sorted(times.items(), key=lambda item: item[1])


def save(figure, name):
    if saving:
        IMAGES.mkdir(exist_ok=True)
        figure.savefig(IMAGES / name, dpi=120, bbox_inches="tight")


def figure(**options):
    """Return a matplotlib figure and its axes, without a window."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(**options)


def dot_chart(name, panels, ours, xlabel, bounds=None, bound_label="lower bound"):
    """Draw a dot for each time on a logarithmic axis, a panel for each {label: seconds} of `panels`.

    `ours(label)` says which are emphasised; `bounds` are {title: seconds} of a dashed line in a panel.
    """
    bounds = {title: bound for title, bound in (bounds or {}).items() if bound}
    n_rows = ceil(len(panels) / 2) if len(panels) > 2 else 1
    n_columns = ceil(len(panels) / n_rows)
    height = n_rows * (0.4 * max(map(len, panels.values())) + 0.9) + 0.5
    options = {
        "figsize": (6.4 * n_columns if n_columns > 1 else 9, height),
        "layout": "constrained",
        "sharex": True,
        "squeeze": False,
    }
    fig, axes = figure(nrows=n_rows, ncols=n_columns, **options)
    for ax, (title, times) in zip(axes.flat, panels.items(), strict=True):
        _dots(ax, times, ours)
        ax.set_title(title, loc="left", fontsize=14, pad=24 if bounds else 8)
        if title in bounds:
            _line(ax, bounds[title], f"{bound_label} {seconds(bounds[title])}")
    every = [time for times in (bounds, *panels.values()) for time in times.values()]
    _logarithmic(axes.flat[0], min(every), max(every))
    fig.supxlabel(xlabel, fontsize=12)
    save(fig, name)


def _dots(ax, times, ours):
    """The dots of a panel, the fastest on top, each with its time beside it."""
    for y, (label, time) in enumerate(by_time(times)):
        colour, weight = (BLUE, "bold") if ours(label) else (GREY, "normal")
        ax.axhline(y, color="0.9", lw=1, zorder=0)
        ax.plot(time, y, "o", ms=9, color=colour, zorder=3)
        ax.annotate(
            seconds(time), (time, y), (9, 0), textcoords="offset points", va="center", fontsize=12,
            color=colour, weight=weight, bbox={"fc": "white", "ec": "none", "pad": 1}, zorder=2,
        )  # fmt: skip
    ax.set_yticks(range(len(times)), [label for label, _ in by_time(times)], fontsize=12)
    for tick in ax.get_yticklabels():
        if ours(tick.get_text()):
            tick.set(color=BLUE, weight="bold")
    ax.set_ylim(len(times) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _line(ax, value, text):
    """A dashed line with its text above the panel."""
    ax.axvline(value, color="0.4", ls="--", lw=1.2, zorder=1)
    ax.annotate(
        text, (value, 1), (-4, 4), xycoords=("data", "axes fraction"), textcoords="offset points",
        fontsize=12, color="0.3",
    )  # fmt: skip


def _logarithmic(ax, lowest, highest):
    """A logarithmic axis with room for the text right of the last dot, labelled in units of time."""
    from matplotlib.ticker import LogLocator

    ax.set(xscale="log", xlim=(lowest / 1.3, highest * 1.2 * (1.3 * highest / lowest) ** 0.25))
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if highest > 30 * lowest else (1, 2, 5)))
    ax.xaxis.set_major_formatter(lambda value, _: seconds(value * (1 + 1e-9)))
    ax.xaxis.set_minor_formatter("")
    for other in ax.figure.axes:
        other.tick_params(axis="x", labelsize=12)
