"""The optimisation problem of a fit: samples, targets, weights and initial layers."""

from functools import cached_property

import numpy as np

from .choice import choose_samples
from .curvature import largest_curvature
from .engine import Formulas
from .objective import Objective
from .scaling import Scaling


class Problem:
    """Samples, targets, normalised weights and initial layers, in the representation that is fastest.

    X (m, n) is a dense or CSR matrix, or `Stored`; the fitted weights have its dtype. The targets (m, k) are
    T or Y, whichever the output takes; s (m, 1) are the normalised weights. `n_steps` is the number of steps
    that will be taken, over all members of a stack; `gram` is X X' in float64, if already known.
    """

    def __init__(self, network, X, targets, s, layers, n_steps, gram=None):
        (W, b), *deeper = layers
        self.network = network
        self.samples = choose_samples(X, W, n_steps, gram)
        precision = self.samples.dtype
        self.targets, self.s = targets.astype(precision, copy=False), s.astype(precision, copy=False)
        # Parameters: the layers, with what the samples multiply in place of the first W.
        self.layers = cast([(self.samples.parameters_of(W), b), *deeper], precision)

    def objective(self, l2, layers=None):
        """Return the objective of the parameters, or of a stack of them that is shaped like `layers`."""
        layers = self.layers if layers is None else layers
        return Objective(self.network, self.samples, self.targets, self.s, l2, layers)

    def validation(self, X, targets, s):
        """Return the objective of other samples, without a penalty, as a function of the same parameters."""
        samples = self.samples.with_rows(choose_samples(X))
        targets, s = (array.astype(samples.dtype, copy=False) for array in (targets, s))
        return Objective(self.network, samples, targets, s, 0.0, self.layers)

    def weights_of(self, layers):
        """Return the layers with weights in place of parameters, in the precision of X."""
        (W, b), *deeper = layers
        return cast([(self.samples.weights_of(W), b), *deeper], self.samples.weight_dtype)

    def with_weights(self, descent):
        """Return a descent with weights in place of its parameters."""
        return descent._replace(layers=self.weights_of(descent.layers))

    @cached_property
    def rows(self):
        """The blocks of rows for whatever is summed over them besides the objective."""
        groups = Formulas(self.network).groups(self.samples, self.layers)
        return self.samples.rows(groups, self.targets, self.s)

    @cached_property
    def curvature(self):
        """L of the cost without the penalty (logistic regression only)."""
        return largest_curvature(self.network, self.samples, self.rows, self.s)

    @cached_property
    def scaling(self):
        """The poorly scaled features, and whether they keep a descent from finishing."""
        return Scaling(self.network, self.samples, self.rows, self.targets, self.s)

    @property
    def knows_stable_rate(self):
        """Whether `stable_rate` needs no read of samples that are not in memory."""
        return self.samples.in_memory or "curvature" in vars(self)

    def stable_rate(self, l2):
        """Return 2/L: descent is stable below it. None for a network, since it has no such constant."""
        if len(self.layers) > 1:
            return None
        curvature = self.curvature + l2
        return 2 / curvature if curvature else np.inf

    def learning_rate(self, rate, l2):
        """Return the rate as a number; "auto" is 1/L, half the stable rate, since this cannot overshoot."""
        if rate != "auto":
            return float(rate)
        stable_rate = self.stable_rate(l2)
        if stable_rate == 0:
            raise ValueError(
                'learning_rate="auto" needs the squares of the features, which overflow '
                f"{self.samples.dtype}. Scale X, as StandardScaler does."
            )
        return stable_rate / 2 if stable_rate < np.inf else 1.0  # all gradients are 0: any rate will do


def cast(layers, dtype):
    """Return the layers converted to a dtype."""
    return [(W.astype(dtype, copy=False), b.astype(dtype, copy=False)) for W, b in layers]
