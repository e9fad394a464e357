"""Detects a descent that has clearly not finished because the features differ too much in scale."""

from typing import NamedTuple

import numpy as np

from .arrays import namespace, on_host
from .logits import finite_forward

# A feature is poorly scaled if its variance is this many times smaller than the mean square of all features.
# In 500 fits on well-scaled data the ratio was at most 39 for a feature that still mattered; in fits that
# ended at the base rate for lack of scaling it was at least 15,000.
VARIANCE_RATIO = 100
# A feature matters if a step along it alone lowers the cost by this fraction of the class entropy: at most
# 0.0044 in the former fits, at least 0.028 in the latter.
MIN_RELATIVE_GAIN = 0.01
N_SCREENED = 32  # rows for a first estimate of the ratio, to within a factor of 4
HORIZON = 2000  # steps within which descent should move along a feature, however short the fit
# A network has learnt nothing if its cost is still this share of the class entropy after so many steps.
# Features beyond this mean square can be the reason: it is 15 for raw iris, where ReLUs die, 1 after scaling.
BASE_RATE_SHARE, MIN_STEPS, LARGE_MEAN_SQUARE = 0.9, 200, 10
# Whatever the features, it has learnt nothing if the cost is this share of the class entropy: units that are
# dead or saturated leave the biases alone, which reach it to 1e-5. Random labels are learnt better, by heart.
DEAD_SHARE = 0.999


class Unfinished(NamedTuple):
    """Along which feature descent has hardly moved; without one, a network has learnt nothing."""

    feature: int | None = None
    gain: float | None = None  # by how much a step along it would lower the cost
    mean_square: float | None = None  # of all features, if these may be too large


class Scaling:
    """The poorly scaled features of a problem: descent at a stable rate hardly moves along them."""

    def __init__(self, network, samples, rows, targets, s):
        self.network, self.samples, self.rows, self.targets, self.s = network, samples, rows, targets, s
        self.features = self._find_poorly_scaled(VARIANCE_RATIO / 4, N_SCREENED)
        if len(self.features):
            self.features = self._find_poorly_scaled(VARIANCE_RATIO)

    def _find_poorly_scaled(self, factor, n_rows=None):
        """Return the indices of the poorly scaled features, judged by `n_rows` rows or by all."""
        self.mean, self.variance = self.samples.moments(self.rows, self.s, n_rows)
        square = self.variance + self.mean**2
        if not self.network.fit_intercept:  # which would compensate for the mean
            self.mean, self.variance = np.zeros_like(self.mean), square
        self.mean_square = square.mean()
        typical = (1 + square.sum()) / (1 + len(square))  # of the features and the intercept's 1
        return np.flatnonzero((self.variance > 0) & (factor * self.variance < typical))

    def find_unfinished(self, descent, l2, rate):
        """Return why a descent with parameters as its layers has clearly not finished, or None.

        With g the gradient of the cost along feature j, centred by the intercept, and c a bound on the
        curvature in that direction, a step along j lowers the cost by at least g^2 / (2 c), while n steps of
        descent cover about rate c n of the way. In a network it is a linear term beside the hidden layer.
        """
        is_network = self.network.activation is not None
        share = descent.loss / self._entropy() if is_network and descent.n_iter >= MIN_STEPS else 0
        if share > BASE_RATE_SHARE and self.mean_square > LARGE_MEAN_SQUARE:
            return Unfinished(mean_square=self.mean_square)
        return self._find_feature(descent, l2, rate) or (Unfinished() if share > DEAD_SHARE else None)

    def _find_feature(self, descent, l2, rate):
        """Return along which feature descent has hardly moved, or None."""
        c = self.variance * self.network.output.max_slope + l2
        hardly_moves = rate * c * max(descent.n_iter, HORIZON) < 1
        features = self.features[hardly_moves[self.features]]
        if len(features) == 0:
            return None
        slopes, errors = self.rows.total(_linear_slopes, self.network, descent.layers)
        g = on_host(self.samples.weights_of(slopes)) - np.outer(self.mean, on_host(errors))
        if self.network.activation is None:
            g = g + l2 * on_host(self.samples.weights_of(descent.layers[0][0]))
        gains = np.sum(g[features] ** 2, axis=1) / (2 * c[features])
        best = int(np.argmax(gains))
        if not gains[best] > MIN_RELATIVE_GAIN * self._entropy():
            return None
        return Unfinished(int(features[best]), float(gains[best]), self.mean_square)

    def _entropy(self):
        """Return the class entropy: the cost of always predicting the class frequencies."""
        p = on_host(self.network.output.class_frequencies(self.targets, self.s))
        return -np.sum(p[p > 0] * np.log(p[p > 0]))


def _linear_slopes(X, targets, s, network, layers):
    """Return the gradient of a linear term, as parameters, and the sum of the errors."""
    dZ = s * network.output.error(finite_forward(network, X, layers), targets)
    return X.mT @ dZ, namespace(dZ).sum(dZ, axis=0)
