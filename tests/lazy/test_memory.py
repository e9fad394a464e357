"""How much memory there is, without finding it where it cannot matter; and how many rows it takes."""

import sys

import pytest

from sknn_basic._lazy import memory
from sknn_basic._lazy.memory import READ_BYTES, max_gram_bytes, rows_at_once, share_of_memory, total_memory


def test_rows_at_once():
    """16 MiB of floats, of which one row is the least."""
    assert READ_BYTES == 2**24
    assert rows_at_once((64, 64, 3)) == 2**24 // (8 * 64 * 64 * 3)
    assert rows_at_once((2**10,), 4) == 2**12
    assert rows_at_once((2**30,)) == 1
    assert rows_at_once((0,)) == 2**21


def test_total_memory(monkeypatch):
    """That of distributed, which knows the limits of containers; without it 8 GiB."""
    system = pytest.importorskip("distributed.system")
    assert total_memory() == system.MEMORY_LIMIT > 2**26
    monkeypatch.setitem(sys.modules, "distributed.system", None)
    assert total_memory() == 2**33


def test_small_sizes_are_not_compared_with_the_memory(monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "total_memory", lambda: asked.append(1) or 2**40)
    assert share_of_memory(1 / 2, 2**29) == 2**29
    assert max_gram_bytes(4096, 10_000) == 2**28
    assert max_gram_bytes(10_000, 19_999) == 0  # never smaller than half of X
    assert not asked
    assert share_of_memory(1 / 2, 2**29 + 1) == 2**39
    assert max_gram_bytes(5000, 10_000) == 2**38
