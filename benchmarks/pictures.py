"""The pictures of the README: its examples, run where the pictures lie, and the report, made by the command."""

import contextlib
import doctest
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from . import report
from .report import IMAGES, Section, figure

README = Path(__file__).parents[1] / "README.md"


def run(quick=False):
    figure()  # chooses figures without windows
    with TemporaryDirectory() as elsewhere, contextlib.chdir(IMAGES if report.saving else elsewhere):
        command = [sys.executable, "-m", "sknn_basic", "train", "--plot", "report.png"]
        subprocess.run(command, check=True, capture_output=True)
        names, failed = {}, 0
        for block in re.findall(r"^```python\n(>>> .*?)^```", README.read_text(), re.DOTALL | re.MULTILINE):
            test = doctest.DocTestParser().get_doctest(block, names, "README.md", "README.md", 0)
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            failed += runner.run(test, clear_globs=False).failed
            names |= test.globs
        made = ["report.png", *re.findall(r'savefig\("(.*?)"', README.read_text())]
        assert all(Path(name).exists() for name in made)
        for name in ("model.skops", "large.h5"):
            Path(name).unlink(missing_ok=True)
    assert failed == 0
    lines = [f"* made by the README's own code and command: {', '.join(made)}", ""]
    return Section("Pictures of the README", lines)
