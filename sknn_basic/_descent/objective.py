"""The cost of all samples and its gradients, as one function of the layers."""

from contextlib import nullcontext
from functools import partial

import numpy as np

from .engine import Compiled, choose_engine
from .logits import finite_forward, overflows
from .network import cost, penalize, update
from .threads import threads


class Objective:
    """J and its gradients: `propagate` over blocks of rows, added up, plus the L2 penalty.

    The cost is a plain sum over samples (s sums to 1), so a sum over blocks needs no other formula.
    """

    def __init__(self, network, samples, targets, s, l2, layers):
        self.network, self.fit_intercept = network, network.fit_intercept
        self.samples = samples
        self.l2 = l2
        self.is_penalized = np.any(l2)
        self.engine = choose_engine(network, samples, layers)
        self.groups = [  # of blocks of rows: threads share the groups
            [(block, targets[rows], s[rows]) for rows, block in group]
            for group in self.engine.groups(samples, layers)
        ]
        self.blocks = [block for group in self.groups for block in group]

    def __call__(self, layers, want_cost):
        """Return J (None unless wanted) and [(dW1, db1), ...]."""
        if len(self.groups) == 1:
            J, gradients = self._propagate(layers, want_cost, self.blocks)
        else:
            J, gradients = _added(threads.map(partial(self._propagate, layers, want_cost), self.groups))
        if self.is_penalized:
            squares = self._sum_of_squares(layers) if want_cost else None
            J, gradients = penalize(J, gradients, layers, self.l2, squares)
        if not self.fit_intercept:
            gradients = [(dW, np.zeros_like(db)) for dW, db in gradients]
        return J, gradients

    def is_ready(self):
        """Whether the first step can start at once: no machine code must be made or loaded."""
        return self.engine.is_ready(self.blocks[0][0])

    def sharing(self):
        """Prepare the engine; return a context in which threads share the blocks, if these are many."""
        self.engine.prepare(self.blocks[0][0])
        return threads.shared_out() if len(self.groups) > 1 else nullcontext()

    def _propagate(self, layers, want_cost, blocks):
        """Return J and the gradients of some blocks, added up in their order."""
        if len(blocks) == 1:
            ((X, targets, s),) = blocks
            return self.engine.propagate(X, layers, targets, s, want_cost)
        return _added(self.engine.propagate(X, layers, targets, s, want_cost) for X, targets, s in blocks)

    def advance(self, layers, learning_rate, n_steps):
        """Take steps without computing the cost; yield (number of steps taken, layers).

        Here after every step, so that an interruption loses none; an engine that takes several steps in one
        call yields after each call.
        """
        if isinstance(self.engine, Compiled) and len(self.blocks) == 1:
            ((X, targets, s),) = self.blocks
            yield from self.engine.advance(X, layers, targets, s, learning_rate, self.l2, n_steps)
            return
        for n_taken in range(1, n_steps + 1):
            _, gradients = self(layers, want_cost=False)
            layers = update(layers, gradients, learning_rate)
            yield n_taken, layers

    def data_cost(self, layers):
        """Return J without the penalty and without the backward pass."""
        return sum(
            cost(self.network, finite_forward(self.network, X, layers), targets, s)
            for X, targets, s in self.blocks
        )

    def _sum_of_squares(self, layers):
        """||W||^2 over all layers; that of the first, whose parameters may not be W, from the samples."""
        (W, _), *deeper = layers
        return self.samples.sum_of_squares(W) + sum(np.sum(W * W, axis=(-2, -1)) for W, _ in deeper)

    def are_finite(self, layers):
        """Whether weights and biases are finite in the precision of X, and so are all Z."""
        (W, b), *deeper = layers
        largest = np.finfo(self.samples.weight_dtype).max
        if not self.samples.are_finite(W):
            return False
        if self._bound(layers) < largest:
            return True
        others = [b, *(array for layer in deeper for array in layer)]
        return all((np.abs(array) <= largest).all() for array in others) and not any(
            overflows(self.network, X, layers) for X, _, _ in self.blocks
        )

    def _bound(self, layers):
        """Return an upper bound on all |Z| and biases, since |g(z)| <= 1 + |z|."""
        (W, b), *deeper = layers
        bound = self.samples.bound(W) + np.abs(b).max()
        for W, b in deeper:
            bound = len(W) * (1 + bound) * np.abs(W).max() + np.abs(b).max()
        return bound


def _added(parts):
    """Return the sum of (J, gradients), one after another, whatever thread they come from."""
    parts = iter(parts)
    J, gradients = next(parts)
    for more_J, more in parts:
        for sums, terms in zip(gradients, more, strict=True):
            for total, term in zip(sums, terms, strict=True):
                total += term
        J = None if J is None else J + more_J
    return J, gradients
