"""Stacks of layers: what goes in comes out, member by member."""

import numpy as np

from sknn_basic._descent.stacking import column, member, repeat, stack

MEMBERS = [
    [(np.full((3, 2), i), np.full((1, 2), -i)), (np.full((2, 1), 2 * i), np.full((1, 1), i))]
    for i in range(4)
]


def test_members_of_a_stack():
    stacked = stack(MEMBERS)
    assert [(W.shape, b.shape) for W, b in stacked] == [((4, 3, 2), (4, 1, 2)), ((4, 2, 1), (4, 1, 1))]
    for i, layers in enumerate(MEMBERS):
        for own, expected in zip(member(stacked, i), layers, strict=True):
            assert all(map(np.array_equal, own, expected))


def test_copies_do_not_share_memory():
    """Each is the layers; the columns of a W are neighbours in memory, as products leave them."""
    copies = repeat(MEMBERS[1], 3)
    copies[0][0][0] += 1
    for own, expected in zip(member(copies, 2), MEMBERS[1], strict=True):
        assert all(map(np.array_equal, own, expected))
    assert copies[0][0].mT.flags.c_contiguous


def test_a_number_for_each_member():
    """Numbers beyond a dtype are infinite, in silence."""
    rates = column([0.5, 1e300], np.float32)
    assert (rates.shape, rates.dtype) == ((2, 1, 1), np.float32)
    assert rates.ravel().tolist() == [0.5, np.inf]
