"""How the suite runs: what ends it, and how its processes share the processors."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import sknn_basic  # noqa: F401  (which loads the pools of threads of NumPy, SciPy and scikit-learn)

INTERRUPTED = """
import pytest

@pytest.mark.{marker}
def test_interrupted():
    raise KeyboardInterrupt

def test_after_it():
    pass
"""


def run_pytest(folder, *options):
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("marker", "exit_code", "counts"), [("interrupts", 1, "1 failed, 1 passed"), ("slow", 2, "no tests ran")]
)
def test_what_an_escaped_interruption_ends(marker, exit_code, counts, tmp_path):
    """A test about interruptions fails and the run goes on; in any other it was Ctrl-C, and the run ends."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_interrupted.py").write_text(INTERRUPTED.format(marker=marker))
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nmarkers =\n    {marker}\n")
    done = run_pytest(tmp_path)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert counts in done.stdout


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process")
def test_a_worker_has_one_thread_and_may_be_given_more():
    """Each worker has a processor; a test about threads can still have two."""
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    with threadpool_limits(2):
        assert {pool["num_threads"] for pool in threadpool_info()} == {2}


def test_hostile_tests_are_repeated_with_as_many_seeds_as_asked_for(tmp_path):
    """Once in an ordinary run, N times with --hostile=N."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_hostile.py").write_text("def test_one(hostile_seed):\n    assert hostile_seed < 3\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert "1 passed" in run_pytest(tmp_path).stdout
    assert "3 passed" in run_pytest(tmp_path, "--hostile=3").stdout
    assert "1 failed, 3 passed" in run_pytest(tmp_path, "--hostile", "4").stdout
