"""The two engines, by name, and the size of a block: what a test of their common laws runs with."""

from unittest.mock import patch

import pytest

from sknn_basic._descent import engine, samples

ENGINES = ["numpy", "compiled"]


def engine_of(name):
    """Return a context in which fits use NumPy alone, or the compiled steps where they fit."""
    if name == "compiled":
        pytest.importorskip("numba")
    return patch.object(engine, "has_numba", lambda: name == "compiled")


def blocks_of(n_bytes):
    """Return a context in which X is processed in blocks of this size."""
    return patch.multiple(samples, BLOCK_BYTES=n_bytes)


@pytest.fixture(autouse=True, scope="module")
def numpy_alone():
    """For the modules that import this: tests of NumPy's formulas."""
    with engine_of("numpy"):
        yield
