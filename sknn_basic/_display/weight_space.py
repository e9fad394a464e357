"""All weights of a classifier as one vector, the cost of many such vectors, and planes among them."""

from math import prod
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from .._descent.threads import threads
from .._fitting.fitted_weights import arrays_of
from .._fitting.inputs import make_problem


class WeightSpace:
    """The vectors of weights and biases of a classifier, and their costs on the samples X with classes y.

    The classifier need not be fitted: its parameters define the network and the penalty.
    """

    def __init__(self, classifier, X, y):
        self.problem = make_problem(clone(classifier), X, y, n_steps=0)
        self.has_biases = self.problem.network.fit_intercept
        self.l2 = float(classifier.l2_regularization)
        self.shapes = [array.shape for array in arrays_of(self.problem.network, self.problem.layers)]
        self.n_parameters = sum(map(prod, self.shapes))
        self.stable_rate = self.problem.stable_rate(self.l2)

    def vector(self, layers):
        """Return the layers as a vector, in the order of `weights_to_vector`."""
        arrays = arrays_of(self.problem.network, layers)
        return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)

    def layers(self, vectors):
        """Return a stack of layers from vectors (n_vectors, n_parameters)."""
        ends, dtype = np.cumsum([prod(shape) for shape in self.shapes])[:-1], self.problem.samples.dtype
        parts = zip(np.split(vectors, ends, axis=1), self.shapes, strict=True)
        arrays = [part.reshape(-1, *shape).astype(dtype) for part, shape in parts]
        if self.has_biases:
            return list(zip(arrays[::2], arrays[1::2], strict=True))
        return [(W, np.zeros_like(W[:, :1])) for W in arrays]

    @threads.shared_out()
    def losses(self, vectors):
        """Return the cost J of each vector, with the penalty."""
        layers = self.layers(vectors)
        objective = self.problem.objective(np.full((len(vectors), 1, 1), self.l2), layers)
        with np.errstate(all="ignore"):
            J, _ = objective(layers, want_cost=True)
        return J

    @threads.shared_out()
    def learning_rate(self, rate):
        """Return a learning rate as a number, of "auto" too."""
        return self.problem.learning_rate(rate, self.l2)


class WeightPlane(NamedTuple):
    """A plane of weight vectors, origin + a directions[0] + b directions[1], and the names of its axes."""

    origin: np.ndarray  # (n_parameters,)
    directions: np.ndarray  # (2, n_parameters), orthonormal
    names: tuple

    def project(self, vectors):
        """Return the coordinates a, b of the points of the plane that are closest to vectors, (n, 2)."""
        return (vectors - self.origin) @ self.directions.T

    def points(self, a, b):
        """Return the vectors of coordinates a (n,) and b (n,) or a number, (n, n_parameters)."""
        return self.origin + np.outer(a, self.directions[0]) + np.multiply.outer(b, self.directions[1])


def axis_plane(vector, axes, names):
    """Return the plane through a vector in which two of its numbers vary; they are the coordinates."""
    directions = np.eye(len(vector))[list(axes)]
    return WeightPlane(np.where(directions.any(axis=0), 0, vector), directions, names)


def principal_plane(vectors, centre):
    """Return the plane through the centre along which the vectors vary most about it.

    The names tell the share of the variance that lies along each axis.
    """
    _, sizes, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    shares = sizes[:2] ** 2 / (np.sum(sizes**2) or 1)
    names = [f"direction {i}: {share:.1%} of the variance" for i, share in enumerate(shares, start=1)]
    return WeightPlane(centre, directions[:2], tuple(names))
