"""The recipes of CONTRIBUTING.md: followed in a copy of the package, they make what passes all checks."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sknn_basic

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sknn_basic.__file__).parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = re.split(
    r"^### (.*)\n", TEXT.partition("\n## Recipes\n")[2].partition("\n## ")[0], flags=re.MULTILINE
)
RECIPES = dict(zip(SECTIONS[1::2], SECTIONS[2::2], strict=True))
CHECKS = [  # that complain if a recipe leaves something out
    "test_public_names",
    "test_public_names_are_documented",
    "test_the_table_of_the_readme_lists_every_public_name_once",
    "test_everything_at_the_top_has_a_layer_and_imports_downward_only",
    "test_no_modules_import_each_other_in_a_circle",
    "test_every_module_has_a_test_file",
    "test_the_descent_is_plain_numpy",
]


def blocks(recipe):
    """Return (path, lines that are there, lines that are there afterwards) of each block of a recipe."""
    found = []
    for block in re.findall(r"^```diff\n--- (.*?)^```", RECIPES[recipe], re.DOTALL | re.MULTILINE):
        path, *lines = block.splitlines()
        lines = [line or " " for line in lines]
        assert {line[0] for line in lines} <= {" ", "+", "-"}, path
        old, new = ([line[1:] for line in lines if line[0] != sign] for sign in "+-")
        found.append((path, old, new))
    return found


def follow(recipe, folder):
    """Make the changes of a recipe in a folder."""
    for path, old, new in blocks(recipe):
        file = folder / path
        text = f"\n{file.read_text(encoding='utf-8')}" if file.exists() else "\n"
        before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
        assert text.count(f"\n{before}") == 1, f"{path} should have these lines once:\n{before}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace(f"\n{before}", f"\n{after}")[1:], encoding="utf-8")


@pytest.fixture
def copy(tmp_path):
    """The package, its tests and its pages, in a folder of their own."""
    ignore = shutil.ignore_patterns("__pycache__", "_build", "generated", "auto_examples")
    for folder in (PACKAGE, ROOT / "tests", ROOT / "docs"):
        if folder.exists():
            shutil.copytree(folder, tmp_path / folder.name, ignore=ignore)
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_there_are_recipes():
    assert "A display" in RECIPES
    assert all(blocks(recipe) for recipe in RECIPES)


def test_what_the_recipes_make_passes_its_tests_and_the_checks_of_the_package(copy):
    for recipe in RECIPES:
        follow(recipe, copy)
    tests = {
        path for recipe in RECIPES for path in re.findall(r"\btests/[\w/]*test_\w+\.py", RECIPES[recipe])
    }
    tests |= {f"tests/test_package.py::{check}" for check in CHECKS}
    if (copy / "docs").exists():
        tests.add(
            "tests/test_docs.py::test_reference_lists_every_public_name_below_the_heading_of_its_folder"
        )
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment |= {"PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *sorted(tests)],
        **{"cwd": copy, "env": environment, "capture_output": True, "text": True, "timeout": 300},
    )
    assert done.returncode == 0, done.stdout + done.stderr
