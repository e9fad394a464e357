"""The reference has a page for every public name; for classes, with the methods that the package defines."""

import inspect
import re
from pathlib import Path

from sphinx.errors import ExtensionError

import sknn_basic


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


def check(app):
    """Fail if the page of the reference does not list exactly the public names."""
    text = (Path(app.srcdir) / "api.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", text, re.MULTILINE)
    if sorted(listed) != sorted(sknn_basic.__all__):
        wrong = ", ".join(sorted(set(listed) ^ set(sknn_basic.__all__)))
        raise ExtensionError(f"docs/api.rst should list each name of sknn_basic.__all__ once: see {wrong}.")


def escape_types(app, what, name, obj, options, lines):
    """Show the types of parameters as they stand: `(n_samples, n_features_in_)` is no link, `*shape` not emphasised."""
    for i, line in enumerate(lines):
        if parameter := re.match(r"( *[*\w][*\w, ]* : )(.*)", line):
            lines[i] = parameter[1] + re.sub(r"(?<=\w)_(?!\w)|\*", r"\\\g<0>", parameter[2])


def draw_examples(app, what, name, obj, options, lines):
    """Draw what the examples of a display draw."""
    if "Examples" in lines and "Display" in name and what == "class":
        first = lines.index("Examples") + 2
        lines[first:] = [".. plot::", "", *(f"   {line}" for line in lines[first:])]


def setup(app):
    app.connect("autodoc-process-docstring", escape_types, priority=400)  # numpydoc has 500
    app.connect("autodoc-process-docstring", draw_examples, priority=400)
    app.connect("builder-inited", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
