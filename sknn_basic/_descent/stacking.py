"""Layers of several descents as one stack."""

import numpy as np

from .samples import BLOCK_BYTES

# Members are trained together as long as their weights and their temporaries for a block of rows stay below
# this. A larger stack is trained in several descents, one after another.
STACK_BYTES = 2**28


def member(layers, i):
    """Return the layers of one member of a stack."""
    return [(W[i], b[i]) for W, b in layers]


def stack(layers_of_members):
    """Return the layers of all members as one stack."""
    return [
        tuple(np.stack(arrays) for arrays in zip(*layer, strict=True))
        for layer in zip(*layers_of_members, strict=True)
    ]


def repeat(layers, n):
    """Return a stack of n copies, in the memory layout of the products of a stack."""
    return [
        tuple(np.broadcast_to(array.mT, (n, *array.mT.shape)).copy().mT for array in layer)
        for layer in layers
    ]


def column(values, dtype):
    """Return a value for each member (n, 1, 1); those beyond the dtype are infinite."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype).reshape(-1, 1, 1)


def n_members_at_once(problem):
    """Return how many members fit in memory at once, with their weights and temporaries for a block."""
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.size for W, _ in deeper)
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)
