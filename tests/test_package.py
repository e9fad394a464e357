"""What the package is made of: public names, layers, documentation, and what lands in the wheel."""

import ast
import doctest
import importlib.util
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


def short(name):
    """Return the name of a module as LAYERS has it, such as "_display.weights"; the package is "__init__"."""
    return name.removeprefix("sknn_basic").removeprefix(".") or "__init__"


FOUND = list(pkgutil.walk_packages(sknn_basic.__path__, "sknn_basic."))
MODULES = sorted(short(found.name) for found in FOUND if not found.ispkg)
SUBPACKAGES = sorted(short(found.name) for found in FOUND if found.ispkg)
# A module imports from lower layers only.
LAYERS = [
    {"_extras", "_sklearn", "_files.atomic", "_files.hdf5_chunks", "_files.text"},
    {"_fitting.onnx", "_fitting.parameters", "_fitting.state", "_descent.arithmetic", "_descent.stacking"},
    {"_descent.activations", "_descent.compiled", "_descent.threads"},
    {"_descent.outputs", "_descent.rows", "_files.hdf5"},
    {"_descent.samples"},
    {"_descent.stored"},
    {"_lazy.cluster", "_descent.gram", "_files.hdf5_rows"},
    {"_lazy.dask", "_descent.choice"},
    {"_descent.network", "_descent.logits"},
    {"_descent.engine", "_descent.curvature"},
    {"_descent.objective"},
    {"_descent.scaling"},
    {"_descent.problem", "_descent.run"},
    {"_fitting.callbacks", "_fitting.inputs"},
    {"_preprocessing", "_files.datasets", "_files.image_folders"},
    {"_fitting.base", "_fitting.propagate"},
    {"_classifiers", "_display.common"},
    {"_fitting.early_stopping", "_fitting.descent_path", "_display.plane", "_display.weight_space"},
    {"_search.stacks"},
    {
        "_display.confusion_images",
        "_display.descent_animation",
        "_display.hidden_units",
        "_display.loss_contour",
        "_display.loss_curve",
        "_display.weights",
    },
    {"_search.search", "_display.report"},
    {"__init__"},
    {"__main__"},
]

LAWS_ACROSS_MODULES = [
    "test_conftest",  # how the tests themselves run
    "test_package",
    "test_readme",
    "test_docs",  # the site
    "test_estimator_checks",  # scikit-learn's own, of all estimators
    "test_persistence",
    "test_representation",
    "test_interrupt",  # Ctrl-C, from the user to the fitted model
    "test_validation_curve",  # validation samples, from `fit` to the curve
    "test_search_callbacks",  # callbacks in a search, from scikit-learn to the steps of a stack
]


def test_public_names():
    assert sorted(sknn_basic.__all__) == [
        "ConfusionImagesDisplay",
        "DescentDisplay",
        "EarlyStopping",
        "FitInterruptedWarning",
        "FlattenScaler",
        "HiddenUnitsDisplay",
        "LogisticRegressionGD",
        "LossContourDisplay",
        "LossCurveDisplay",
        "ShallowNNClassifier",
        "VectorizedGridSearchCV",
        "WeightsDisplay",
        "descent_path",
        "draw_report",
        "load_photo_patches",
        "propagate",
        "read_hdf5",
        "read_image",
        "read_image_folder",
        "write_hdf5",
    ]
    assert all(getattr(sknn_basic, name).__doc__ for name in sknn_basic.__all__)


