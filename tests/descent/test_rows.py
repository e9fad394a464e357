"""Sums over blocks of rows: those of all rows."""

import numpy as np
import pytest

from sknn_basic._descent.rows import Rows, added


def some_rows(n_groups, n_blocks):
    """Blocks of 3 rows of a matrix, with targets and weights, in groups."""
    rng = np.random.RandomState(0)
    m = 3 * n_groups * n_blocks
    X, targets, s = rng.standard_normal((m, 2)), rng.standard_normal((m, 1)), rng.random_sample((m, 1))
    blocks = [(slice(i, i + 3), X[i : i + 3]) for i in range(0, m, 3)]
    groups = [blocks[i : i + n_blocks] for i in range(0, len(blocks), n_blocks)]
    return X, targets, s, Rows.of(groups, targets, s)


def sums(X, targets, s, factor):
    return None, X.sum(), [(X.T @ (s * targets) * factor, len(X))]


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (3, 4)])
def test_a_total_is_that_of_all_rows(shape):
    X, targets, s, rows = some_rows(*shape)
    nothing, total, [(products, m)] = rows.total(sums, 2.0)
    assert nothing is None
    assert total == pytest.approx(X.sum())
    np.testing.assert_allclose(products, 2 * X.T @ (s * targets))
    assert m == len(X)


def test_the_only_block():
    for shape, is_one in (((1, 1), True), ((1, 2), False), ((2, 1), False)):
        assert (some_rows(*shape)[-1].only_block() is not None) == is_one


def test_added_terms_of_any_nesting():
    terms = [(None, i, [(np.full(2, i), i)]) for i in (1, 2, 4)]
    nothing, total, ((array, number),) = added(terms)
    assert nothing is None
    assert (total, number) == (7, 7)
    np.testing.assert_array_equal(array, [7, 7])
