"""All weights of a classifier as one vector, the cost of many such vectors, and planes among them."""

from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from .._fitting.inputs import make_problem


class WeightSpace:
    """The vectors of weights and biases of a classifier, and their costs on samples.

    Parameters
    ----------
    classifier : LogisticRegressionGD or ShallowNNClassifier
        Not fitted; its parameters define the network and the penalty.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples.
    y : array-like of shape (n_samples,)
        The class of each sample.
    """

    def __init__(self, classifier, X, y):
        self.classifier = clone(classifier)
        self.problem = make_problem(self.classifier, X, y, n_steps=0)
        self.shapes = [(W.shape, b.shape) for W, b in self.problem.layers]
        self.has_biases = self.problem.network.fit_intercept
        self.l2 = float(classifier.l2_regularization)
        self.n_parameters = len(self.vector(self.problem.layers))
        self.stable_rate = self.problem.stable_rate(self.l2)

    def vector(self, layers):
        """Return the layers as a vector: W and b of each, without biases that are always 0."""
        arrays = [array for W, b in layers for array in ((W, b) if self.has_biases else (W,))]
        return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)

    def layers(self, vectors):
        """Return a stack of layers from vectors (n_vectors, n_parameters)."""
        n, start, layers = len(vectors), 0, []
        dtype = self.problem.samples.dtype
        for (n_in, n_out), _ in self.shapes:
            W = vectors[:, start : start + n_in * n_out].reshape(n, n_in, n_out)
            start += n_in * n_out
            b = np.zeros((n, 1, n_out))
            if self.has_biases:
                b = vectors[:, start : start + n_out].reshape(n, 1, n_out)
                start += n_out
            layers.append((W.astype(dtype), b.astype(dtype)))
        return layers

    def losses(self, vectors):
        """Return the cost J of each vector, with the penalty."""
        layers = self.layers(vectors)
        objective = self.problem.objective(np.full((len(vectors), 1, 1), self.l2), layers)
        with np.errstate(all="ignore"):
            J, _ = objective(layers, want_cost=True)
        return J

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
