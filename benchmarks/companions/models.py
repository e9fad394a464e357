"""Data and models for the checks, and estimators of scikit-learn that compute the same as ours."""

from contextlib import contextmanager

import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale

from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    load_photo_patches,
)

OWN_TYPES = [
    "sknn_basic._classifiers.LogisticRegressionGD",
    "sknn_basic._classifiers.ShallowNNClassifier",
    "sknn_basic._preprocessing.FlattenScaler",
]
L2 = 0.1  # with which the descent ends at the minimum, to rounding


def two_classes():
    """X (569, 30) and y of names, in a random order."""
    data = load_breast_cancer()
    order = np.random.RandomState(0).permutation(len(data.target))
    return scale(data.data)[order], data.target_names[data.target][order]


def three_classes():
    """X (150, 4) and y of names, in a random order."""
    data = load_iris()
    order = np.random.RandomState(0).permutation(len(data.target))
    return scale(data.data)[order], data.target_names[data.target][order]


def classifiers():
    """Both classifiers, unfitted."""
    return LogisticRegressionGD(max_iter=300), ShallowNNClassifier(5, max_iter=300, random_state=0)


def fitted():
    """(model, X, y) of both classifiers, on two classes and on three."""
    return [(model.fit(X, y), X, y) for X, y in (two_classes(), three_classes()) for model in classifiers()]


def searches():
    """For each classifier our search and scikit-learn's, of the same candidates."""
    grid = {"learning_rate": [0.01, 0.1], "max_iter": [20, 200]}
    kinds = VectorizedGridSearchCV, GridSearchCV
    return [[kind(model, grid, cv=3) for kind in kinds] for model in classifiers()]


def of_images():
    """A fitted pipeline of images, and the images of its test set."""
    data = load_photo_patches()
    pipeline = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=100))
    return pipeline.fit(data.train_set_x, data.train_set_y), data.test_set_x


def close(a, b, tolerance=0.0):
    """Require two arrays to be equal to a tolerance; return their largest difference."""
    difference = float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float))))
    assert difference <= tolerance, f"{difference:.1g} apart, {tolerance:g} expected"
    return difference


@contextmanager
def refused(error, *words):
    """Require an exception of this name whose message has these words."""
    message = "nothing was raised"
    try:
        yield
    except Exception as found:
        message = f"{type(found).__name__}: {found}"
    assert all(word in message for word in (error, *words)), message


class Newton(LogisticRegression):
    """scikit-learn's logistic regression with the cost of LogisticRegressionGD: C = 1 / (l2 * sum of weights)."""

    def __init__(self, l2_regularization=L2):
        super().__init__(solver="newton-cholesky", tol=1e-12)
        self.l2_regularization = l2_regularization

    def fit(self, X, y, sample_weight=None):
        total = len(y) if sample_weight is None else np.sum(sample_weight)
        self.C = 1 / (self.l2_regularization * total)
        return super().fit(X, y, sample_weight)


class FullBatch(MLPClassifier):
    """scikit-learn's network, taking the steps of ShallowNNClassifier from the same initial weights."""

    def __init__(self, max_iter=100, random_state=0):
        plain = {"momentum": 0, "nesterovs_momentum": False, "alpha": 0, "shuffle": False}
        super().__init__(
            5, "tanh", solver="sgd", learning_rate_init=1.2, tol=0, n_iter_no_change=10**9, **plain
        )
        self.max_iter, self.random_state = max_iter, random_state

    def fit(self, X, y, sample_weight=None):
        self.batch_size = len(y)
        return super().fit(X, y, sample_weight)

    def decision_function(self, X):
        """The log-odds of two classes; MLPClassifier has no such method."""
        log_no, log_yes = self.predict_log_proba(X).T
        return log_yes - log_no

    def _init_coef(self, fan_in, fan_out, dtype):
        W = self._random_state.standard_normal((fan_out, fan_in)).T / np.sqrt(fan_in)
        return np.ascontiguousarray(W, dtype), np.zeros(fan_out, dtype)


LOGISTIC = LogisticRegressionGD(l2_regularization=L2), Newton()
NETWORK = ShallowNNClassifier(5, max_iter=100, random_state=0), FullBatch()
