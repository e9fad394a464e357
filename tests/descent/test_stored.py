"""Stored samples: what their blocks hold, and the same descent from rows that are read."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

from engines import engine_of
from longhand import assert_close
from models import flat, step_of, stored
from sknn_basic._descent import stored as stored_module
from sknn_basic._descent.problem import Problem
from sknn_basic._descent.rows import slices
from sknn_basic._descent.run import train
from sknn_basic._descent.stored import Block, Stored, StoredSamples

X = np.random.RandomState(0).randint(0, 255, (50, 6))


@pytest.mark.parametrize("stored_dtype", [np.uint8, np.int16, np.float32, ">f8", float])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("width", "n_rows"), [(1, 20), (2, 27), (5, 28), (0, 50)])
def test_small_blocks_are_the_rows_in_floats(stored_dtype, order, width, n_rows, monkeypatch):
    """In C order and aligned, as products need them; more rows for several columns of W, or for a kernel."""
    monkeypatch.setattr(stored_module, "SMALL_BLOCK_BYTES", 20 * 8 * (6 + 5))
    samples = StoredSamples(stored(np.array(X, stored_dtype, order=order), divisor=3.0, n_rows=50))
    blocks = [(rows, few.X) for rows, few in samples.loaded_blocks(width)]  # valid until the next
    assert [rows for rows, _ in blocks] == list(slices(50, n_rows))
    np.testing.assert_array_equal(np.concatenate([floats for _, floats in blocks]), X.astype(float) / 3)
    for _, floats in blocks:
        assert floats.flags.c_contiguous
        assert floats.flags.aligned
        assert floats.dtype == float


@pytest.mark.parametrize(
    ("stored_dtype", "multiplied"), [(np.uint8, np.uint8), (np.int16, float), (np.float32, float)]
)
def test_bytes_are_multiplied_as_they_are(stored_dtype, multiplied):
    """Kernels multiply values, and know the divisor; other types than bytes are floats before."""
    _, few = next(StoredSamples(stored(X.astype(stored_dtype), divisor=3.0)).loaded_blocks(1))
    values, divisor = few.for_kernels()
    assert (values.dtype, divisor) == (multiplied, 3)
    np.testing.assert_array_equal(values / divisor, few.X)


@pytest.mark.parametrize("stored_dtype", [np.uint8, np.int8, np.int16, bool, np.float32, float])
def test_the_largest_value_is_a_bound(stored_dtype):
    values = (X - 100).astype(stored_dtype)
    assert np.abs(values.astype(float) / 2).max() <= stored(values, divisor=2.0).largest


def test_floats_are_looked_at_once():
    values, reads = X.astype(float), []
    blocks = [Block(slice(0, 50), lambda: reads.append(1) or values, np.dtype(float))]
    samples = Stored(X.shape, float, blocks)
    assert samples.largest == samples.largest == X.max()
    assert len(reads) == 1


def test_large_blocks_are_runs_of_blocks():
    samples = stored(X.astype(np.int16))
    for n_bytes in (1, 2 * 7 * 12, 10**6):
        large = samples.large_blocks(n_bytes)
        assert [block.rows.start for block in large[1:]] == [block.rows.stop for block in large[:-1]]
        np.testing.assert_array_equal(np.concatenate([block.read() for block in large]), X)
        assert len(large) == {1: 8, 168: 4, 10**6: 1}[n_bytes]


def test_a_block_of_other_rows_than_it_says():
    """Labels would be those of other rows."""
    block = Block(slice(0, 9), lambda: X[:8], np.dtype(float))
    with pytest.raises(ValueError, match=r"8 rows where it should have those from 0 to 9"):
        list(block.small_blocks())


@pytest.mark.parametrize("model", ["logistic", "tanh"])
def test_rows_picked_by_index_are_trained_as_a_copy_and_without_one(model):
    """The recipe for rows that are elsewhere: the same weights, 1e-12, in less memory than the copy takes."""
    rng = np.random.RandomState(0)
    shared, T, s, layers, network = step_of(model, m=40_000, n=20)
    picked = rng.permutation(40_000)[:20_000]
    blocks = [
        Block(rows, partial(shared.take, picked[rows], axis=0), shared.dtype)
        for rows in slices(len(picked), 1000)
    ]
    weights, peaks = [], []
    with engine_of("numpy"):
        for rows in (Stored((len(picked), 20), shared.dtype, blocks), shared[picked]):
            tracemalloc.start()
            problem = Problem(network, rows, T[picked], s[picked] / s[picked].sum(), layers, 10)
            descent = train(problem.objective(0.1), problem.layers, 0.3, 10, range(0, 10, 5))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            weights.append(flat(problem.weights_of(descent.layers)))
    assert_close(*weights, 1e-12)
    assert peaks[0] < shared[picked].nbytes
