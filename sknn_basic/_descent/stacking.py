"""Several descents as one: stacks of their layers, W (..., n, k) and b (..., 1, k)."""

import numpy as np

from .arrays import copied, namespace
from .device import DeviceSamples
from .samples import BLOCK_BYTES

# Bytes of weights and temporaries in one stack: more members than fit descend in several, one after another.
STACK_BYTES = 2**28
# The formulas descend faster with a stack than with its members one by one if what a layer makes of a block
# of rows, of at least 8 for each column, stays in the cache: 80 columns of Z take 0.75 of the time, 256 take
# 0.8, 400 as long and 640 twice as long (2,000 to 50,000 rows, 2 to 50 features).
STACK_COLUMNS, STACK_VALUES = 2**8, 2**19
# A single column of W for each member makes products with few columns, and so does CSR. Two members then take
# up to 2.5 times as long as one by one, four 1.3, six 1.1 and ten 0.85 (1,000 x 500); four take 0.8 where X
# exceeds the cache (40,000 x 50, also against compiled steps), and any number where X is small (1,000 x 5).
MIN_MEMBERS, MIN_MEMBERS_OF_LARGE, SMALL_SIZE = 8, 4, 2**15
# Members that a kernel takes at once, if X has at least so many features: with two of them its products take
# 0.62 of the time of one by one, and each has the bits of a single fit. With few features nothing is gained.
MEMBERS_OF_KERNEL, MIN_FEATURES = 2, 8


def member(layers, i):
    """Return the layers of member i."""
    return [(W[i, ...], b[i, ...]) for W, b in layers]


def stack(layers_of_members):
    """Return the layers of all members as one stack."""
    layers = zip(*layers_of_members, strict=True)
    return [tuple(namespace(each[0]).stack(each) for each in zip(*layer, strict=True)) for layer in layers]


def repeat(layers, n):
    """Return a stack of n copies, in the memory layout that the products of a stack have."""
    return [
        tuple(copied(namespace(a).broadcast_to(a.mT, (n, *a.mT.shape))).mT for a in layer) for layer in layers
    ]


def column(values, dtype):
    """Return a number for each member, (n, 1, 1), such as its learning rate."""
    with np.errstate(over="ignore"):  # a rate beyond float32: its member diverges
        return np.array(values, dtype).reshape(-1, 1, 1)


def n_members_at_once(problem, n_members, is_observed=False):
    """Return with how many of the members to descend at once: one where a stack would not be faster.

    An observed descent takes its steps one by one, so that what a step costs besides counts once for all.
    """
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.shape[0] * W.shape[1] for W, _ in deeper)
    if type(problem.samples) is DeviceSamples:  # which makes its blocks of rows the smaller
        return max(STACK_BYTES // (8 * 4 * weights), 1)
    n_at_once = max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)
    if problem.objective(0.0, repeat(problem.layers, 2)).takes_steps:
        is_alone = problem.samples.gram is None and n_features < MIN_FEATURES
        return n_at_once if is_observed else min(n_at_once, 1 if is_alone else MEMBERS_OF_KERNEL)
    alone = problem.objective(0.0)
    if alone.engine.takes_steps and width > 1 and not (is_observed and alone.takes_steps):
        return 1  # threads share the members, or the rows of one
    n_at_once = min(n_at_once, max(STACK_COLUMNS, STACK_VALUES // n_samples) // width)
    return n_at_once if min(n_members, n_at_once) >= _least_members(problem.samples, width) else 1


def _least_members(samples, width):
    """Return from how many members on a stack is faster, by the formulas."""
    multiplied = samples.X if samples.gram is None else samples.gram
    is_dense = isinstance(multiplied, np.ndarray)
    if not samples.in_memory or (is_dense and (width > 1 or multiplied.size < SMALL_SIZE)):
        return 1
    return MIN_MEMBERS if multiplied.data.nbytes < BLOCK_BYTES else MIN_MEMBERS_OF_LARGE
