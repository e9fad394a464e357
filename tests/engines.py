"""The two engines, by name: what a test of their common laws runs with."""

from unittest.mock import patch

import pytest

from sknn_basic._descent import engine

ENGINES = ["numpy", "compiled"]


def engine_of(name):
    """Return a context in which fits use NumPy alone, or the compiled steps where they fit."""
    if name == "compiled":
        pytest.importorskip("numba")
    return patch.object(engine, "has_numba", lambda: name == "compiled")


@pytest.fixture(autouse=True, scope="module")
def numpy_alone():
    """For the modules that import this: tests of NumPy's formulas."""
    with engine_of("numpy"):
        yield
