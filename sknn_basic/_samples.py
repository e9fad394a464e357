"""How the samples are held: the two products that `_network.py` takes of the data."""

from functools import cached_property

import numpy as np


class Samples:
    """The rows of a dense or CSR matrix X (m, n), multiplied as they are.

    Offers what the formulas ask of X, `samples @ W` and `samples.mT @ dZ`, and `sum_of_squares(W)`
    for the L2 penalty of the weights that these products meet.
    """

    def __init__(self, X):
        self.X = X
        self.shape = X.shape
        self.dtype = X.dtype

    def __matmul__(self, W):
        return self.X @ W

    @cached_property
    def mT(self):
        return Samples(self.X.T)

    def sum_of_squares(self, W):
        return np.sum(W * W, axis=(-2, -1))
