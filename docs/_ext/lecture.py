"""The order of the gallery: a lecture, from the assignment to what theory says of long descents."""

import ast
import re
from pathlib import Path

GALLERY = Path(__file__).parents[1] / "gallery"
TEACHERS = GALLERY.parent / "teachers.md"
ITEM = re.compile(r"^\d+\. \[(.+)\]\(gallery/(\w+)\.py\): \*(.+)\*\n", re.MULTILINE)
# What to ask before the picture is shown.
LECTURE = {name: question for _, name, question in ITEM.findall(TEACHERS.read_text(encoding="utf-8"))}


class Order:
    """Sorts the files of the gallery as the lecture goes, those that it does not name last."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, file):
        name, order = Path(file).stem, list(LECTURE)
        return (order.index(name) if name in order else len(order), name)


def pages():
    """Return name, title and first paragraph of each page of the gallery, in the order of the lecture."""
    found = []
    for file in sorted(GALLERY.glob("plot_*.py"), key=Order(GALLERY)):
        title, _, text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))).partition("\n")
        paragraphs = [paragraph.strip() for paragraph in text.split("\n\n")]
        first = next(paragraph for paragraph in paragraphs if paragraph.strip("=-~ \n"))
        first = "\n".join(line for line in first.splitlines() if line.strip("=-~ "))
        found.append((file.stem, title.strip(), " ".join(first.split())))
    return found


def listing(found):
    """Return the pages as reStructuredText: the picture of each, its title as a link, a question and its first words."""
    lines = []
    for number, (name, title, first) in enumerate(found, 1):
        picture = f"/auto_examples/images/thumb/sphx_glr_{name}_thumb.*"  # png, or gif of an animation
        lines += [
            ".. grid:: 1 1 2 2",
            "   :class-container: lecture",
            "",
            "   .. grid-item::",
            "",
            f"      .. image:: {picture}",
            f"         :alt: {title}",
            "",
            "   .. grid-item::",
            "",
            f"      **{number}.** :ref:`{title} <sphx_glr_auto_examples_{name}.py>`",
            "",
            *([f"      *{LECTURE[name]}*", ""] if name in LECTURE else []),
            f"      {first}",
            "",
        ]
    return "\n".join(lines)


def with_pictures(text):
    """Return the page for teachers with the pictures of the gallery in place of its list, which the repository shows."""
    first, *_, last = ITEM.finditer(text)
    return f"{text[: first.start()]}```{{eval-rst}}\n{listing(pages())}```\n{text[last.end() :]}"


def shape_figures(gallery_conf, file):
    """Give figures the shape of a slide, unless a page asks for another."""
    import matplotlib as mpl

    mpl.rcParams["figure.figsize"] = (9.6, 5.4)
