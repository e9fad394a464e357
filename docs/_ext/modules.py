"""A picture of the modules of gradient descent: which imports which, read from their source."""

import ast
from pathlib import Path

import sknn_basic

DESCENT = Path(sknn_basic.__file__).parent / "_descent"


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


def positions(graph):
    """Return x in [0, 1] and the level of each module: near those that it imports, evenly spread in its row."""
    level = levels(graph)
    x = {}
    for row in range(max(level.values()) + 1):
        members = [name for name in graph if level[name] == row]
        center = {
            name: sum(x[used] for used in graph[name]) / len(graph[name]) if graph[name] else 0.5
            for name in members
        }
        members.sort(key=lambda name: (center[name], name))
        x |= {name: (i + 0.5) / len(members) for i, name in enumerate(members)}
    return {name: (x[name], level[name]) for name in graph}


def draw(path):
    """Draw the modules as boxes, each above those that it imports."""
    from matplotlib.figure import Figure

    graph = imports()
    place = positions(direct(graph))
    top = max(y for _, y in place.values())
    figure = Figure(figsize=(9.6, 0.85 * (top + 1)), layout="constrained")
    ax = figure.subplots()
    for name, used in direct(graph).items():
        for other in used:
            ax.annotate(
                "",
                place[other],
                place[name],
                arrowprops={"arrowstyle": "-|>", "color": "0.55", "shrinkA": 12, "shrinkB": 13, "lw": 1},
            )
    formulas = {"network", "activations", "outputs"}
    for name, (x, y) in place.items():
        color = "#fdd0a2" if name in formulas else "#deebf7"
        box = {"boxstyle": "round,pad=0.45", "facecolor": color, "edgecolor": "0.3"}
        ax.text(x, y, name, ha="center", va="center", fontsize=12, bbox=box)
    ax.set(xlim=(0, 1), ylim=(-0.5, top + 0.5))
    ax.axis("off")
    figure.savefig(path)
    figure.savefig(path.with_suffix(".png"), dpi=110)
