"""The order of the gallery: a lecture, from the assignment to what theory says of long descents."""

import ast
from pathlib import Path

GALLERY = Path(__file__).parents[1] / "gallery"
# What to ask before the picture is shown.
LECTURE = {
    "plot_assignment": "Two models see the same 209 images. Which one will know more of the 50 new ones, and why?",
    "plot_rates": "What happens to the cost if the step is twice as long? Ten times? Where is the limit?",
    "plot_boundary_descends": "Where is the boundary before the first step, and where does it move first?",
    "plot_hidden_units": "How many lines must a network draw before their sum can bend round a class?",
    "plot_activations": "ReLU has corners and tanh has none. Will you see that in the boundary?",
    "plot_start": "All weights start at zero: why can a hidden layer not learn? Is 0.01 far enough from zero?",
    "plot_what_units_see": "A hidden unit has one weight for each pixel. What would you expect its picture to show?",
    "plot_path": "The first steps change all weights alike. What do ten thousand more add to the picture?",
    "plot_search": "More steps or a larger rate: are they the same thing?",
    "plot_early_stopping": "The training cost still falls. Can the model get worse all the same?",
    "plot_margin": "All training images are right. What is there left to learn in the next million steps?",
    "plot_period_doubling": "The rate is just above the limit. Will the cost explode, or do something else?",
    "plot_large_steps": "Can a descent whose cost rises at first end lower than one whose cost always falls?",
    "plot_sharpness": "A network has no fixed curvature. What does descent at a fixed rate do to it?",
    "plot_photographs": "What would you photograph, and which mistake do you expect?",
    "plot_samples": "The data have 12,288 columns and 209 rows. Which of the two should a step depend on?",
}


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


def shape_figures(gallery_conf, file):
    """Give figures the shape of a slide, unless a page asks for another."""
    import matplotlib as mpl

    mpl.rcParams["figure.figsize"] = (9.6, 5.4)
