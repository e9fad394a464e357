"""Small data, both classifiers and how to compare what they have learnt."""

from functools import partial

import numpy as np
import pytest

from longhand import assert_close
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.activations import ACTIVATIONS as FUNCTIONS
from sknn_basic._descent.network import Network, init_layers
from sknn_basic._descent.outputs import logistic, softmax
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


def noisy(n_classes=2, n=2):
    """Samples of classes that overlap, so that the cost has a minimum."""
    X, y = blobs(n_classes, m=60, n=n)
    return X + np.random.RandomState(1).standard_normal(X.shape), y


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


def step_of(model, k=1, m=12, n=5, h=4, dtype=float, seed=0):
    """X, targets, shares, initial layers and network of "logistic" or an activation, with k outputs."""
    rng = np.random.RandomState(seed)
    labels = np.arange(m) % max(k, 2)
    X = rng.standard_normal((m, n)) + 0.3 * labels[:, np.newaxis]
    targets = 1 - 2 * labels.reshape(-1, 1) if k == 1 else np.eye(k)[labels]
    s = rng.random_sample((m, 1)) + 0.5
    layers = init_layers((n, k) if model == "logistic" else (n, h, k), dtype, rng, (0.3, 0.3))
    network = Network(FUNCTIONS.get(model), logistic if k == 1 else softmax)
    return X.astype(dtype), targets.astype(dtype), (s / s.sum()).astype(dtype), layers, network


def moved(layers, seed=1):
    """Layers near others, without a zero: such as a warm start begins with."""
    rng = np.random.RandomState(seed)
    return [
        tuple(a + (rng.standard_normal(a.shape) / np.sqrt(len(a))).astype(a.dtype) for a in layer)
        for layer in layers
    ]


def flat(layers):
    return [array for layer in layers for array in layer]


def weights_of(model):
    if hasattr(model, "coef_"):
        return [model.coef_, model.intercept_][: 1 + model.fit_intercept]
    return [*model.coefs_, *model.intercepts_]


def assert_same_model(model, other, tolerance):
    learnt = [[*weights_of(fitted), [*fitted.loss_curve_, fitted.loss_]] for fitted in (model, other)]
    assert_close(*learnt, tolerance)


def assert_same_bits(arrays, expected):
    for a, b in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
