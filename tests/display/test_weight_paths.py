"""Paths of descents: what trains them, where they start, and which of their steps are on them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from longhand import logistic_descent
from models import noisy
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.weight_paths import Descent, low_vectors, steps_of_path
from sknn_basic._fitting.pipelines import last_step
from subclasses import foreign_pipelines


@pytest.mark.parametrize(
    ("transformer", "names"),
    [
        (None, "abcd"),
        (StandardScaler(), "abcd"),
        (PCA(), [f"pca{j}" for j in range(4)]),
        (FunctionTransformer(np.tanh), [f"feature {j}" for j in range(4)]),
        ("passthrough", "abcd"),
    ],
)
def test_features_and_names_are_those_after_the_transformers(transformer, names):
    X, y = noisy(n=4)
    X = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    model = LogisticRegressionGD(0.5, max_iter=30)
    T = X.to_numpy()
    if transformer is not None:
        model = make_pipeline(transformer, model)
        T = T if transformer == "passthrough" else np.asarray(transformer.fit_transform(X))
    descent = Descent(model, X, y)
    assert descent.names == [*names]
    w, b, _ = logistic_descent(T.T, y, 0.5, 30)
    np.testing.assert_allclose(descent.path(0.5).vectors[-1], [*w.ravel(), b], atol=1e-12)


@pytest.mark.parametrize("index", range(3))
def test_pipelines_of_other_packages(index):
    """The cost is that of the samples that reach the classifier, which a sampler has repeated."""
    X, y = noisy()
    X = pd.DataFrame(X * 3 + 10, columns=["length", "width"])
    model = foreign_pipelines(LogisticRegressionGD(0.5, max_iter=30))[index]
    descent = Descent(model, X, y)
    assert descent.names == ["length", "width"]
    path = descent.path(0.5)
    classifier = last_step(model.fit(X, y))
    np.testing.assert_allclose(path.vectors[-1, :2], classifier.coef_[0], atol=1e-12)
    assert descent.space.losses(path.vectors[-1:]) == pytest.approx([classifier.loss_], rel=1e-12)


def test_a_network_without_a_seed_starts_each_path_at_the_same_weights():
    model = ShallowNNClassifier(3, max_iter=5)
    descent = Descent(model, *noisy())
    slow, fast = (descent.path(rate) for rate in (0.1, 1.2))
    np.testing.assert_array_equal(slow.vectors[0], fast.vectors[0])
    assert model.random_state is None


@pytest.mark.parametrize("max_iter", [60, 2000])
def test_each_step_is_on_a_path(max_iter):
    X, y = noisy(n=3)
    path = Descent(LogisticRegressionGD(max_iter=max_iter), X, y).path("auto")
    np.testing.assert_array_equal(path.steps, range(max_iter + 1))
    assert len(path.vectors) == max_iter + 1
    for step in (0, 7, max_iter - 1, max_iter):
        w, b, _ = logistic_descent(X.T, y, path.rate, step)
        np.testing.assert_allclose(path.vectors[step], [*w.ravel(), b], atol=1e-10)


@pytest.mark.parametrize(
    ("end", "n_parameters"), [(5000, 40), (2000, 12_289), (1001, 10**7), (100, 10**7), (10**6, 3)]
)
def test_paths_of_large_models_leave_out_steps(end, n_parameters):
    """None of the first 100, and not only odd ones or even ones: a period of 2 shows as such."""
    steps = steps_of_path(end, n_parameters)
    assert (steps[0], steps[-1]) == (0, end)
    assert len(steps) * 8 * n_parameters < 2**26 or len(steps) <= 202
    np.testing.assert_array_equal(steps[:100], range(100))
    gaps = np.diff(steps[100:])[:-1]
    assert (gaps % 2 == 1).all()
    assert len({*gaps}) < 2
    assert len(steps) == end + 1 or n_parameters * end > 10**6


def test_what_a_large_rate_throws_far_is_not_low():
    """The lowest vector is the end of the path that ends lowest; no cost is above 4 times the first."""
    descent = Descent(LogisticRegressionGD(max_iter=50), *noisy())
    with pytest.warns(ConvergenceWarning, match="did not lower the cost"):
        paths = [descent.path(rate) for rate in (0.5, 1e4)]
    lowest, low = low_vectors(paths)
    np.testing.assert_array_equal(lowest, paths[0].vectors[-1])
    assert 51 < len(low) < 102
    assert descent.space.losses(low).max() <= 4 * np.log(2)  # the cost of the weights 0
