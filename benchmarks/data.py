"""What is trained on: real images for the wide questions, random numbers where only the shape matters, points in the plane."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import scale

from sknn_basic import FlattenScaler, load_photo_patches, read_hdf5


class Data(NamedTuple):
    name: str
    X: np.ndarray  # rows, float64
    y: np.ndarray


def images():
    """Return 209 x 12,288 images: the notes' cats in the folder SKNN_BASIC_CATS, else the bundled patches."""
    return cats() if "SKNN_BASIC_CATS" in os.environ else patches()


def cats():
    folder = Path(os.environ["SKNN_BASIC_CATS"])
    dataset = read_hdf5(folder / "train_catvnoncat.h5", folder / "test_catvnoncat.h5")
    return _flattened("the notes' cats", dataset)


def patches():
    return _flattened("the bundled photo patches", load_photo_patches())


def _flattened(name, dataset):
    return Data(name, FlattenScaler().fit_transform(dataset.train_set_x), dataset.train_set_y)


def noise(m, n, dtype=np.float64, n_classes=2):
    """Return m random rows of n values, the classes of which overlap."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((m, n), dtype=dtype)
    if n_classes == 2:
        y = (X[:, 0] + rng.standard_normal(m, dtype=dtype) > 0).astype(np.int64)
    else:
        y = np.argmax(X[:, :n_classes] + rng.standard_normal((m, n_classes), dtype=dtype), axis=1)
    return Data(f"{m:,} x {n:,} {np.dtype(dtype).name}", X, y)


def xor():
    rng = np.random.RandomState(0)
    corners = rng.choice([-1, 1], (400, 2))
    return corners + 0.3 * rng.standard_normal((400, 2)), corners.prod(axis=1)


def spirals():
    """Return two arms of three quarters of a turn, standardised."""
    rng = np.random.RandomState(0)
    angle = 1.5 * np.pi * np.sqrt(rng.random_sample(200))
    arm = angle[:, np.newaxis] * np.column_stack([-np.cos(angle), np.sin(angle)])
    return scale(np.vstack([arm, -arm]) + 0.1 * rng.standard_normal((400, 2))), np.repeat([0, 1], 200)


def cost(layers, X, y):
    """The cost of float64 layers, by a formula of its own: what every peer must reach."""
    A = X.astype(np.float64)
    for W, b in layers[:-1]:
        A = np.tanh(A @ W + b)
    W, b = layers[-1]
    Z = A @ W + b
    if Z.shape[1] > 1:
        return np.mean(np.logaddexp.reduce(Z, axis=1) - Z[np.arange(len(y)), y])
    z = Z.ravel()
    return np.mean(np.logaddexp(0, np.where(y == 1, -z, z)))
