"""The sharpness of a network's cost: the largest eigenvalue of its Hessian.

Descent bears rates below 2 over it. Unlike the curvature of the logistic cost it changes with the layers, so
it promises nothing beyond the first steps: descent often moves to where it is 2 / rate (Cohen et al., 2021).
"""

import numpy as np
from scipy.linalg import eigh_tridiagonal

from .network import curve, update

# At most so many products, each one read of X; Lanczos iterations end at this residual, relative to the
# eigenvalue. Of 6,720 starts half took 8 products or fewer, and no eigenvalue was more than 0.2 % too low. At a
# tolerance of 3e-4 one in 5,000 was 36 % too low: the second largest had been found.
MAX_PRODUCTS, TOLERANCE = 20, 1e-4


class Hessian:
    """The Hessian of J at given layers: an operator on directions [(W, b), ...], shaped like the layers."""

    def __init__(self, network, samples, rows, layers, l2):
        self.network, self.samples, self.rows, self.layers, self.l2 = network, samples, rows, layers, l2

    def largest_eigenvalue(self):
        """Return it by Lanczos iterations; infinity if sums overflow."""
        diagonal, beside, before, step = [], [], None, 0.0
        direction = self._start()
        for _ in range(MAX_PRODUCTS):
            image = self._product(direction)
            diagonal.append(self._inner_product(image, direction))
            image = update(image, direction, diagonal[-1])
            image = image if before is None else update(image, before, step)
            length = np.sqrt(self._inner_product(image, image))
            if not np.isfinite(length):
                return np.inf
            last = len(diagonal) - 1
            (largest,), vector = eigh_tridiagonal(diagonal, beside, select="i", select_range=(last, last))
            if length * abs(vector[-1, 0]) <= TOLERANCE * abs(largest):
                break
            beside.append(length)
            before, direction, step = direction, scaled(image, 1 / length), length
        return float(largest)

    def _start(self):
        """Return a random direction, 0 in W of the first layer: the same one however X is held."""
        rng = np.random.RandomState(0)
        (W, b), *deeper = self.layers
        arrays = [np.zeros_like(W), *(rng.standard_normal(a.shape).astype(a.dtype) for a in (b, *deeper[0]))]
        start = [tuple(arrays[:2]), tuple(arrays[2:])]
        return scaled(start, 1 / np.sqrt(self._inner_product(start, start)))

    def _product(self, direction):
        image = self.rows.total(_curve, self.network, self.layers, direction)
        return [(W + self.l2 * RW, b) for (W, b), (RW, _) in zip(image, direction, strict=True)]

    def _inner_product(self, p, q):
        """Return the sum of the products of all weights and biases, as a float."""
        (P, b), *deeper = p
        (Q, c), *others = q
        pairs = zip([b, *deeper[0]], [c, *others[0]], strict=True)
        return float(self.samples.inner_product(P, Q)) + sum(float(np.vdot(v, w)) for v, w in pairs)


def scaled(direction, factor):
    return [(W * W.dtype.type(factor), b * b.dtype.type(factor)) for W, b in direction]


def _curve(X, targets, s, network, layers, direction):
    return curve(network, X, layers, targets, s, direction)


def scaled_up(layers, network, samples):
    """Return the layers with weights of the size that init_scale="auto" gives them, or None.

    Near weights of 0 the cost is almost flat, but does not stay so. None if the size is half of that or more,
    or 0.
    """
    (W1, b1), (W2, b2) = layers
    largest = np.array([np.abs(W1).max(), np.abs(W2).max()])
    if not largest.all():
        return None
    # So that no square underflows.
    P, Q = (W / W.dtype.type(size) for W, size in zip((W1, W2), largest, strict=True))
    lengths = np.sqrt([float(samples.inner_product(P, P)), float(np.vdot(Q, Q))])
    usual = np.sqrt([network.activation.gain * b.shape[-1] for b in (b1, b2)])
    if (largest * lengths >= usual / 2).all():
        return None
    factors = np.maximum(usual / lengths, largest)
    return [(W * W.dtype.type(factor), b) for (W, b), factor in zip([(P, b1), (Q, b2)], factors, strict=True)]
