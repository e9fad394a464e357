"""Every example of the README runs and gives what it shows, in one session, in the order of the page."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
NEEDS = [  # what may be missing, and the text that tells an example that needs it
    ("matplotlib.pyplot", "plt"),
    ("PIL.Image", "read_image_folder"),
    ("skops.io", "skops.io"),
    ("sklearn.callback", "sklearn.callback"),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The names that examples have made, those that skipped ones would have, and a folder to work in."""
    return {}, set(), tmp_path_factory.mktemp("readme")


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

    from sknn_basic import load_photo_patches

    data = load_photo_patches()
    for name in data.classes:
        (folder / "photos" / str(name)).mkdir(parents=True)
    for i in range(0, 209, 3):
        name = data.classes[data.train_set_y[i]]
        Image.fromarray(data.train_set_x[i]).resize((120, 90)).save(
            folder / "photos" / str(name) / f"{i}.jpg"
        )
    Image.fromarray(data.test_set_x[data.test_set_y == 1][0]).save(folder / "new.jpg")


def is_importable(module):
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


@pytest.mark.xdist_group("readme")
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_example(number, session, monkeypatch, capsys):
    names, unmade, folder = session
    block = BLOCKS[number]
    made, used = names_in(block)
    reason = next((m for m, sign in NEEDS if sign in block and not is_importable(m)), None)
    if reason is None and used & unmade - made:
        reason = f"the examples before that make {used & unmade}"
    if reason:
        unmade |= made
        pytest.skip(f"needs {reason}")
    unmade -= made
    monkeypatch.chdir(folder)
    if ">>> " not in block:
        assert "read_image_folder" in block
        make_photos(folder)
        exec(compile(block, "README.md", "exec"), {})
        printed = capsys.readouterr().out.splitlines()
        assert re.fullmatch(r"\d+% of the test images are right", printed[0])
        assert re.fullmatch(r"new.jpg: flower, \d+%", printed[1])
        return
    test = doctest.DocTestParser().get_doctest(block, names, f"example {number}", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    failures, attempts = runner.run(test, clear_globs=False)
    names.update(test.globs)
    assert attempts > 0
    assert failures == 0, capsys.readouterr().out


def test_pictures_are_there():
    """Every picture that the README shows is in the repository."""
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(shown) > 3
    for path in shown:
        assert (Path(__file__).parents[1] / path).exists(), path


def test_map_names_what_the_code_has():
    """The table from formulas to code names functions of `_network.py` and public names."""
    import sknn_basic
    from sknn_basic import _network

    table = README.partition("## From the notes to the code")[2].partition("\n## ")[0]
    named = [
        name for line in table.splitlines() if line.startswith("| ") for name in re.findall(r"`(\w+)`", line)
    ]
    functions = set(named) - {"load_dataset", "model"}  # names of the notes
    assert len(functions) >= 9
    for name in functions:
        assert hasattr(_network, name) or hasattr(sknn_basic, name), name
