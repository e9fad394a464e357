"""The site: what it lists, what its parts compute, and what the check of the built pages finds."""

import ast
import importlib.util
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import sknn_basic

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
DESCENT = Path(sknn_basic.__file__).parent / "_descent"

if not DOCS.exists():
    pytest.skip("needs the folder docs", allow_module_level=True)


def load(path):
    """Import a module that is not part of a package, from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


modules, lecture, public_names = (
    load(DOCS / "_ext" / name) for name in ("modules.py", "lecture.py", "public_names.py")
)


@pytest.fixture(scope="module")
def check_site():
    path = ROOT / ".ci" / "check_site.py"
    return load(path) if path.exists() else pytest.skip("needs .ci, which is in the repository only")


def test_reference_lists_every_public_name_below_the_heading_of_its_folder(monkeypatch):
    """A name of a folder without a heading comes last."""
    listed = re.findall(r"^   (\w+)$", public_names.listing(), re.MULTILINE)
    assert sorted(listed) == sknn_basic.__all__
    headings = {name: public_names.group(name) for name in sknn_basic.__all__}
    assert headings["DescentDisplay"] == headings["draw_report"] == "Pictures"
    assert "Others" not in headings.values()
    monkeypatch.setitem(public_names.GROUPS, "Pictures", [])
    assert public_names.listing().endswith("   draw_report\n")
    assert "\nPictures" not in public_names.listing()


def test_every_page_is_in_a_table_of_contents():
    """Pages that no toctree names cannot be reached."""
    pages = [*DOCS.glob("*.md"), *DOCS.glob("*.rst"), *DOCS.glob("guide/*.md")]
    listed = {DOCS / "index"}
    for page in pages:
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            names = [
                re.sub(r".*<(.*)>", r"\1", line) for line in block.splitlines() if line[:1] not in ("", ":")
            ]
            listed |= {page.parent / name for name in names}
    assert {page.with_suffix("") for page in pages} == {
        page for page in listed if page.parent not in (DOCS / "auto_examples", DOCS / "generated")
    }


def test_code_beside_the_formulas_is_all_of_them():
    """The page of the mathematics shows every function of network.py, and losses and errors."""
    text = (DOCS / "mathematics.md").read_text()
    shown = set(re.findall(r"^:pyobject: (\w+)", text, re.MULTILINE))
    tree = ast.parse((DESCENT / "network.py").read_text())
    formulas = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for output in ("logistic", "softmax"):
        formulas |= {f"{output}_{what}" for what in ("probabilities", "loss", "error")}
    assert shown == formulas | {"sigmoid"}
    assert '"def sigmoid_slope"' in text
    assert "def sigmoid_slope" in (DESCENT / "activations.py").read_text()


def test_imports_are_those_of_the_source(tmp_path):
    """Those that a chain of others implies are left out; a circle is an error."""
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "a.py").write_text("import os\nfrom ..x import y\n")
    (tmp_path / "b.py").write_text("from .a import f\n")
    (tmp_path / "c.py").write_text("def g():\n    from . import a, b\n")
    assert modules.imports(tmp_path) == {"a": set(), "b": {"a"}, "c": {"a", "b"}}
    graph = {"a": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"a", "c"}}
    assert modules.direct(graph) == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"c"}}
    with pytest.raises(ValueError, match=r"circle: \['a', 'b'\]"):
        modules.levels({"a": {"b"}, "b": {"a"}, "c": set()})


def test_modules_stand_above_those_that_they_import():
    graph = modules.imports()
    assert graph.keys() == {path.stem for path in DESCENT.glob("*.py")} - {"__init__"}
    rows, paths = modules.with_waypoints(modules.direct(graph))
    place = modules.positions(rows, paths)
    assert {name for name in place if isinstance(name, str)} == graph.keys()
    assert len(set(place.values())) == len(place)  # nothing covers anything
    for name, used in graph.items():
        assert all(place[name][1] > place[other][1] for other in used)
    for path in paths:
        assert [place[path[0]][1] - i for i in range(len(path))] == [place[point][1] for point in path]


def test_picture_of_the_modules_names_them_all(tmp_path):
    pytest.importorskip("matplotlib.figure")
    modules.draw(tmp_path / "modules.svg")
    text = (tmp_path / "modules.svg").read_text()
    assert all(f"<!-- {name} -->" in text for name in modules.imports())


def test_picture_of_the_front_page_moves_unless_motion_is_unwanted(tmp_path):
    """It takes less than 1 MB and stops within 5 seconds, at the picture for those who want no motion."""
    pytest.importorskip("matplotlib.figure")
    Image = pytest.importorskip("PIL.Image")
    load(DOCS / "_ext" / "front_page.py").draw(tmp_path)
    assert (tmp_path / "front_page.webp").stat().st_size < 10**6
    with Image.open(tmp_path / "front_page.webp") as moving, Image.open(tmp_path / "front_page.png") as still:
        size = still.size
        assert moving.info["loop"] == 1
        frames, lasted = [], 0
        for i in range(moving.n_frames):
            moving.seek(i)
            frames.append(np.asarray(moving.convert("RGB"), dtype=float))
            lasted += moving.info["duration"]
        end = np.asarray(still, dtype=float)
    assert len(frames) > 20
    assert lasted < 5000
    assert all(np.abs(a - b).max() > 64 for a, b in pairwise(frames))
    distances = [np.abs(frame - end).mean() for frame in frames]
    assert distances[-1] == min(distances) < 2 < distances[0]

    (shown,) = re.findall(r"<picture>.*?</picture>", (DOCS / "index.md").read_text(), re.DOTALL)
    assert '<source media="(prefers-reduced-motion: reduce)" srcset="_images/front_page.png">' in shown
    assert f'<img src="_images/front_page.webp" width="{size[0]}" height="{size[1]}" alt="' in shown


def test_lecture_lists_the_pages_of_the_gallery_in_its_order():
    """Pages that it does not know come last."""
    pages = lecture.pages()
    files = {path.stem for path in (DOCS / "gallery").glob("plot_*.py")}
    assert {name for name, _, _ in pages} == files
    order = [name for name, _, _ in pages if name in lecture.LECTURE]
    assert order == [name for name in lecture.LECTURE if name in files]
    listed = lecture.ITEM.findall(lecture.TEACHERS.read_text())
    assert [(name, title) for title, name, _ in listed] == [(name, title) for name, title, _ in pages]
    listing = lecture.listing(pages)
    before, _, after = lecture.with_pictures(lecture.TEACHERS.read_text()).partition(listing)
    assert before.endswith("shown.\n\n```{eval-rst}\n")
    assert after.startswith("```\n\n### Its pictures as files\n")
    for name, title, first in pages:
        assert title
        assert first
        assert f":ref:`{title} <sphx_glr_auto_examples_{name}.py>`" in listing
    known, unknown = ["plot_assignment.py", "plot_rates.py"], ["plot_aaa.py", "plot_zzz.py"]
    assert sorted([*unknown[::-1], *known[::-1]], key=lecture.Order("")) == [*known, *unknown]


def test_lines_for_teachers_save_every_picture(tmp_path, monkeypatch):
    """Those of all scripts, in the shape of a slide, whatever a script sets for its own."""
    plt = pytest.importorskip("matplotlib.pyplot")
    lines = lecture.TEACHERS.read_text().split("```py\n")[1].split("```")[0]
    gallery = tmp_path / "docs" / "gallery"
    gallery.mkdir(parents=True)
    script = "import matplotlib.pyplot as plt\nfor _ in range(2):\n    plt.figure()\n"
    (gallery / "plot_a.py").write_text(f"{script}plt.rcParams['figure.figsize'] = 1, 1\n")
    (gallery / "plot_b.py").write_text(script)
    monkeypatch.chdir(tmp_path)
    with plt.rc_context():
        exec(compile(lines, "teachers.md", "exec"), {})
    assert plt.get_fignums() == []
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in pictures] == [f"plot_{name}_{i}.png" for name in "ab" for i in (1, 2)]
    assert all(plt.imread(path).shape[:2] == (864, 1536) for path in pictures)


def test_every_script_of_the_gallery_shows_its_pictures():
    """Also when it is run by Python alone."""
    assert all("plt.show()\n" in path.read_text() for path in (DOCS / "gallery").glob("plot_*.py"))


SOUND = """<html><head><link rel="stylesheet" href="style.css"><link rel="next" href="other.html"></head>
<body id="top"><h1 id="a b">x</h1><img src="picture.png" srcset="picture.png 1x, picture.png 2x">
<a href="#top">x</a><a href="other.html#there">x</a><a href="#a%20b">x</a><a href="https://example.org/x">x</a>
<a href="folder/">x</a><a href="mailto:x@example.org">x</a></body></html>"""


@pytest.fixture
def site(tmp_path):
    for name in ("style.css", "picture.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("<html></html>")
    (tmp_path / "other.html").write_text('<p id="there"></p>')
    (tmp_path / "index.html").write_text(SOUND)
    return tmp_path


def test_a_sound_site_has_no_problems(check_site, site):
    """Files of the theme are no pages."""
    (site / "_static").mkdir()
    (site / "_static" / "macros.html").write_text('<a href="none.html">')
    assert check_site.problems_of(site) == []
    assert len(check_site.pages_of(site)) == 3


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ('<a href="none.html">', "none.html leads to nothing"),
        ('<a href="other.html#nowhere">', "other.html#nowhere has no such anchor"),
        ('<a href="#nowhere">', "#nowhere has no such anchor"),
        ('<img src="none.png">', "none.png leads to nothing"),
        ('<img src="picture.png" srcset="picture.png 1x, large.png 2x">', "large.png leads to nothing"),
        ('<script src="none.js"></script>', "none.js leads to nothing"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css from elsewhere"),
    ],
)
def test_what_is_broken_is_found(check_site, site, broken, problem):
    (site / "index.html").write_text(SOUND.replace("</body>", f"{broken}</body>"))
    assert check_site.problems_of(site) == [f"index.html: {problem}"]


def test_without_a_browser_the_links_are_checked_all_the_same(check_site, site, monkeypatch, capsys):
    """A folder without pages is an error."""
    monkeypatch.setattr(check_site, "find_browser", lambda: None)
    (site / "other.html").write_text("")
    assert check_site.main(site) == 1
    printed = capsys.readouterr().out
    assert "Skipped in a browser" in printed
    assert "other.html#there has no such anchor" in printed
    (site / "empty").mkdir()
    with pytest.raises(SystemExit, match="holds no pages"):
        check_site.main(site / "empty")


def test_the_build_s_folders_are_ignored_by_git():
    if not (ROOT / ".gitignore").exists():
        pytest.skip("needs .gitignore, which is in the repository only")
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"docs/_build/", "docs/auto_examples/", "docs/generated/"} <= set(ignored)
