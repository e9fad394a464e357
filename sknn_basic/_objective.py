"""The cost of all samples and its gradients, as one function of the layers."""

from math import prod

import numpy as np

from ._network import cross_entropy, forward, penalize, propagate


class Objective:
    """J and its gradients: `propagate` over blocks of rows, added up, plus the L2 penalty.

    The cost is a plain sum over samples (s holds their shares), so a sum over blocks needs no other formula.
    """

    def __init__(self, samples, Y, s, activation, l2, layers):
        self.samples = samples
        self.activation = activation
        self.l2 = l2
        self.is_penalized = np.any(l2)
        Y, s = Y.astype(samples.dtype, copy=False), s.astype(samples.dtype, copy=False)
        width = prod(layers[0][1].shape)  # columns that the first layer makes, of all members of a stack
        self.blocks = [(block, Y[rows], s[rows]) for rows, block in samples.blocks(width)]

    def __call__(self, layers, want_cost):
        """Return J (None unless wanted) and [(dW1, db1), ...]."""
        cost, gradients = self._propagate(self.blocks[0], layers, want_cost)
        for block in self.blocks[1:]:
            more_cost, more = self._propagate(block, layers, want_cost)
            for sums, terms in zip(gradients, more, strict=True):
                for total, term in zip(sums, terms, strict=True):
                    total += term
            cost = cost + more_cost if want_cost else None
        if self.is_penalized:
            squares = self._sum_of_squares(layers) if want_cost else None
            cost, gradients = penalize(cost, gradients, layers, self.l2, squares)
        return cost, gradients

    def _propagate(self, block, layers, want_cost):
        X, Y, s = block
        return propagate(X, layers, Y, s, self.activation, want_cost)

    def data_cost(self, layers):
        """Return J without the penalty, and without the way back."""
        g, _ = self.activation
        return sum(cross_entropy(forward(X, layers, g)[1], Y, s) for X, Y, s in self.blocks)

    def _sum_of_squares(self, layers):
        """||W||^2 over all layers; only the samples know it of the weights that they multiply."""
        (W, _), *deeper = layers
        return self.samples.sum_of_squares(W) + sum(np.sum(W * W, axis=(-2, -1)) for W, _ in deeper)

    def are_finite(self, layers):
        """Whether all weights and biases are."""
        (W, b), *deeper = layers
        others = [b, *(array for layer in deeper for array in layer)]
        return self.samples.are_finite(W) and all(np.isfinite(array).all() for array in others)
