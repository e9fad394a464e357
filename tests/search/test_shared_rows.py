"""Rows of a shared array are what NumPy takes, are taken once, and are told from all others by their name."""

import numpy as np
import pytest

from sknn_basic._search import shared_rows
from sknn_basic._search.shared_rows import shared

VALUES = np.arange(24.0).reshape(6, 4)


@pytest.mark.parametrize("index", [np.array([4, 1, 1]), np.array([True, False, True, False, False, True])])
def test_the_same_indices_give_the_same_rows(index):
    X = shared(VALUES)
    rows = X[index, ...]
    np.testing.assert_array_equal(rows, VALUES[index])
    assert X[index.copy()] is rows
    assert X[np.array([0, 1, 2])].name != rows.name is not None
    assert shared(VALUES)[index].name != rows.name
    np.testing.assert_allclose(rows.gram(), VALUES[index] @ VALUES[index].T)


def test_what_is_made_of_rows_has_no_name():
    X = shared(VALUES)
    rows = X[np.array([2, 3])]
    for other in (X, X[1:3], 2 * rows, rows[np.array([0])], rows.T, np.sort(rows)):
        assert other.name is None
    assert type(np.asarray(rows)) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 0


def test_rows_beyond_the_limit_are_taken_anew(monkeypatch):
    """They have the same name, so what is known of them is found."""
    monkeypatch.setattr(shared_rows, "KEPT_BYTES", VALUES[:3].nbytes)
    X = shared(VALUES)
    first, second = np.arange(3), np.arange(3, 6)
    assert X[first] is X[first]
    assert X[second] is not X[second]
    assert X[second].name == X[second].name
