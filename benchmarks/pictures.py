"""The picture of the README: the report, made by the command."""

import contextlib
import subprocess
import sys
from tempfile import TemporaryDirectory

from . import report
from .report import IMAGES, Section


def run(quick=False):
    with TemporaryDirectory() as elsewhere, contextlib.chdir(IMAGES if report.saving else elsewhere):
        command = [sys.executable, "-m", "sknn_basic", "train", "--plot", "report.png"]
        subprocess.run(command, check=True, capture_output=True)
    return Section("Picture of the README", ["* made by the command: report.png", ""])
