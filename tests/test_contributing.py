"""The recipes of CONTRIBUTING.md: followed in a copy of the package, they make what passes all checks."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import sknn_basic

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sknn_basic.__file__).parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PART = TEXT.partition("\n## Recipes\n")[2].partition("\n## ")[0]
SECTIONS = re.split(r"^### (.*)\n", PART, flags=re.MULTILINE)
RECIPES = dict(zip(SECTIONS[1::2], SECTIONS[2::2], strict=True))
CHECKS = """
    tests/test_package.py::test_public_names
    tests/test_package.py::test_public_names_are_documented
    tests/test_package.py::test_everything_at_the_top_has_a_layer_and_imports_downward_only
    tests/test_package.py::test_no_modules_import_each_other_in_a_circle
    tests/test_package.py::test_every_module_has_a_test_file
    tests/test_package.py::test_the_descent_is_plain_numpy
    tests/test_docs.py::test_reference_lists_every_public_name_below_the_heading_of_its_folder
    tests/descent/test_activations.py
""".split()  # that complain if a recipe leaves something out


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


def test_what_the_recipes_make_passes_its_tests_and_the_checks_of_the_package(tmp_path):
    """All recipes in one copy: their own test files, their examples, and what complains of a half of one."""
    ignore = shutil.ignore_patterns("__pycache__", "_build", "generated", "auto_examples")
    for folder in (PACKAGE, ROOT / "tests", ROOT / "docs"):
        if folder.exists():
            shutil.copytree(folder, tmp_path / folder.name, ignore=ignore)
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tests = set(CHECKS)
    assert "A display" in RECIPES
    for number, recipe in enumerate(RECIPES):
        assert blocks(recipe)
        follow(recipe, tmp_path)
        tests |= {path for path, *_ in blocks(recipe) if re.search(r"\btest_\w+\.py$", path)}
        for code in re.findall(r"^```python\n(.*?)^```", RECIPES[recipe], re.DOTALL | re.MULTILINE):
            tests.add(f"test_recipe_{number}.py")
            (tmp_path / f"test_recipe_{number}.py").write_text(f"def test_recipe():\n{indent(code, '    ')}")
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment |= {"PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *sorted(tests)],
        **{"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 300},
    )
    assert done.returncode == 0, done.stdout + done.stderr
