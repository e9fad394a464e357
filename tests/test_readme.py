"""Every example of the README runs and gives what it shows, in one session, in the order of the page."""

import doctest
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
# Examples that need what may be missing, and those whose names they use: (module, text that tells them).
NEEDS = [
    ("matplotlib.pyplot", "plt"),
    ("PIL.Image", "read_image_folder"),
    ("skops.io", "skops.io"),
    ("sklearn.callback", "sklearn.callback"),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Names that the examples share, and a folder with what they read."""
    return {}, tmp_path_factory.mktemp("readme")


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


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_example(number, session, monkeypatch, capsys):
    names, folder = session
    block = BLOCKS[number]
    for module, sign in NEEDS:
        if sign in block:
            pytest.importorskip(module)
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
