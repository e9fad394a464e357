"""Layers of several descents as one stack."""

import numpy as np


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
