"""The sharpness of the cost: the largest eigenvalue of its Hessian.

Descent bears rates below 2 over it. Unlike L, the bound of the logistic cost, it changes with the layers, so
it promises nothing beyond the first steps: descent often moves to where it is 2 / rate (Cohen et al., 2021).
"""

import numpy as np

from .network import curve, curve_of_output, penalize, propagate, update

# At most so many products, each one read of X; Lanczos iterations end at this residual, relative to the
# eigenvalue. Of 6,720 starts half took 8 products or fewer, and no eigenvalue was more than 0.2 % too low. At
# a tolerance of 3e-4 one in 5,000 was 36 % too low: the second largest had been found.
MAX_PRODUCTS, TOLERANCE = 20, 1e-4
# Gradients for which a rate is tried. Of 720 starts on scaled features none met a curvature above 1.6/rate
# on the way, of 360 on raw iris, wine and breast cancer a third met more than 2/rate.
N_TRIED = 11


class Hessian:
    """The Hessian of J at given layers: an operator on directions, which are vectors (W1, b1, W2, b2).

    For logistic regression they are vectors (W, b), with b = 0 if there is no intercept.
    """

    def __init__(self, network, samples, rows, layers, l2):
        self.network, self.samples, self.rows, self.layers, self.l2 = network, samples, rows, layers, l2
        self.shapes = [array.shape for layer in layers for array in layer]
        self.ends = np.cumsum([array.size for layer in layers for array in layer])

    def largest_eigenvalue(self, max_products=MAX_PRODUCTS, tolerance=TOLERANCE):
        """Return it by Lanczos iterations; infinity if sums overflow."""
        diagonal, beside, before, step = [], [], None, 0.0
        direction = self._start()
        for _ in range(max_products):
            image = self._product(direction)
            diagonal.append(self._inner_product(image, direction))
            image -= self._number(diagonal[-1]) * direction
            if before is not None:
                image -= self._number(step) * before
            length = self._length(image)
            if not np.isfinite(length):
                return np.inf
            values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, -1))  # its lower triangle
            largest = values[-1]
            if length * abs(vectors[-1, -1]) <= tolerance * abs(largest):
                break
            beside.append(length)
            before, direction, step = direction, image * self._number(1 / length), length
        return float(largest)

    def curvature_of_steps(self, rate):
        """Return the largest curvature along the first steps: the gradients' change over the step."""
        largest, before, layers = 0.0, None, self.layers
        for _ in range(N_TRIED):
            _, gradients = self.rows.total(_gradients, self.network, layers)
            gradients = penalize(gradients, layers, self.l2)
            vector = _vector(gradients)
            if before is not None:
                change, length = vector - before, self._length(before)
                curvature = self._length(change) / length / rate if length > 0 else np.nan
                if not np.isfinite(curvature):
                    break
                largest = max(largest, curvature)
            before, layers = vector, update(layers, gradients, self._number(rate))
        return largest

    def _start(self):
        """Return a random direction; for a network 0 in W of the first layer: the same however X is held.

        For logistic regression b alone would not do: on centred X its products never reach W.
        """
        direction = np.zeros(self.ends[-1], self.layers[0][0].dtype)
        begin = self.ends[0] if len(self.layers) > 1 else 0
        end = self.ends[-1] if self.network.fit_intercept else self.ends[0]
        direction[begin:end] = np.random.default_rng(0).standard_normal(end - begin)
        return direction * self._number(1 / self._length(direction))

    def _product(self, direction):
        parts = np.split(direction, self.ends[:-1])
        arrays = [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
        direction = list(zip(arrays[::2], arrays[1::2], strict=True))
        images = self.rows.total(_curve, self.network, self.layers, direction)
        if self.l2:
            images = penalize(images, direction, self.l2)
        if not self.network.fit_intercept:
            images = [(RW, np.zeros_like(Rb)) for RW, Rb in images]
        return _vector(images)

    def _inner_product(self, p, q):
        """Return the sum of the products of all weights and biases, as a float."""
        n = self.ends[0]
        P, Q = p[:n].reshape(self.shapes[0]), q[:n].reshape(self.shapes[0])
        return float(self.samples.inner_product(P, Q)) + float(p[n:] @ q[n:])

    def _length(self, p):
        return np.sqrt(self._inner_product(p, p))

    def _number(self, value):
        return self.layers[0][0].dtype.type(value)


def _vector(layers):
    return np.concatenate([array.ravel() for layer in layers for array in layer])


def _gradients(X, targets, s, network, layers):
    return propagate(network, X, layers, targets, s, want_cost=False)


def _curve(X, targets, s, network, layers, direction):
    product = curve if len(layers) > 1 else curve_of_output
    return product(network, X, layers, targets, s, direction)


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
