"""What the package is made of: public names, layers, documentation, and what lands in the wheel."""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import sknn_basic

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sknn_basic.__file__).parent
MODULES = sorted(module.name for module in pkgutil.iter_modules(sknn_basic.__path__))
# A module imports from lower layers only.
LAYERS = [
    {"_extras", "_files", "_sklearn"},
    {"_callbacks"},
    {"_network", "_inputs", "_datasets"},
    {"_images", "_preprocessing", "_samples", "_curvature", "_objective"},
    {"_training"},
    {"_base"},
    {"_classifiers", "_stacks", "_plotting"},
    {"_report", "_search"},
    {"__init__"},
    {"__main__"},
]


def test_public_names():
    assert sorted(sknn_basic.__all__) == [
        "FlattenScaler",
        "LogisticRegressionGD",
        "LossCurveDisplay",
        "ShallowNNClassifier",
        "VectorizedGridSearchCV",
        "WeightsDisplay",
        "load_photo_patches",
        "read_hdf5",
        "read_image",
        "read_image_folder",
        "write_hdf5",
    ]
    assert all(getattr(sknn_basic, name).__doc__ for name in sknn_basic.__all__)


def test_every_module_has_a_layer_and_imports_downward_only():
    layer_of = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}
    assert sorted(layer_of) == sorted({*MODULES, "__init__"})
    for module, layer in layer_of.items():
        tree = ast.parse((PACKAGE / f"{module}.py").read_text())
        relative = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
        for node in relative:
            assert layer_of[node.module or "__init__"] < layer, f"{module} imports {node.module}"
        absolute = [n for n in ast.walk(tree) if "sknn_basic" in ast.unparse(n) and isinstance(n, ast.Import)]
        assert not absolute, f"{module} imports sknn_basic by its name"


def test_private_names_of_scikit_learn_stand_in_one_place():
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn"):
                parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                private = [part for part in parts if part.startswith("_")]
                assert path.name == "_sklearn.py" or not private, f"{path.name} imports {private}"


EXAMPLES_NEED = {"_images": "PIL.Image", "_plotting": "matplotlib.pyplot"}


@pytest.mark.parametrize("module", [m for m in MODULES if ">>> " in (PACKAGE / f"{m}.py").read_text()])
def test_examples_run(module):
    """Every example in a docstring gives what it shows."""
    if module in EXAMPLES_NEED:
        pytest.importorskip(EXAMPLES_NEED[module])
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(f"sknn_basic.{module}"), optionflags=flags)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", sknn_basic.__all__)
def test_public_names_are_documented(name):
    """numpydoc: every parameter described, an example, other things to see."""
    public = getattr(sknn_basic, name)
    parameters = inspect.signature(public).parameters
    for parameter in parameters:
        assert re.search(rf"^ +{parameter}(, \w+)* : ", public.__doc__, re.MULTILINE), parameter
    assert "Examples\n" in public.__doc__
    assert "See Also\n" in public.__doc__


def test_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [sknn_basic.__version__]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheel of the source tree, and that of its sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder, cwd=ROOT)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as sdist:
        sdist.extractall(folder, filter="data")
    unpacked = next(path for path in folder.iterdir() if path.is_dir())
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "again", cwd=unpacked)
    return next(folder.glob("*.whl")), next((folder / "again").glob("*.whl"))


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, **options)


@pytest.mark.xdist_group("wheels")
def test_sdist_builds_the_same_wheel(wheels):
    contents = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    assert contents[0] == contents[1]
    assert "sknn_basic/data/photo_patches.h5" in contents[0]
    assert "sknn_basic/data/ATTRIBUTION.md" in contents[0]


@pytest.mark.xdist_group("wheels")
def test_command_runs_from_the_wheel(wheels, tmp_path):
    """The wheel alone, unpacked outside the checkout, trains on its own data."""
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    where = "import sknn_basic; print(sknn_basic.__file__)"
    assert run(sys.executable, "-c", where, cwd=tmp_path, env=environment).stdout.startswith(str(tmp_path))
    done = run(
        *(sys.executable, "-W", "error", "-m", "sknn_basic", "train", "--max-iter", "100"),
        cwd=tmp_path,
        env=environment,
    )
    assert "train accuracy" in done.stdout
    assert done.stderr == ""
