"""How the tests run, and what each may use: the notes' cats, where they are at hand."""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # or check_estimator skips its array API check; before SciPy is imported
os.environ["MPLBACKEND"] = "Agg"  # figures without windows
if "PYTEST_XDIST_WORKER" in os.environ:  # a process for each processor, so one thread in each; before NumPy
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = "1"  # a test of threads takes more by threadpool_limits
    os.environ["VECLIB_MAXIMUM_THREADS"] = "1"  # of macOS

import sys
from pathlib import Path

import hypothesis
import pytest

# The same examples in every run, on a machine of any speed, and none kept in the checkout.
hypothesis.settings.register_profile(
    "sknn_basic", derandomize=True, deadline=None, max_examples=50, database=None
)
hypothesis.settings.load_profile("sknn_basic")


def pytest_addoption(parser):
    parser.addoption(
        "--hostile",
        type=int,
        nargs="?",
        const=100,
        default=1,
        metavar="N",
        help="repeat every test of random hostile input with N seeds (100 if N is left out, else 1)",
    )


def pytest_generate_tests(metafunc):
    """Call a test that takes `hostile_seed` with every seed: each makes its own inputs from it."""
    if "hostile_seed" in metafunc.fixturenames:
        metafunc.parametrize("hostile_seed", range(metafunc.config.getoption("hostile")))


AHEAD = {"gw0": "test_compiled_rows", "gw1": "test_compiled_columns"}  # two workers that compile


@pytest.hookimpl(trylast=True)  # once xdist has been told what is collected: the others start meanwhile
def pytest_collection_finish(session):
    """Compile kernels in one worker, before its first test: each worker would else compile them all."""
    name = AHEAD.get(os.environ.get("PYTEST_XDIST_WORKER"))
    if name in {item.path.stem for item in session.items}:
        import kernels

        kernels.compile_ahead(name)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Let a KeyboardInterrupt that escapes from a test about interruptions fail it, not end the run."""
    try:
        return (yield)
    except KeyboardInterrupt as interrupt:
        if pyfuncitem.get_closest_marker("interrupts") is None:
            raise
        raise AssertionError("KeyboardInterrupt escaped from the test") from interrupt


@pytest.fixture(scope="session")
def cats_folder():
    """The folder of train_catvnoncat.h5 and test_catvnoncat.h5, which the notes train on."""
    if "SKNN_BASIC_CATS" not in os.environ:
        pytest.skip("set SKNN_BASIC_CATS to the folder of the notes' cat images")
    return Path(os.environ["SKNN_BASIC_CATS"]).resolve()


@pytest.fixture(autouse=True)
def close_figures():
    """Close the figures that a test has left open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def cats(cats_folder):
    from sknn_basic import read_hdf5

    return read_hdf5(cats_folder / "train_catvnoncat.h5", cats_folder / "test_catvnoncat.h5")


@pytest.fixture
def alone(monkeypatch):
    """The classifiers that a search has fitted in the ordinary way, not in a stack: one for each fold."""
    from sknn_basic._fitting.base import GradientDescentClassifier
    from sknn_basic._fitting.memo import active_memo

    fitted = []
    ordinary = GradientDescentClassifier._descend

    def descend(classifier, *arguments):
        if not getattr(active_memo(), "is_closed", True):
            fitted.append(classifier)
        return ordinary(classifier, *arguments)

    monkeypatch.setattr(GradientDescentClassifier, "_descend", descend)
    return fitted
