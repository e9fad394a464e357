"""Small data, both classifiers and how to compare what they have learnt."""

from functools import partial

import numpy as np
import pytest

from longhand import distance
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.rows import slices
from sknn_basic._descent.stored import Block, Stored

ACTIVATIONS = [*FUNCTIONS]
BOTH = [
    LogisticRegressionGD(max_iter=300),
    ShallowNNClassifier(4, learning_rate=0.1, max_iter=300, random_state=3),
]
both = pytest.mark.parametrize("model", BOTH, ids=["logistic", "shallow"])


def blobs(n_classes=2, m=40, n=5, seed=0):
    rng = np.random.RandomState(seed)
    y = np.arange(m) % n_classes
    X = rng.standard_normal((m, n)) + y[:, np.newaxis] * np.linspace(-1, 1, n)
    return X, y


def images(n_classes=2, m=30, shape=(4, 5, 3), noise=200, step=20):
    rng = np.random.RandomState(0)
    y = np.arange(m) % n_classes
    return rng.randint(0, noise, (m, *shape)) + step * y.reshape(-1, *[1] * len(shape)), y


def stored(values, dtype=float, divisor=1.0, n_rows=7, **options):
    """values / divisor as samples that are read block by block."""
    blocks = [
        Block(rows, partial(values.__getitem__, rows), np.dtype(dtype), divisor)
        for rows in slices(len(values), n_rows)
    ]
    return Stored(values.shape, values.dtype, blocks, **options)


def weights_of(model):
    if hasattr(model, "coef_"):
        return [model.coef_, model.intercept_][: 1 + model.fit_intercept]
    return [*model.coefs_, *model.intercepts_]


def assert_same_model(model, other, tolerance):
    for a, b in zip(weights_of(model), weights_of(other), strict=True):
        assert distance(a, b) < tolerance
    assert distance([*model.loss_curve_, model.loss_], [*other.loss_curve_, other.loss_]) < tolerance
