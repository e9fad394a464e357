"""Tables and pictures from what was measured."""

from pathlib import Path
from typing import NamedTuple

IMAGES = Path(__file__).parent / "images"
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
