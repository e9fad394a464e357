"""The optimisation problem of a fit: samples, targets, weights and initial layers."""

from functools import cached_property

import numpy as np

from .arrays import astype
from .choice import choose_samples
from .curvature import largest_curvature
from .engine import Formulas
from .memory import keep_freed_memory
from .objective import Objective
from .scaling import Scaling
from .sharpness import Hessian, scaled_up

# The largest "auto" for a network, or the number of classes if that is more: 1 over the curvature along the
# biases of the output where all classes are equally likely. Only a start close to certainty is flatter.
MAX_RATE = 4.0
# Validation samples are on another scale if their largest value is so many times that of X. With halves of 20
# small data sets it was 4 times at most; with raw values of two tables beside scaled ones, 350 times.
OTHER_SCALE = 30


class Problem:
    """Samples, targets, normalised weights and initial layers, in the representation that is fastest.

    X (m, n) is a dense or CSR matrix, `Stored` or `OnDevice`; the fitted weights have its dtype. The targets
    (m, k) are T or Y, whichever the output takes; s (m, 1) are the normalised weights. `n_steps` is the
    number of steps that will be taken, over all members of a stack; `gram` is X X' in float64, if known.
    """

    def __init__(self, network, X, targets, s, layers, n_steps, gram=None):
        keep_freed_memory()
        (W, b), *deeper = layers
        self.network = network
        self.samples = choose_samples(X, W, n_steps, gram)
        self.targets, self.s = self.samples.asarray(targets), self.samples.asarray(s)
        # Parameters: the layers, with what the samples multiply in place of the first W.
        layers = (self.samples.parameters_of(W), b), *deeper
        self.layers = [tuple(map(self.samples.asarray, layer)) for layer in layers]
        self.is_network = bool(deeper)
        self._sharpness, self._tried = {}, {}  # by l2

    def objective(self, l2, layers=None):
        """Return the objective of the parameters, or of a stack of them that is shaped like `layers`."""
        layers = self.layers if layers is None else layers
        return Objective(self.network, self.samples, self.targets, self.s, l2, layers)

    def validation(self, X, targets, s):
        """Return the objective of other samples, without a penalty, as a function of the same parameters."""
        self.X_val = X
        samples = self.samples.with_rows(choose_samples(X))
        return Objective(
            self.network, samples, samples.asarray(targets), samples.asarray(s), 0.0, self.layers
        )

    def is_validated_on_other_scale(self):
        largest, largest_val = (choose_samples(X).largest for X in (self.samples.X, self.X_val))
        return largest_val > OTHER_SCALE * largest

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

    @np.errstate(all="ignore")
    def sharpness(self, l2):
        """Return the sharpness of a network's cost where it starts, or would at weights of the usual size."""
        if l2 not in self._sharpness:
            starts = [self.layers, scaled_up(self.layers, self.network, self.samples)]
            self._sharpness[l2] = max(
                Hessian(self.network, self.samples, self.rows, layers, l2).largest_eigenvalue()
                for layers in starts
                if layers is not None
            )
        return self._sharpness[l2]

    def knows_stable_rate(self, l2):
        """Whether `stable_rate` needs no read of samples that are not in memory."""
        return self.samples.in_memory or "curvature" in vars(self) or l2 in self._sharpness

    def stable_rate(self, l2):
        """Return 2/L, below which descent is stable; for a network 2/sharpness, below which it starts so."""
        curvature = self.sharpness(l2) if self.is_network else self.curvature + l2
        rate = 1 / curvature if curvature > 0 else np.inf
        # More digits of a sharpness are rounding errors, which depend on how X is held.
        return 2 * (float(f"{rate:.3g}") if self.is_network else rate)

    def learning_rate(self, rate, l2):
        """Return the rate as a number; "auto" is half the stable rate, where a logistic cost only falls."""
        if rate != "auto":
            return float(rate)
        rate = self.stable_rate(l2) / 2
        if rate == 0:
            also = " (or the weights at the start, or l2_regularization)" * self.is_network
            raise ValueError(
                f'learning_rate="auto" needs the squares of the features{also}, which overflow '
                f"{self.samples.dtype}. Scale X, as StandardScaler does."
            )
        if self.is_network:
            return self._tried_rate(min(rate, max(MAX_RATE, self.targets.shape[1])), l2)
        return rate if rate < np.inf else 1.0  # all gradients are 0: any rate will do

    @np.errstate(all="ignore")
    def _tried_rate(self, rate, l2):
        """Return the rate, or 1 over the curvature that its first steps meet, if that is above 2/rate."""
        if l2 not in self._tried:
            start = Hessian(self.network, self.samples, self.rows, self.layers, l2)
            curvature = start.curvature_of_steps(rate)
            self._tried[l2] = float(f"{1 / curvature:.3g}") if curvature * rate > 2 else rate
        return self._tried[l2]


def cast(layers, dtype):
    """Return the layers converted to a dtype."""
    return [(astype(W, dtype), astype(b, dtype)) for W, b in layers]