def path_of(module):
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def relative_imports(module):
    """Return the modules that a module imports by relative imports, of any level."""
    package = f"sknn_basic.{module}".rpartition(".")[0]
    imported = []
    for node in ast.walk(ast.parse(path_of(module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                name = short(f"{origin}.{alias.name}")
                imported.append(name if name in MODULES else short(origin))
    return imported


def test_every_module_has_a_layer_and_imports_downward_only():
    layer_of = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}
    assert sorted(layer_of) == sorted({*MODULES, "__init__"})
    for module, layer in layer_of.items():
        for imported in relative_imports(module):
            assert layer_of.get(imported, layer) < layer, f"{module} imports {imported}"
        tree = ast.parse(path_of(module).read_text())
        absolute = [
            node
            for node in ast.walk(tree)
            if (isinstance(node, ast.Import) and "sknn_basic" in ast.unparse(node))
            or (isinstance(node, ast.ImportFrom) and not node.level and node.module.startswith("sknn_basic"))
        ]
        assert not absolute, f"{module} imports sknn_basic by its name"


def test_every_module_has_a_test_file():
    """`_descent/run.py` has `tests/descent/test_run.py`; every other is in LAWS_ACROSS_MODULES."""
    expected = {
        re.sub(r"(\w+)$", r"test_\1", module.replace("_", "", 1).replace(".", "/")) for module in MODULES
    }
    expected = {name.replace("test__", "test_").replace("test_main__", "test_main") for name in expected}
    tests = Path(__file__).parent
    found = {path.relative_to(tests).with_suffix("").as_posix() for path in tests.rglob("test_*.py")}
    found -= {name for name in found if name.startswith("hostile/")}  # random input, by area
    assert sorted(found - set(LAWS_ACROSS_MODULES)) == sorted(expected)
    assert sorted(found & set(LAWS_ACROSS_MODULES)) == sorted(LAWS_ACROSS_MODULES)


@pytest.mark.parametrize("subpackage", set(SUBPACKAGES) - {"_search"})
def test_a_subpackage_itself_imports_nothing(subpackage):
    """Its modules are imported one by one, so that each import is one of a layer."""
    tree = ast.parse(path_of(f"{subpackage}.__init__").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_top_of_the_package():
    """At most 13 entries, so that somebody who has only the folders finds a function."""
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    assert len(entries) <= 13, sorted(entries)


def test_saved_searches_find_their_class():
    assert sknn_basic._search.VectorizedGridSearchCV is sknn_basic.VectorizedGridSearchCV


def test_the_descent_is_plain_numpy():
    """`_descent/` imports NumPy, SciPy, threadpoolctl and itself, and nothing else; Numba in one module."""
    for module in MODULES:
        if not module.startswith("_descent."):
            continue
        assert all(imported.startswith("_descent.") for imported in relative_imports(module)), module
        nodes = list(ast.walk(ast.parse(path_of(module).read_text())))
        names = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        outside = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
        allowed = {"numpy", "numba"} if module == "_descent.compiled" else {"numpy", "scipy", "threadpoolctl"}
        assert outside <= allowed, module


def test_private_names_of_scikit_learn_stand_in_one_place():
    for module in MODULES:
        for node in ast.walk(ast.parse(path_of(module).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn"):
                parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                private = [part for part in parts if part.startswith("_")]
                assert module == "_sklearn" or not private, f"{module} imports {private}"


EXAMPLES_NEED = {
    "_files.image_folders": "PIL.Image",
    "_display": "matplotlib.pyplot",
}  # by module or subpackage


@pytest.mark.parametrize("module", [m for m in MODULES if ">>> " in path_of(m).read_text()])
def test_examples_run(module):
    """Every example in a docstring gives what it shows."""
    needed = EXAMPLES_NEED.get(module) or EXAMPLES_NEED.get(module.partition(".")[0])
    if needed:
        pytest.importorskip(needed)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(f"sknn_basic.{module}"), optionflags=flags)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", sknn_basic.__all__)
def test_public_names_are_documented(name):
    """numpydoc: every parameter described, an example, other things to see."""
    public = getattr(sknn_basic, name)
    is_warning = isinstance(public, type) and issubclass(public, Warning)
    parameters = () if is_warning else inspect.signature(public).parameters
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


def test_sdist_builds_the_same_wheel(wheels):
    contents = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    assert contents[0] == contents[1]
    assert "sknn_basic/data/photo_patches.h5" in contents[0]
    assert "sknn_basic/data/ATTRIBUTION.md" in contents[0]


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
