"""The reference: a page that lists every public name, and one for each; of classes, with the methods of the package."""

import inspect
import re
from pathlib import Path

import sknn_basic

HEAD = """Reference
=========

.. currentmodule:: sknn_basic

Every public name of ``sknn_basic``. Samples are rows: ``X`` has the shape (m, n), ``y`` the shape (m,).
"""
# Each heading, and where the names below it are defined; those of any other place come last.
GROUPS = {
    "Models": ["_classifiers"],
    "Choosing parameters": ["_search"],
    "One fit: its steps, its end": ["_fitting"],
    "Images and files": ["_preprocessing", "_files"],
    "Pictures": ["_display"],
    "Others": [],
}


def group(name):
    """Return the heading below which a public name is listed."""
    place = getattr(sknn_basic, name).__module__.split(".")[1]
    return next((heading for heading, places in GROUPS.items() if place in places), "Others")


def listing():
    """Return the page that lists the public names, as reStructuredText."""
    text = HEAD
    for heading in GROUPS:
        if names := [name for name in sknn_basic.__all__ if group(name) == heading]:
            text += f"\n{heading}\n{'-' * len(heading)}\n\n.. autosummary::\n   :toctree: .\n   :nosignatures:\n\n"
            text += "".join(f"   {name}\n" for name in names)
    return text


def methods(name):
    """Return the public methods of a class that the package defines, and those that others do."""
    public = getattr(sknn_basic, name)
    if not isinstance(public, type):
        return [], []
    own, others = [], []
    for method, value in inspect.getmembers(public, callable):
        if method.startswith("_"):
            continue
        origin = next(base for base in public.__mro__ if method in vars(base))
        is_ours = origin.__module__.startswith("sknn_basic") and "sknn_basic" in value.__module__
        (own if is_ours else others).append(method)
    return own, others


def escape_types(app, what, name, obj, options, lines):
    """Show the types of parameters as they stand: `(n_samples, n_features_in_)` is no link, `*shape` not emphasised."""
    for i, line in enumerate(lines):
        if parameter := re.match(r"( *[*\w][*\w, ]* : )(.*)", line):
            lines[i] = parameter[1] + re.sub(r"(?<=\w)_(?!\w)|\*", r"\\\g<0>", parameter[2])


def unlink_terms(app, what, name, obj, options, lines):
    """Show the terms of scikit-learn's glossary, in docstrings that come from there, as words: it is not here."""
    lines[:] = [re.sub(r":term:`([^`]+)`", r"``\1``", line) for line in lines]


def draw_examples(app, what, name, obj, options, lines):
    """Draw what the examples of a display draw."""
    if "Examples" in lines and "Display" in name and what == "class":
        first = lines.index("Examples") + 2
        lines[first:] = [".. plot::", "", *(f"   {line}" for line in lines[first:])]


def setup(app):
    page = Path(app.srcdir) / "generated" / "api.rst"
    page.parent.mkdir(exist_ok=True)
    page.write_text(listing(), encoding="utf-8")  # now: next, Sphinx looks which pages there are
    app.connect("autodoc-process-docstring", escape_types, priority=400)  # numpydoc has 500
    app.connect("autodoc-process-docstring", draw_examples, priority=400)
    app.connect("autodoc-process-docstring", unlink_terms, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
