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
    n_rows = ceil(len(panels) / 2) if len(panels) > 2 else 1
    n_columns = ceil(len(panels) / n_rows)
    height = sum(
        max(len(times) for times in list(panels.values())[i * n_columns : (i + 1) * n_columns])
        for i in range(n_rows)
    )
    options = {"figsize": (6.4 * n_columns, 0.42 * height + 1.5 * n_rows), "layout": "constrained"}
    fig, axes = figure(nrows=n_rows, ncols=n_columns, squeeze=False, **options)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax, (title, times) in zip(axes.flat, panels.items(), strict=False):
        bound = (bounds or {}).get(title)
        _dots(ax, times, ours, bound, bound_label)
        ax.set_title(title, loc="left", fontsize=14, pad=24 if bound else 8)
    fig.supxlabel(xlabel, fontsize=12)
    save(fig, name)
    return fig


def _dots(ax, times, ours, bound, bound_label):
    """The dots of a panel, the fastest on top, each with its time beside it."""
    lowest, highest = min([*times.values(), bound or 1e9]), max(times.values())
    ax.set(xscale="log", xlim=(lowest / 1.25, highest * (highest / lowest) ** 0.25 * 1.3))
    for y, (label, time) in enumerate(by_time(times)):
        colour, weight = (BLUE, "bold") if ours(label) else (GREY, "normal")
        ax.axhline(y, color="0.9", lw=1, zorder=0)
        ax.plot(time, y, "o", ms=9, color=colour, zorder=3)
        ax.annotate(
            seconds(time), (time, y), (9, 0), textcoords="offset points", va="center", fontsize=11,
            color=colour, weight=weight, bbox={"fc": "white", "ec": "none", "pad": 1}, zorder=2,
        )  # fmt: skip
    ax.set_yticks(range(len(times)), [label for label, _ in by_time(times)], fontsize=11)
    for tick in ax.get_yticklabels():
        if ours(tick.get_text()):
            tick.set(color=BLUE, weight="bold")
    ax.set_ylim(len(times) - 0.5, -0.5)
    if bound:
        ax.axvline(bound, color="0.4", ls="--", lw=1.2, zorder=1)
        ax.annotate(
            f"{bound_label} {seconds(bound)}", (bound, 1), (-4, 4), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=11, color="0.3",
        )  # fmt: skip
    ax.xaxis.set_major_formatter(lambda value, _: seconds(value))
    ax.xaxis.set_minor_formatter("")
    ax.tick_params(axis="x", labelsize=11)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
