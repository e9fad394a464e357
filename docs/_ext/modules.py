"""A picture of the modules of gradient descent: which imports which, read from their source."""

import ast
from itertools import pairwise
from pathlib import Path

import sknn_basic

DESCENT = Path(sknn_basic.__file__).parent / "_descent"
FORMULAS = {"network", "activations", "outputs"}


def imports(folder=DESCENT):
    """Return for each module of a folder the set of those beside it that it imports."""
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    found = {}
    for name in sorted(names):
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        near = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
        found[name] = {node.module for node in near if node.module}
        found[name] |= {alias.name for node in near if not node.module for alias in node.names}
        found[name] &= names
    return found


def levels(graph):
    """Return the level of each module: 0 if it imports none of the others, else one above the highest that it does."""
    level = {}
    while len(level) < len(graph):
        ready = [name for name in graph if name not in level and graph[name] <= level.keys()]
        if not ready:
            raise ValueError(f"modules import each other in a circle: {sorted(graph.keys() - level.keys())}")
        level |= {name: 1 + max((level[used] for used in graph[name]), default=-1) for name in ready}
    return level


def direct(graph):
    """Return the imports that no chain of other imports implies."""
    above = {}
    for name in sorted(graph, key=levels(graph).get):
        above[name] = graph[name].union(*(above[used] for used in graph[name]))
    return {
        name: {used for used in graph[name] if not any(used in above[other] for other in graph[name])}
        for name in graph
    }


def with_waypoints(graph):
    """Return the rows, lowest first, and the paths of the imports, with a waypoint in each row that one crosses.

    A module stands as high as the lowest that imports it allows.
    """
    importers = {name: {other for other in graph if name in graph[other]} for name in graph}
    depth = levels(importers)
    level = {name: max(depth.values()) - depth[name] for name in graph}
    rows = [[name for name in graph if level[name] == row] for row in range(max(level.values()) + 1)]
    paths = []
    for name, used in graph.items():
        for other in sorted(used):
            crossed = range(level[name] - 1, level[other], -1)
            path = [name, *((name, other, row) for row in crossed), other]
            for point, row in zip(path[1:-1], crossed, strict=True):
                rows[row].append(point)
            paths.append(path)
    return rows, paths


def positions(rows, paths, n_sweeps=12):
    """Return (x, y) of each module and waypoint: in its row, near what it is connected with."""
    near = {}
    for path in paths:
        for above, below in pairwise(path):
            near.setdefault((above, "down"), []).append(below)
            near.setdefault((below, "up"), []).append(above)
    x = {}
    for row in rows:
        x |= spread(row)
    for sweep in range(n_sweeps):
        direction = ("down", "up")[sweep % 2]
        for row in rows if direction == "down" else reversed(rows):
            center = {}
            for point in row:
                others = near.get((point, direction), [point])
                center[point] = sum(x[other] for other in others) / len(others)
            x |= spread(sorted(row, key=lambda point, center=center: (center[point], str(point))))
    return {point: (x[point], y) for y, row in enumerate(rows) for point in row}


def spread(row):
    """Return x in [0, 1] of each point of a row, at equal distances."""
    return {point: (i + 0.5) / len(row) for i, point in enumerate(row)}


def draw(path):
    """Draw the modules as boxes, each above those that it imports."""
    from matplotlib.figure import Figure

    rows, paths = with_waypoints(direct(imports()))
    place = positions(rows, paths)
    figure = Figure(figsize=(9.6, 0.68 * len(rows)), layout="constrained")
    ax = figure.subplots()
    boxes = {}
    for name in imports():
        color = "#fdd0a2" if name in FORMULAS else "#deebf7"
        style = {"boxstyle": "round,pad=0.4", "facecolor": color, "edgecolor": "0.3"}
        boxes[name] = ax.text(
            *place[name], name, ha="center", va="center", fontsize=12, bbox=style
        ).get_bbox_patch()
    for points in paths:
        for start, end in pairwise(points):
            style = "-|>" if end in boxes else "-"
            ends = {"patchA": boxes.get(start), "patchB": boxes.get(end), "shrinkA": 0, "shrinkB": 0}
            arrow = {"arrowstyle": style, "color": "0.45", "lw": 1.2, "mutation_scale": 14}
            ax.annotate("", place[end], place[start], arrowprops=arrow | ends)
    ax.set(xlim=(0, 1), ylim=(-0.5, len(rows) - 0.5))
    ax.axis("off")
    figure.savefig(path, dpi=160)
