"""What is made when the site is built, in `_build/made`: a build in which an example is wrong fails.

The pictures that the pages' examples save, the output of the command, and the pictures of the modules and of the front
page.
"""

import contextlib
import doctest
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

import front_page
import lecture
import modules

logger = logging.getLogger(__name__)
BLOCK = re.compile(r"^```python\n(>>> .*?)^```", re.DOTALL | re.MULTILINE)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def run_examples(page):
    """Run the examples of a page, in one session in the current folder; return the report of those that fail."""
    names, report, text = {}, [], page.read_text(encoding="utf-8")
    if ">>> import torch" in text and find_spec("torch") is None:  # 2 GB: not in the extra `docs`
        logger.info("PyTorch is not installed: the tests alone run the examples of %s", page.name)
        return ""
    for number, block in enumerate(BLOCK.findall(text)):
        test = doctest.DocTestParser().get_doctest(
            block, names, f"{page.name}, example {number}", str(page), 0
        )
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append, clear_globs=False)
        names = test.globs
    return "".join(report)


def run_command(folder):
    """Run the notes' assignment as a user does; write what it prints."""
    command = [sys.executable, "-m", "sknn_basic", "train", "--plot", "report.png"]
    environment = os.environ | {"PYTHONUTF8": "1", "COLUMNS": "88"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise ExtensionError(f"{' '.join(command)} failed:\n{done.stderr}")
    (folder / "assignment.txt").write_text(done.stdout, encoding="utf-8")


def copy_shown_by_html(pictures, folder):
    """Copy pictures to where Sphinx puts pictures; it does not know those that raw HTML shows."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.copy(picture, folder)


def make(app):
    import matplotlib.pyplot as plt

    source = Path(app.srcdir)
    folder = source / "_build" / "made"
    folder.mkdir(parents=True, exist_ok=True)
    modules.draw(folder / "modules.png")
    run_command(folder)
    plt.switch_backend("agg")
    with plt.rc_context():
        front_page.draw(folder)
    plt.close("all")
    copy_shown_by_html(folder.glob("front_page.*"), Path(app.outdir) / "_images")
    for page in sorted([*source.glob("*.md"), *source.glob("guide/*.md")]):
        logger.info("running the examples of %s", page.relative_to(source))
        with contextlib.chdir(folder), plt.rc_context(), contextlib.redirect_stderr(None):
            failures = run_examples(page)
        plt.close("all")
        if failures:
            raise ExtensionError(f"examples of {page} fail:\n{failures}")


def without_foreign_styles(app, pagename, templatename, context, doctree):
    """Take out the link to a style sheet of another site that matplotlib puts before an animation.

    It is for the icons of the buttons, which the theme has too.
    """
    if "body" in context:
        context["body"] = re.sub(
            r'<link rel="stylesheet"\s+href="https://maxcdn[^>]*>', "", context["body"], flags=re.DOTALL
        )


def show_lecture(app, page, source):
    if page == "teachers":
        source[0] = lecture.with_pictures(source[0])


def strip_blocks(app, document):
    """Take the last empty line out of examples, which doctest needs in Markdown."""
    for block in document.findall(nodes.literal_block):
        if block.astext().startswith(">>> "):
            block.rawsource = block.astext().rstrip()
            block[:] = [nodes.Text(block.rawsource)]


def setup(app):
    app.connect("source-read", show_lecture)
    app.connect("doctree-read", strip_blocks)
    app.connect("builder-inited", make)
    app.connect("html-page-context", without_foreign_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
