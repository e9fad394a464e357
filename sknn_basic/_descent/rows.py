"""Sums over the rows of the data, block by block: all that a descent asks of them.

Costs and gradients are sums over samples, so blocks of any size give the same numbers, wherever they are.
"""

from functools import reduce

from .threads import threads

# Threads share the blocks in so many groups, whatever their number: the sums have the same bits.
N_GROUPS = 12  # a multiple of the likely numbers of threads


class OutOfReach(KeyboardInterrupt):
    """The user interrupts (Ctrl-C) while the rows cannot be read: no cost can be computed any more."""


class Rows:
    """Blocks of rows in groups [[(X, targets, s), ...], ...]: threads share the groups."""

    def __init__(self, groups):
        self.groups = groups

    @classmethod
    def of(cls, groups, targets, s):
        """Return the rows of groups of blocks [[(slice, X), ...], ...] with their targets and weights."""
        return cls([[(X, targets[rows, ...], s[rows, ...]) for rows, X in group] for group in groups])

    def only_block(self):
        """Return (X, targets, s) of all rows if they are one block in memory, else None."""
        blocks = self.groups[0]
        return blocks[0] if len(self.groups) == len(blocks) == 1 else None

    def total(self, f, *arguments):
        """Return the sum of f(X, targets, s, *arguments) over all blocks; in `threads.shared_out` only.

        f returns a number, an array, None, or tuples and lists of these, to which the others are added. The
        order is fixed: the bits do not depend on the number of threads.
        """
        if len(self.groups) == 1:
            return self._total_of(self.groups[0], f, arguments)
        return added(threads.map(lambda group: self._total_of(group, f, arguments), self.groups))

    def _total_of(self, group, f, arguments):
        if len(group) == 1:
            return f(*group[0], *arguments)
        return added(f(*block, *arguments) for block in group)


def slices(n, size):
    """Yield slices that cover 0 ... n - 1, `size` in each but the last."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def grouped(blocks, n_groups=N_GROUPS):
    """Return neighbouring blocks in `n_groups` at most, whatever the number of threads."""
    return [blocks[some] for some in slices(len(blocks), -(-len(blocks) // n_groups))]


def added(terms):
    """Return the sum of the terms, one after another."""
    return reduce(_plus, terms)


def _plus(total, term):
    """Return total + term; arrays take it in place."""
    if isinstance(total, (tuple, list)):  # a union would be made at each call
        return list(map(_plus, total, term))
    if total is not None:
        total += term
    return total
