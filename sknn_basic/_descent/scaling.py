"""Detects a descent that has clearly not finished because the features differ too much in scale."""

from typing import NamedTuple

import numpy as np

from .objective import logits

# A feature is poorly scaled if its variance is this many times smaller than the mean square of all features.
# In 500 fits on well-scaled data the ratio was at most 39 for a feature that still mattered; in fits that
# ended at the base rate for lack of scaling it was at least 15,000.
VARIANCE_RATIO = 100
# A feature matters if a step along it alone lowers the cost by this fraction of the class entropy: at most
# 0.0044 in the former fits, at least 0.028 in the latter.
MIN_RELATIVE_GAIN = 0.01
N_SCREENED = 32  # rows for a first estimate of the ratio, to within a factor of 4


class Unfinished(NamedTuple):
    """A feature along which descent has hardly moved, and by how much it would lower the cost."""

    feature: int
    gain: float


class Scaling:
    """The poorly scaled features of a problem: descent at a stable rate hardly moves along them.

    `s` are the normalised sample weights, `network` is the model trained on the samples.
    """

    def __init__(self, network, samples, targets, s):
        self.network, self.samples, self.targets, self.s = network, samples, targets, s
        self.features = self._find_poorly_scaled(VARIANCE_RATIO / 4, N_SCREENED)
        if len(self.features):
            self.features = self._find_poorly_scaled(VARIANCE_RATIO)

    def _find_poorly_scaled(self, factor, n_rows=None):
        """Return the indices of the poorly scaled features, judged by `n_rows` rows or by all."""
        mean, square = self.samples.moments(self.s, n_rows)
        if not self.network.fit_intercept:
            mean = np.zeros_like(mean)  # no intercept compensates for it
        self.mean, self.variance = mean, square - mean**2
        mean_square = (1 + square.sum()) / (1 + len(square))  # of the features and the intercept's 1
        # For logistic regression only the ratio counts, since the rate adapts to any common scale; a network
        # expects a variance of about 1.
        spread = self.variance if self.network.activation is None else np.minimum(self.variance, 1)
        varies = self.variance > 1e-12 * square  # more than rounding
        return np.flatnonzero(varies & (factor * spread < mean_square))

    def find_unfinished(self, layers, l2):
        """Return the feature that would lower the cost most, if by much; else None.

        With g the gradient of the cost along feature j, centred by the intercept, and c a bound on the
        curvature in that direction, a step along j lowers the cost by at least g^2 / (2 c). For a network,
        this is the step of a linear term beside its hidden layer.
        """
        if len(self.features) == 0:
            return None
        Z = logits(self.network, self.samples, layers)
        dZ = self.s * self.network.output.error(Z, self.targets)
        g = self.samples.weights_of(self.samples.mT @ dZ) - np.outer(self.mean, dZ.sum(axis=0))
        if self.network.activation is None:
            g = g + l2 * self.samples.weights_of(layers[0][0])
        c = self.variance * self.network.output.max_slope + l2
        gains = np.sum(g[self.features] ** 2, axis=1) / (2 * c[self.features])
        best = int(np.argmax(gains))
        if not gains[best] > MIN_RELATIVE_GAIN * self._entropy():
            return None
        return Unfinished(int(self.features[best]), float(gains[best]))

    def _entropy(self):
        """Return the class entropy: the cost of always predicting the class frequencies."""
        p = self.network.output.class_frequencies(self.targets, self.s)
        return -np.sum(p[p > 0] * np.log(p[p > 0]))
