"""All weights of a classifier as one vector, and the cost of many such vectors."""

from math import prod

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array

from .._descent.threads import threads
from .._fitting.fitted_weights import arrays_of
from .._fitting.inputs import make_problem
from .estimators import unwrap


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

    def vectors(self, weights, display):
        """Return vectors or fitted models as checked vectors; `display` is the name for messages."""
        if isinstance(weights, (list, tuple)) and any(hasattr(model, "get_params") for model in weights):
            weights = [self.vector(unwrap(display, model)[1]._get_layers()) for model in weights]
        sizes, n = {np.size(vector) for vector in weights}, self.n_parameters
        if sizes != {n}:
            raise ValueError(
                f"The plane is one of {n} weights, but {sorted(sizes)} are given: pass a list of models of "
                f"the same size, or an array of shape (n_points, {n})."
            )
        return check_array(weights, dtype=np.float64, input_name="weights")

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
