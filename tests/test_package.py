"""What the package is made of: public names, layers, documentation, and what lands in the wheel."""

import ast
import contextlib
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
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sknn_basic

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sknn_basic.__file__).parent


def short(name):
    """Return the name of a module as LAYERS has it, such as "_display.weights"; the package is "__init__"."""
    return name.removeprefix("sknn_basic").removeprefix(".") or "__init__"


FOUND = list(pkgutil.walk_packages(sknn_basic.__path__, "sknn_basic."))
MODULES = sorted({"__init__", *(short(found.name) for found in FOUND if not found.ispkg)})
SUBPACKAGES = sorted(short(found.name) for found in FOUND if found.ispkg)
# What is at the top of the package imports from lower layers only.
LAYERS = [
    {"_extras", "_sklearn"},
    {"_descent"},
    {"_lazy"},
    {"_files"},
    {"_fitting"},
    {"_classifiers", "_preprocessing"},
    {"_display", "_search"},
    {"__init__"},
    {"__main__"},
]
# From the notes' formulas to a descent: none of these modules of `_descent` imports one that stands after it.
DESCENT = "activations outputs network rows samples stored gram choice engine objective problem run".split()

LAWS_ACROSS_MODULES = """
    test_array_api test_conftest test_contributing test_docs test_estimator_checks test_interrupt test_package
    test_persistence test_readme test_representation test_search_callbacks test_validation_curve
    display/test_sizes search/test_bits
""".split()


def test_public_names():
    """`__all__` lists, sorted, what `__init__` imports; so does the table of the README, once each."""
    nodes = [node for node in ast.parse(text_of("__init__")).body if isinstance(node, ast.ImportFrom)]
    assert sorted(alias.name for node in nodes for alias in node.names) == sknn_basic.__all__
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| name | description |")[2]
    names = [cell for line in table.partition("\n\n")[0].splitlines()[2:] for cell in line.split("|")[1:2]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(names))) == sknn_basic.__all__


def test_the_table_of_contributing_names_every_module():
    """In the rows of its folder; modules of public names may stand for themselves, such as the displays."""
    named, folder = set(), ""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
        for name, end in re.findall(r"`(\w+)(\.py|/)`", cell):
            if end == "/":
                folder = name
            else:
                named.add(name if name.startswith("_") else f"{folder}.{name}")
    assert named <= set(MODULES)
    assert set(MODULES) - named <= relative_imports("__init__")


def text_of(module):
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


@cache
def imports_of(module):
    """Return the statements of a module that import, wherever they stand."""
    nodes = ast.walk(ast.parse(text_of(module)))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def relative_imports(module):
    """Return the modules that a module imports by relative imports, of any level."""
    package = f"sknn_basic.{module}".rpartition(".")[0]
    imported = set()
    for node in imports_of(module):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [short(f"{origin}.{alias.name}") for alias in node.names]
            imported |= {name if name in MODULES else short(origin) for name in names}
    return imported


def absolute_imports(module):
    """Return the names of the modules that a module imports by absolute imports."""
    names = [
        alias.name for node in imports_of(module) if isinstance(node, ast.Import) for alias in node.names
    ]
    nodes = [node for node in imports_of(module) if isinstance(node, ast.ImportFrom)]
    return names + [node.module for node in nodes if not node.level]


def test_everything_at_the_top_has_a_layer_and_imports_downward_only():
    layer_of = {top: layer for layer, names in enumerate(LAYERS) for top in names}
    assert sorted(layer_of) == sorted({module.partition(".")[0] for module in MODULES})
    for module in MODULES:
        top = module.partition(".")[0]
        for imported in {name.partition(".")[0] for name in relative_imports(module)} - {top}:
            assert layer_of[imported] < layer_of[top], f"{module} imports {imported}"
        assert "sknn_basic" not in " ".join(absolute_imports(module)), module


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: relative_imports(module) for module in MODULES}).prepare()


def test_the_descent_imports_in_the_order_of_its_list():
    order = [f"_descent.{name}" for name in DESCENT]
    for i, module in enumerate(order):
        assert not relative_imports(module) & set(order[i:]), module


