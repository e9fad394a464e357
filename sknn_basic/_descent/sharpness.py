"""The sharpness of the cost: the largest eigenvalue of its Hessian.

Descent bears rates below 2 over it. Unlike L, the bound of the logistic cost, it changes with the layers, so
it promises nothing beyond the first steps: descent often moves to where it is 2 / rate (Cohen et al., 2021).
"""

from math import isfinite, prod, sqrt

import numpy as np

from .arrays import largest, namespace
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
        self.ends = np.cumsum([prod(shape) for shape in self.shapes]).tolist()

    def largest_eigenvalue(self, max_products=MAX_PRODUCTS, tolerance=TOLERANCE):
        """Return it by Lanczos iterations; infinity if sums overflow."""
        diagonal, beside, before, step = [], [], None, 0.0
        direction = self._start()
        for _ in range(max_products):
            image = self._product(direction)
            diagonal.append(self._inner_product(image, direction))
            image = image - diagonal[-1] * direction
            if before is not None:
                image = image - step * before
            length = self._length(image)
            if not isfinite(length):
                return np.inf
            values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, -1))  # its lower triangle
            if length * abs(vectors[-1, -1]) <= tolerance * abs(values[-1]):
                break
            beside.append(length)
            before, direction, step = direction, image * (1 / length), length
        return float(values[-1])

    def curvature_of_steps(self, rate):
        """Return the largest curvature along the first steps: the gradients' change over the step."""
        highest, before, layers = 0.0, None, self.layers
        for _ in range(N_TRIED):
            _, gradients = self.rows.total(_gradients, self.network, layers)
            gradients = penalize(gradients, layers, self.l2)
            vector = _vector(gradients)
            if before is not None:
                change, length = vector - before, self._length(before)
                curvature = self._length(change) / length / rate if length > 0 else np.nan
                if not isfinite(curvature):
                    break
                highest = max(highest, curvature)
            before, layers = vector, update(layers, gradients, rate)
        return highest

    def _start(self):
        """Return a random direction; for a network 0 in W of the first layer: the same however X is held.

        For logistic regression b alone would not do: on centred X its products never reach W.
        """
        direction = np.zeros(self.ends[-1])
        begin = self.ends[0] if len(self.layers) > 1 else 0
        end = self.ends[-1] if self.network.fit_intercept else self.ends[0]
        direction[begin:end] = np.random.default_rng(0).standard_normal(end - begin)
        direction = self.samples.asarray(direction)
        return direction * (1 / self._length(direction))

    def _product(self, direction):
        xp, starts = namespace(direction), [0, *self.ends[:-1]]
        slices = map(slice, starts, self.ends)
        arrays = [xp.reshape(direction[part], shape) for part, shape in zip(slices, self.shapes, strict=True)]
        direction = list(zip(arrays[::2], arrays[1::2], strict=True))
        images = self.rows.total(_curve, self.network, self.layers, direction)
        if self.l2:
            images = penalize(images, direction, self.l2)
        if not self.network.fit_intercept:
            images = [(RW, xp.zeros_like(Rb)) for RW, Rb in images]
        return _vector(images)

    def _inner_product(self, p, q):
        """Return the sum of the products of all weights and biases, as a float."""
        n, xp = self.ends[0], namespace(p)
        P, Q = xp.reshape(p[:n], self.shapes[0]), xp.reshape(q[:n], self.shapes[0])
        return float(self.samples.inner_product(P, Q)) + float(p[n:] @ q[n:])

    def _length(self, p):
        return sqrt(self._inner_product(p, p))


def _vector(layers):
    xp = namespace(layers[0][0])
    return xp.concat([xp.reshape(array, (-1,)) for layer in layers for array in layer])


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
    sizes = largest(W1), largest(W2)
    if not all(sizes):
        return None
    # So that no square underflows.
    P, Q = W1 / sizes[0], W2 / sizes[1]
    q = namespace(Q).reshape(Q, (-1,))
    squares = float(samples.inner_product(P, P)), float(namespace(q).vecdot(q, q))
    gains = (network.activation.gain * b.shape[-1] for b in (b1, b2))
    usual = [sqrt(gain / square) for gain, square in zip(gains, squares, strict=True)]
    if all(size >= u / 2 for size, u in zip(sizes, usual, strict=True)):
        return None
    layers = zip((P, Q), (b1, b2), sizes, usual, strict=True)
    return [(W * max(u, size), b) for W, b, size, u in layers]
