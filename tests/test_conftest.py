"""How the suite runs: what ends it, and how its processes share the processors."""

import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import sknn_basic  # noqa: F401  (which loads the pools of threads of NumPy, SciPy and scikit-learn)

pytest_plugins = ["pytester"]
INTERRUPTED = """
import pytest

@pytest.mark.{marker}
def test_interrupted():
    raise KeyboardInterrupt

def test_after_it():
    pass
"""


@pytest.fixture
def suite(pytester):
    """A folder with the configuration of these tests; its tests run within this process."""
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers =\n    interrupts\n    slow\n")
    return pytester


@pytest.mark.interrupts
@pytest.mark.parametrize(
    ("marker", "exit_code", "counts"), [("interrupts", 1, {"failed": 1, "passed": 1}), ("slow", 2, {})]
)
def test_what_an_escaped_interruption_ends(marker, exit_code, counts, suite):
    """A test about interruptions fails and the run goes on; in any other it was Ctrl-C, and the run ends."""
    suite.makepyfile(INTERRUPTED.format(marker=marker))
    done = suite.inline_run("-n0", no_reraise_ctrlc=True)
    passed, _, failed = map(len, done.listoutcomes())
    assert (done.ret, passed, failed) == (exit_code, counts.get("passed", 0), counts.get("failed", 0))


def test_hostile_tests_are_repeated_with_as_many_seeds_as_asked_for(suite):
    """Once in an ordinary run, N times with --hostile=N, 100 times with --hostile."""
    suite.makepyfile("def test_one(hostile_seed):\n    assert hostile_seed < 3\n")
    for options, passed, failed in ((), 1, 0), (["--hostile=3"], 3, 0), (["--hostile", "4"], 3, 1):
        suite.runpytest_inprocess("-n0", *options).assert_outcomes(passed=passed, failed=failed)


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process")
def test_a_worker_has_one_thread_and_may_be_given_more():
    """Each worker has a processor; a test about threads can still have two."""
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    with threadpool_limits(2):
        assert {pool["num_threads"] for pool in threadpool_info()} == {2}
