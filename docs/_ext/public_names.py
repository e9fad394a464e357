"""The reference has a page for every public name; for classes, with the methods that the package defines."""

import inspect
import re
from pathlib import Path

import sknn_basic
from sphinx.errors import ExtensionError


def own_methods(name):
    """Return the public methods of a class that the package defines, and those that scikit-learn does."""
    public = getattr(sknn_basic, name)
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


def setup(app):
    app.config.autosummary_context = {"own_methods": own_methods}
    app.connect("builder-inited", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
