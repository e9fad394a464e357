"""Several descents as one: stacks of their layers, W (..., n, k) and b (..., 1, k)."""

import numpy as np

from .samples import BLOCK_BYTES

# Bytes of weights and temporaries in one stack: more members than fit descend in several, one after another.
STACK_BYTES = 2**28


def member(layers, i):
    """Return the layers of member i."""
    return [(W[i], b[i]) for W, b in layers]


def stack(layers_of_members):
    """Return the layers of all members as one stack."""
    layers = zip(*layers_of_members, strict=True)
    return [tuple(np.stack(arrays) for arrays in zip(*layer, strict=True)) for layer in layers]


def repeat(layers, n):
    """Return a stack of n copies, in the memory layout that the products of a stack have."""
    return [tuple(np.broadcast_to(a.mT, (n, *a.mT.shape)).copy().mT for a in layer) for layer in layers]


def column(values, dtype):
    """Return a number for each member, (n, 1, 1), such as its learning rate."""
    with np.errstate(over="ignore"):  # a rate beyond float32: its member diverges
        return np.array(values, dtype).reshape(-1, 1, 1)


def n_members_at_once(problem):
    """Return how many members fit in memory at once, with their weights and temporaries for a block."""
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.size for W, _ in deeper)
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)