def test_every_module_has_a_test_file():
    """`_descent/run.py` has `tests/descent/test_run.py`; every other is in LAWS_ACROSS_MODULES."""
    expected = {
        re.sub(r"(\w+)$", r"test_\1", module.replace("_", "", 1).replace(".", "/"))
        for module in set(MODULES) - {"__init__"}
    }
    expected = {name.replace("test__", "test_").replace("test_main__", "test_main") for name in expected}
    tests = Path(__file__).parent
    found = {path.relative_to(tests).with_suffix("").as_posix() for path in tests.rglob("test_*.py")}
    found -= {name for name in found if name.startswith("hostile/")}  # random input, by area
    assert sorted(found - set(LAWS_ACROSS_MODULES)) == sorted(expected)
    assert found >= set(LAWS_ACROSS_MODULES)


def test_folders():
    """At most 13 entries at the top, so that somebody who has only the folders finds a function.

    A subpackage imports nothing, so that each import is one of a layer; only saved searches look in theirs.
    """
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    assert len(entries) <= 13, sorted(entries)
    for subpackage in set(SUBPACKAGES) - {"_search"}:
        assert not imports_of(f"{subpackage}.__init__"), subpackage


def test_saved_searches_find_their_class():
    assert sknn_basic._search.VectorizedGridSearchCV is sknn_basic.VectorizedGridSearchCV


def test_the_descent_is_plain_numpy():
    """`_descent/` imports NumPy, SciPy, threadpoolctl and itself, and nothing else; Numba in one module."""
    for module in MODULES:
        if module.startswith("_descent."):
            assert all(imported.startswith("_descent.") for imported in relative_imports(module)), module
            outside = {name.partition(".")[0] for name in absolute_imports(module)} - sys.stdlib_module_names
            allowed = {"numba"} if module == "_descent.compiled" else {"scipy", "threadpoolctl"}
            assert outside <= allowed | {"numpy"}, module


def test_private_names_of_scikit_learn_stand_in_one_place():
    for module in set(MODULES) - {"_sklearn"}:
        for node in imports_of(module):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sklearn"):
                parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                assert not any(part.startswith("_") for part in parts), f"{module}: {ast.unparse(node)}"


EXAMPLES_NEED = {  # by module or folder
    "_files.image_folders": "PIL.Image",
    "_display": "matplotlib.pyplot",
    **dict.fromkeys(["_fitting.early_stopping", "_fitting.on_record"], "sklearn.callback"),
}


@pytest.mark.parametrize("module", [m for m in MODULES if ">>> " in text_of(m)])
def test_examples_run(module):
    """Every example in a docstring gives what it shows."""
    needed = EXAMPLES_NEED.get(module) or EXAMPLES_NEED.get(module.partition(".")[0])
    if needed:
        pytest.importorskip(needed)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    module = {"_search.search": "_search"}.get(module, module)  # by which its class is named
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
        assert re.search(rf"^ +(\w+, )*{parameter}(, \w+)* : ", public.__doc__, re.MULTILINE), parameter
    assert "Examples\n" in public.__doc__
    assert "See Also\n" in public.__doc__


def test_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [sknn_basic.__version__]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A folder with the contents of the wheel that the sdist builds."""
    build = pytest.importorskip("hatchling.build")
    folder = tmp_path_factory.mktemp("dist")
    with contextlib.chdir(ROOT), tarfile.open(folder / build.build_sdist(str(folder))) as sdist:
        sdist.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    with contextlib.chdir(unpacked), zipfile.ZipFile(folder / build.build_wheel(str(folder))) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_of_the_sdist_holds_the_package(wheel):
    """Every file of the folder, and no other."""
    folders = {wheel / "sknn_basic": {}, PACKAGE: {}}
    for folder, files in folders.items():
        paths = [path for path in folder.rglob("*.*") if path.parent.name != "__pycache__"]
        files |= {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    assert folders[wheel / "sknn_basic"] == folders[PACKAGE]
    assert "data/photo_patches.h5" in folders[PACKAGE]


def test_the_command_runs_from_the_wheel(wheel, tmp_path):
    """The wheel alone, unpacked outside the checkout, trains on its own data."""
    code = "import runpy; print(runpy.run_module('sknn_basic', run_name='__main__')['__file__'])"
    options = ["--model=logistic", "--learning-rate=auto", "--max-iter=2"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *options],
        **{"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(wheel)}},
        **{"check": True, "capture_output": True, "text": True, "timeout": 300},
    )
    assert done.stdout.splitlines()[-1].startswith(str(wheel))
    assert "train accuracy" in done.stdout
    assert done.stderr == ""
