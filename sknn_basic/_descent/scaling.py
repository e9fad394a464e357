"""Whether a descent has plainly not finished, because the features differ too much in scale."""

from typing import NamedTuple

import numpy as np

from .objective import logits

# A feature is out of scale if its variance is so many times smaller than the mean square of all features.
# In 500 fits on well-scaled data the ratio was 39 at most for a feature that still mattered; in fits that
# ended at the base rate for want of scaling it was 15,000 and more.
VARIANCE_RATIO = 100
# A feature matters if a step along it alone lowers the cost by this share of the entropy of the classes:
# 0.0044 at most in the former fits, 0.028 and more in the latter.
MIN_RELATIVE_GAIN = 0.01
N_SCREENED = 32  # rows that show within a factor of 4 whether anything is out of scale


class Unfinished(NamedTuple):
    """A feature along which descent has hardly moved, and what a step along it alone would win."""

    feature: int
    gain: float


class Scaling:
    """The features of a problem that are out of scale: descent at a stable rate hardly moves along them.

    `s` are the shares of the samples and `network` what is trained on them.
    """

    def __init__(self, network, samples, targets, s):
        self.network, self.samples, self.targets, self.s = network, samples, targets, s
        self.features = self._find_poorly_scaled(VARIANCE_RATIO / 4, N_SCREENED)
        if len(self.features):
            self.features = self._find_poorly_scaled(VARIANCE_RATIO)

    def _find_poorly_scaled(self, factor, n_rows=None):
        """Return the indices of the features that are out of scale in `n_rows` rows, or in all."""
        mean, square = self.samples.moments(self.s, n_rows)
        if not self.network.fit_intercept:
            mean = np.zeros_like(mean)  # nothing compensates for it
        self.mean, self.variance = mean, square - mean**2
        mean_square = (1 + square.sum()) / (1 + len(square))  # of the features, and of the 1 of the intercept
        # A rate suits any one scale, so for logistic regression only the ratio counts; a network expects a
        # variance of about 1.
        spread = self.variance if self.network.activation is None else np.minimum(self.variance, 1)
        varies = self.variance > 1e-12 * square  # more than rounding
        return np.flatnonzero(varies & (factor * spread < mean_square))

    def find_unfinished(self, layers, l2):
        """Return the feature that would win most, if that is much; else None.

        The gradient g of the output along feature j, which the intercept compensates in the mean, and the
        bound c of the curvature in that direction promise that a step along it lowers the cost by
        g^2 / (2 c). For logistic regression the model itself can win that, for a network a linear term
        beside its hidden layer.
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
        """Return the cost of always predicting the shares of the classes."""
        p = self.network.output.class_frequencies(self.targets, self.s)
        return -np.sum(p[p > 0] * np.log(p[p > 0]))
