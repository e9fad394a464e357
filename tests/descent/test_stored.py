"""Stored samples: what their blocks and pieces hold."""

from functools import partial

import numpy as np
import pytest

from sknn_basic._descent import stored as stored_module
from sknn_basic._descent.stored import Block, Stored, StoredSamples

X = np.random.RandomState(0).randint(0, 255, (50, 6))


def stored(values, dtype=float, divisor=1.0, n_rows=7):
    slices = [slice(i, min(i + n_rows, len(values))) for i in range(0, len(values), n_rows)]
    blocks = [Block(rows, partial(values.__getitem__, rows), np.dtype(dtype), divisor) for rows in slices]
    return Stored(values.shape, values.dtype, blocks)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, ">f8", float])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("width", "n_rows"), [(1, 20), (2, 27), (5, 28), (0, 50)])
def test_pieces_are_the_rows_in_floats(kind, order, width, n_rows, monkeypatch):
    """In C order and aligned, as products need them; more rows for several columns of W, or for a kernel."""
    monkeypatch.setattr(stored_module, "PIECE_BYTES", 20 * 8 * (6 + 5))
    samples = StoredSamples(stored(np.array(X, kind, order=order), divisor=3.0, n_rows=50))
    pieces = [(rows, piece.X) for rows, piece in samples.pieces(width)]  # valid until the next
    np.testing.assert_array_equal(np.concatenate([X[rows] for rows, _ in pieces]), X)
    np.testing.assert_array_equal(np.concatenate([floats for _, floats in pieces]), X.astype(float) / 3)
    assert [len(floats) for _, floats in pieces] == [n_rows] * (50 // n_rows) + [50 % n_rows] * (
        50 % n_rows > 0
    )
    for _, floats in pieces:
        assert floats.flags.c_contiguous
        assert floats.flags.aligned
        assert floats.dtype == float


def test_bytes_are_multiplied_as_they_are():
    """`as_stored` are the values that kernels multiply, and the divisor; other types are floats before."""
    for kind in (np.uint8, np.int16, np.float32):
        _, piece = next(StoredSamples(stored(X.astype(kind), divisor=3.0)).pieces(1))
        values, of_values = piece.as_stored()
        assert (values.dtype == kind) == (kind == np.uint8)
        assert of_values == 3
        assert values.dtype in (np.uint8, float)
        np.testing.assert_array_equal(values / of_values, piece.X)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, bool, np.float32, float])
def test_the_largest_value_is_a_bound(kind):
    values = (X - 100).astype(kind)
    assert np.abs(values.astype(float) / 2).max() <= stored(values, divisor=2.0).largest


def test_floats_are_looked_at_once():
    values, reads = X.astype(float), []
    blocks = [Block(slice(0, 50), lambda: reads.append(1) or values, np.dtype(float))]
    samples = Stored(X.shape, float, blocks)
    assert samples.largest == samples.largest == X.max()
    assert len(reads) == 1


def test_panels_are_runs_of_blocks():
    samples = stored(X.astype(np.int16))
    for n_bytes in (1, 2 * 7 * 12, 10**6):
        panels = samples.panels(n_bytes)
        assert [block for _, blocks in panels for block in blocks] == samples.blocks
        assert all(rows == slice(blocks[0].rows.start, blocks[-1].rows.stop) for rows, blocks in panels)
        assert len(panels) == {1: 8, 168: 4, 10**6: 1}[n_bytes]


def test_a_block_of_other_rows_than_it_says():
    """Labels would be those of other rows."""
    block = Block(slice(0, 9), lambda: X[:8], np.dtype(float))
    with pytest.raises(ValueError, match=r"8 rows where it should have those from 0 to 9"):
        list(block.pieces())
