"""The cost of all samples and its gradients, as one function of the layers; the logits of all samples."""

from math import prod

import numpy as np

from .network import cost, forward, penalize, propagate, update


class Objective:
    """J and its gradients: `propagate` over blocks of rows, added up, plus the L2 penalty.

    The cost is a plain sum over samples (s sums to 1), so a sum over blocks needs no other formula.
    """

    def __init__(self, network, samples, targets, s, l2, layers):
        self.network, self.fit_intercept = network, network.fit_intercept
        self.samples = samples
        self.l2 = l2
        self.is_penalized = np.any(l2)
        self.blocks = [(block, targets[rows], s[rows]) for rows, block in samples.blocks(_width(layers))]

    def __call__(self, layers, want_cost):
        """Return J (None unless wanted) and [(dW1, db1), ...]."""
        X, targets, s = self.blocks[0]
        J, gradients = propagate(self.network, X, layers, targets, s, want_cost)
        for X, targets, s in self.blocks[1:]:
            more_J, more = propagate(self.network, X, layers, targets, s, want_cost)
            for sums, terms in zip(gradients, more, strict=True):
                for total, term in zip(sums, terms, strict=True):
                    total += term
            J = J + more_J if want_cost else None
        if self.is_penalized:
            squares = self._sum_of_squares(layers) if want_cost else None
            J, gradients = penalize(J, gradients, layers, self.l2, squares)
        if not self.fit_intercept:
            gradients = [(dW, np.zeros_like(db)) for dW, db in gradients]
        return J, gradients

    def advance(self, layers, learning_rate, n_steps):
        """Take steps without computing the cost; yield (number of steps taken, layers).

        Here after every step, so that an interruption loses none; an engine that takes several steps in one
        call yields after each call.
        """
        for n_taken in range(1, n_steps + 1):
            _, gradients = self(layers, want_cost=False)
            layers = update(layers, gradients, learning_rate)
            yield n_taken, layers

    def data_cost(self, layers):
        """Return J without the penalty and without the backward pass."""
        return sum(
            cost(self.network, forward(self.network, X, layers)[1], targets, s)
            for X, targets, s in self.blocks
        )

    def _sum_of_squares(self, layers):
        """||W||^2 over all layers; that of the first, whose parameters may not be W, from the samples."""
        (W, _), *deeper = layers
        return self.samples.sum_of_squares(W) + sum(np.sum(W * W, axis=(-2, -1)) for W, _ in deeper)

    def are_finite(self, layers):
        """Whether all weights and biases are finite."""
        (W, b), *deeper = layers
        others = [b, *(array for layer in deeper for array in layer)]
        return self.samples.are_finite(W) and all(np.isfinite(array).all() for array in others)


def logits(network, samples, layers):
    """Return Z of the output (..., m, k); with a hidden layer in blocks of rows, to keep A1 small."""
    blocks = samples.blocks(_width(layers)) if len(layers) > 1 else []
    if len(blocks) <= 1:
        return forward(network, samples, layers)[1]
    *stack, _, k = layers[-1][1].shape
    Z = np.empty((*stack, samples.shape[0], k), layers[-1][1].dtype)
    for rows, block in blocks:
        Z[..., rows, :] = forward(network, block, layers)[1]
    return Z


def _width(layers):
    """Return the number of columns of the first layer, over all members of a stack."""
    return prod(layers[0][1].shape)
