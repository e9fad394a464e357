"""Every example of the README, of the site's pages and of SECURITY.md runs and gives what it shows.

Each page is a session of its own, whose examples run in their order.
"""

import ast
import doctest
import importlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from sknn_basic import load_photo_patches, write_hdf5

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FILES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("guide/*.md"))]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
BLOCKS = {
    page: re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for page, text in PAGES.items()
}
NEEDS = [  # what may be missing, and the text that tells an example that needs it
    ("matplotlib.pyplot", "plt"),
    ("matplotlib.pyplot", "ConfusionImagesDisplay"),
    ("PIL.Image", "read_image_folder"),
    ("PIL.Image", "from PIL"),
    ("skops.io", "skops.io"),
    ("skl2onnx", "skl2onnx"),
    ("torch", "torch"),
    ("sklearn.callback", "array_api_dispatch"),  # both are new in scikit-learn 1.9
    ("dask.array", "chunks="),
    ("dask.dataframe", "dask.dataframe"),
    ("sklearn.callback", "sklearn.callback"),
    ("sklearn.callback", "set_callbacks("),
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """The sessions in which the examples of this process run, one for each page."""
    return {page: Session(page, tmp_path_factory.mktemp("page")) for page in PAGES}


class Session:
    """Runs examples in the order of a page: one that is asked for, after those before it."""

    def __init__(self, page, folder):
        self.page = page
        self.folder = folder  # to work in
        self.names = {}  # what examples have made
        self.unmade = set()  # what skipped ones would have
        self.n_run = 0

    def skip_reason(self, block):
        """Return why the example cannot run, or None; note what is then missing."""
        made, used = names_in(block)
        reason = next((m for m, sign in NEEDS if sign in block and not is_importable(m)), None)
        if reason is None and used & self.unmade - made:
            reason = f"the examples before that make {used & self.unmade}"
        self.unmade = self.unmade | made if reason else self.unmade - made
        return reason

    def run(self, number):
        """Run an example; return why it was skipped, or None, and how many of its lines failed."""
        self.n_run = number + 1
        block = BLOCKS[self.page][number]
        reason = self.skip_reason(block)
        if reason or ">>> " not in block:
            return reason, 0
        test = doctest.DocTestParser().get_doctest(block, self.names, f"example {number}", self.page, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        failures, attempts = runner.run(test, clear_globs=False)
        self.names.update(test.globs)
        assert attempts > 0
        return None, failures


def names_in(block):
    """Return the names that an example makes and those that it uses."""
    source = "".join(example.source for example in doctest.DocTestParser().get_examples(block))
    nodes = list(ast.walk(ast.parse(source)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    aliases = [alias for node in imports for alias in node.names]
    made |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
    return made, {name.id for name in names if isinstance(name.ctx, ast.Load)}


def make_photos(folder):
    """A folder of photographs as the README describes it."""
    from PIL import Image

    data = load_photo_patches()
    for i in range(0, 209, 3):
        place = folder / "photos" / str(data.classes[data.train_set_y[i]])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.train_set_x[i]).resize((120, 90)).save(place / f"{i}.jpg")
    Image.fromarray(data.test_set_x[data.test_set_y == 1][0]).save(folder / "new.jpg")


@pytest.fixture
def small_pictures(monkeypatch):
    """Examples save pictures of few dots: nobody looks at them here."""
    if is_importable("matplotlib.figure"):
        from matplotlib.figure import Figure

        save = Figure.savefig
        monkeypatch.setattr(Figure, "savefig", lambda figure, name, **_: save(figure, name, dpi=20))


def is_importable(module):
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize(
    ("page", "number"), [(page, number) for page, blocks in BLOCKS.items() for number in range(len(blocks))]
)
def test_example(page, number, sessions, small_pictures, monkeypatch, capsys):
    session, block = sessions[page], BLOCKS[page][number]
    monkeypatch.chdir(session.folder)
    for earlier in range(session.n_run, number):  # which another process has tested
        session.run(earlier)
    capsys.readouterr()
    reason, failures = session.run(number)
    if reason:
        pytest.skip(f"needs {reason}")
    assert failures == 0, capsys.readouterr().out
    if ">>> " not in block:
        assert "read_image_folder" in block
        make_photos(session.folder)
        exec(compile(block, page, "exec"), {})
        capsys.readouterr()
        exec(compile(block, page, "exec"), {})  # a script is run again
        printed = capsys.readouterr().out.splitlines()
        assert re.fullmatch(r"\d+% of the test images are right", printed[0])
        assert re.fullmatch(r"new.jpg: flower, \d+%", printed[1])
        assert all(Path(file).exists() for file in printed[3:])
        assert len(printed) > 3 or "display = " not in block


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_there(page):
    """Every picture of a page is in the repository, or made by its examples when the site is built."""
    made = {f"_build/made/{name}" for name in re.findall(r'savefig\("(.*?)"', PAGES[page])}
    made |= {"_build/made/modules.png"}  # by the build itself
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGES[page])
    assert (shown and BLOCKS[page]) or page != "README.md"
    for picture in shown:
        path = (ROOT / page).parent / picture
        assert path.exists() or picture.removeprefix("../") in made, picture


def test_picture_in_the_repository_is_what_its_example_draws(tmp_path, monkeypatch):
    """Readers of a checkout see it, where no page has been built; the example is that of the front page."""
    Image = pytest.importorskip("PIL.Image")
    pytest.importorskip("matplotlib.figure")
    session = Session("docs/index.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    for number in range(len(BLOCKS[session.page])):
        session.run(number)
    path = DOCS / "images" / "front.png"
    assert path.stat().st_size < 60_000
    with Image.open(path) as kept, Image.open("front.png") as drawn:
        small = [np.asarray(picture.convert("RGB").resize((192, 80)), float) for picture in (kept, drawn)]
    assert np.abs(small[0] - small[1]).mean() < 8  # mirrored they differ by 26


def test_map_names_what_the_code_has():
    """The table from formulas to code names what is in `_descent/`, and public names."""
    import sknn_basic
    from sknn_basic._descent import activations, network, outputs

    table = PAGES["README.md"].partition("## From the notes to the code")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| .*$", table, re.MULTILINE)))
    functions = set(named) - {"load_dataset", "model"}  # names of the notes
    assert len(functions) >= 9
    for name in functions:
        assert any(hasattr(module, name) for module in (network, outputs, activations, sknn_basic)), name


def test_security_reads_in_a_process_of_its_own(tmp_path, monkeypatch):
    """The script of SECURITY.md reads a file, and raises the error of one that is none."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    script, file = tmp_path / "script.py", tmp_path / "from_others.h5"
    script.write_text(text.split("```python\n")[1].split("```")[0])
    monkeypatch.chdir(tmp_path)
    images, labels = np.arange(120, dtype=np.uint8).reshape(10, 3, 4), np.arange(10) % 2
    write_hdf5(file, images, labels, images, labels, ["a", "b"])
    data = runpy.run_path(str(script), run_name="__main__")["data"]
    np.testing.assert_array_equal(data.train_set_x, images)
    file.write_bytes(b"\x89HDF\r\n\x1a\n" * 99)
    with pytest.raises(OSError, match="expected a complete HDF5 file"):
        runpy.run_path(str(script), run_name="__main__")
