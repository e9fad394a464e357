"""The cost of all samples and its gradients, as one function of the layers."""

import numpy as np

from .arrays import largest, namespace
from .engine import FIRST, Formulas, choose_engine
from .logits import finite_forward, overflows
from .network import cost, penalize, penalized_cost, update

# Parameters up to which no cost overflows, if Z does not, by the precision in which they are trained.
SAFE = {np.dtype(np.float32): 2.0**16, np.dtype(np.float64): 2.0**64}


class Objective:
    """J and its gradients: `propagate` over blocks of rows, added up, plus the L2 penalty.

    The cost is a plain sum over samples (s sums to 1), so a sum over blocks needs no other formula.
    """

    def __init__(self, network, samples, targets, s, l2, layers):
        self.network, self.samples, self.fit_intercept = network, samples, network.fit_intercept
        self.is_penalized = bool(np.any(l2))
        self.l2 = samples.asarray(l2) if np.ndim(l2) else l2
        self.engine = choose_engine(network, samples, layers)
        self.rows = samples.rows(self.engine.groups(samples, layers), targets, s)

    def __call__(self, layers, want_cost):
        """Return J (None unless wanted) and [(dW1, db1), ...]."""
        self.prepare()
        J, gradients = self.rows.total(self.engine.propagate, layers, want_cost)
        if self.is_penalized:
            gradients = penalize(gradients, layers, self.l2)
        if not self.fit_intercept:
            gradients = [(dW, namespace(db).zeros_like(db)) for dW, db in gradients]
        return self._penalized(J, layers), gradients

    def prepare(self, if_long=None):
        """Do what must be done before the first step; if the engine cannot, the formulas take its place."""
        if not self.engine.prepare(if_long):
            self.engine = Formulas(self.network)

    @property
    def takes_steps(self):
        """Whether the engine takes several steps in one call."""
        return self.engine.takes_steps and self.rows.only_block() is not None

    def n_at_once(self, layers):
        """Return how many steps at most are taken in one call that also records costs: 0 if it cannot.

        That needs parameters that stay so far from overflow that nobody has to look at each: up to SAFE.
        """
        if not self.takes_steps or self.is_penalized:
            return 0
        value = 4 * SAFE[self.samples.dtype]  # the cost of a sample is below four times its largest |Z|
        safe = [tuple(np.full_like(array, value) for array in layer) for layer in layers]
        return self.engine.n_at_once(self.rows.only_block()[0], layers) if self.are_bounded(safe) else 0

    def leap(self, layers, learning_rate, n_steps, records):
        """Take steps in one call; return the layers, and the costs before `records`, or None if unsafe."""
        block = self.rows.only_block()
        ((_, layers, costs, peak),) = self.engine.advance(
            *block, layers, learning_rate, self.l2, n_steps, records
        )
        peaks = [peak, *(np.abs(array).max() for layer in layers for array in layer)]
        is_safe = all(value <= SAFE[self.samples.dtype] for value in peaks) and np.isfinite(costs).all()
        return (layers, costs) if is_safe else None

    def advance(self, layers, learning_rate, n_steps, want_cost):
        """Take steps; yield (number of steps taken, layers, J), J before the first and None afterwards.

        It yields after every step, or every call of an engine that takes several: an interruption loses no
        more.
        """
        if self.takes_steps and n_steps > 1:
            before, block = layers, self.rows.only_block()
            steps = self.engine.advance(
                *block, layers, learning_rate, self.l2, n_steps, FIRST[: int(want_cost)]
            )
            for n_taken, layers, costs, _ in steps:
                yield n_taken, layers, self._penalized(costs[0], before) if len(costs) else None
            return
        for n_taken in range(1, n_steps + 1):
            J, gradients = self(layers, want_cost and n_taken == 1)
            layers = update(layers, gradients, learning_rate)
            yield n_taken, layers, J

    def data_cost(self, layers):
        """Return J without the penalty and without the backward pass."""
        return self.rows.total(_cost, self.network, layers)

    def _penalized(self, J, layers):
        """Return J with the penalty, unless it is None."""
        if J is None or not self.is_penalized:
            return J
        return penalized_cost(J, self.l2, self._sum_of_squares(layers))

    def _sum_of_squares(self, layers):
        """||W||^2 over all layers. Samples compute it for the first, since its parameters may not be W."""
        (W, _), *deeper = layers
        total = self.samples.inner_product(W, W)
        return total + sum(namespace(W).sum(W * W, axis=(-2, -1)) for W, _ in deeper)

    def are_finite(self, layers):
        """Whether weights and biases are finite in the precision of X, and so are all Z."""
        if self.are_bounded(layers):
            return True
        (W, b), *deeper = layers
        limit = float(np.finfo(self.samples.weight_dtype).max)
        if not self.samples.are_finite(W):
            return False
        others = [b, *(array for layer in deeper for array in layer)]
        if not all(largest(array) <= limit for array in others):
            return False
        return not self.rows.total(overflows, self.network, layers)

    def are_bounded(self, layers):
        """Whether weights, biases and Z, of a stack too, are finite by an upper bound, without a product."""
        (W, b), *deeper = layers
        limit = float(np.finfo(self.samples.weight_dtype).max)
        bound = self.samples.bound(W) + largest(b)
        for W, b in deeper:
            if not bound < limit:
                return False
            bound = W.shape[-2] * self.network.activation.bound(bound) * largest(W) + largest(b)
        return bool(bound < limit)  # not if one of them is NaN


def _cost(X, targets, s, network, layers):
    return cost(network, finite_forward(network, X, layers), targets, s)
