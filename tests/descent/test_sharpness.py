"""learning_rate="auto" of a network is 1/sharpness: against the eigenvalues of a Hessian by differences."""

from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import MaxAbsScaler

from engines import blocks_of
from longhand import distance
from models import ACTIVATIONS, blobs, flat, step_of, stored
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV, descent_path
from sknn_basic._descent.network import curve, propagate
from sknn_basic._descent.problem import MAX_RATE, Problem
from sknn_basic._descent.sharpness import MAX_PRODUCTS, Hessian
from sknn_basic._fitting.inputs import make_problem

kinds = pytest.mark.parametrize("activation", ACTIVATIONS)
outputs = pytest.mark.parametrize("k", [1, 3])


def moved_by(layers, direction, step):
    return [(W + step * V, b + step * c) for (W, b), (V, c) in zip(layers, direction, strict=True)]


def differences(X, targets, s, layers, network, direction, step=1e-5):
    """The Hessian times a direction, by central differences of the gradients."""
    (_, ahead), (_, behind) = (
        propagate(network, X, moved_by(layers, direction, sign * step), targets, s) for sign in (1, -1)
    )
    return [(a - b) / (2 * step) for a, b in zip(flat(ahead), flat(behind), strict=True)]


def hessian(X, targets, s, layers, network, l2=0.0):
    """Column by column: the gradients' differences along each weight and bias."""
    shapes, columns = [array.shape for array in flat(layers)], []
    sizes = [int(np.prod(shape)) for shape in shapes]
    penalized = np.concatenate([np.full(size, i % 2 == 0) for i, size in enumerate(sizes)])
    for unit in np.eye(sum(sizes)):
        arrays = [
            a.reshape(shape) for a, shape in zip(np.split(unit, np.cumsum(sizes)[:-1]), shapes, strict=True)
        ]
        direction = list(zip(arrays[::2], arrays[1::2], strict=True))
        column = np.concatenate([a.ravel() for a in differences(X, targets, s, layers, network, direction)])
        columns.append(column + l2 * penalized * unit)
    return np.array(columns)


@kinds
@outputs
def test_curve_is_the_derivative_of_the_gradients(activation, k):
    X, targets, s, layers, network = step_of(activation, k)
    rng = np.random.RandomState(1)
    direction = [tuple(rng.standard_normal(a.shape) for a in layer) for layer in layers]
    found = flat(curve(network, X, layers, targets, s, direction))
    for a, b in zip(found, differences(X, targets, s, layers, network, direction), strict=True):
        assert distance(a, b) < 1e-7


def held(X, dtype):
    """X in each way that samples are held."""
    return {
        "plain": X.astype(dtype),
        "csr": sparse.csr_array(X.astype(dtype)),
        "stored": stored(X.astype(dtype), dtype),
        "gram": X.astype(dtype),
    }


@kinds
@outputs
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sharpness_is_the_largest_eigenvalue_however_x_is_held(activation, k, l2, dtype):
    """To 1 %, from 20 products at most; of all ways the same to rounding."""
    X, targets, s, layers, network = step_of(activation, k, m=12, n=90)
    expected = np.linalg.eigvalsh(hessian(X, targets, s, layers, network, l2))[-1]
    found, n_products, ordinary = {}, [], Hessian._product
    counting = patch.object(Hessian, "_product", lambda self, d: n_products.append(1) or ordinary(self, d))
    layers = [(W.astype(dtype), b.astype(dtype)) for W, b in layers]
    for name, samples in held(X, dtype).items():
        n_products.clear()
        n_steps = 10**6 if name == "gram" else 0
        problem = Problem(network, samples, targets.astype(dtype), s.astype(dtype), layers, n_steps)
        assert (problem.samples.gram is not None) == (name == "gram")
        with blocks_of(5 * 90 * 8), counting:
            operator = Hessian(network, problem.samples, problem.rows, problem.layers, l2)
            found[name] = operator.largest_eigenvalue()
        assert len(n_products) <= MAX_PRODUCTS
    assert found["plain"] == pytest.approx(expected, rel=0.01)
    for value in found.values():
        assert value == pytest.approx(found["plain"], rel=1e-9 if dtype == np.float64 else 1e-3)


@kinds
def test_auto_is_one_over_the_sharpness_at_the_start(activation):
    """Also of a warm start, at its weights; a number is a number."""
    X, y = blobs(3)
    model = ShallowNNClassifier(5, activation, max_iter=30, l2_regularization=0.01, random_state=0)
    for warm in (False, True):
        model.set_params(warm_start=warm)
        problem = make_problem(clone(model) if not warm else model, X, y, n_steps=0)
        columns = problem.targets, problem.s, problem.layers, problem.network
        largest = np.linalg.eigvalsh(hessian(X, *columns, 0.01))[-1]
        model.fit(X, y)
        assert model.learning_rate_ == pytest.approx(1 / largest, rel=0.01)
    assert clone(model).set_params(learning_rate=0.25).fit(X, y).learning_rate_ == 0.25


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_start_near_zero_takes_the_sharpness_of_larger_weights(activation):
    """The cost is flat at the notes' start, but not where it leads: the rate is that of the usual start."""
    X, y = make_circles(300, noise=0.05, factor=0.4, random_state=0)
    usual, notes = (
        ShallowNNClassifier(8, activation, init_scale=scale, max_iter=1, random_state=0).fit(X, y)
        for scale in ("auto", 0.01)
    )
    assert notes.learning_rate_ == pytest.approx(usual.learning_rate_, rel=0.2)
    assert notes.learning_rate_ < MAX_RATE


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@kinds
def test_auto_where_the_cost_is_flat_or_nothing_can_be_learnt(activation):
    """Zeros, a start that is certain of all samples, one sample a class: a finite rate and weights."""
    X, y = blobs()
    for data, scale in product([X, 0 * X, 1e6 * X, X[:2]], ["auto", 1e-9, 1e3]):
        model = ShallowNNClassifier(3, activation, init_scale=scale, max_iter=20, random_state=0)
        model.fit(data, y[: len(data)])
        assert 0 < model.learning_rate_ <= MAX_RATE
        assert all(
            np.isfinite(array).all() for array in flat(zip(model.coefs_, model.intercepts_, strict=True))
        )


def test_a_search_resolves_auto_for_each_fold_and_candidate():
    X, y = blobs(2, 60)
    grid = {"learning_rate": ["auto", 0.1], "l2_regularization": [0, 0.1], "hidden_layer_size": [2, 4]}
    model = ShallowNNClassifier(max_iter=30, random_state=0)
    search = VectorizedGridSearchCV(model, grid, cv=2).fit(X, y)
    best = clone(model).set_params(**search.best_params_).fit(X, y)
    assert search.best_estimator_.learning_rate_ == best.learning_rate_
    ordinary = GridSearchCV(model, grid, cv=2).fit(X, y)
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], ordinary.cv_results_[name])


def test_a_path_has_the_rate_of_its_fit():
    X, y = blobs()
    model = ShallowNNClassifier(3, max_iter=20, random_state=0)
    (last,) = descent_path(model, X, y, [20])
    assert last.learning_rate_ == model.fit(X, y).learning_rate_
    assert LogisticRegressionGD(0.3, 2).fit(X, y).learning_rate_ == 0.3


@kinds
def test_the_defaults_learn_raw_features(activation):
    """Of iris, at a rate of 1.2 tanh and ReLU end at the share of one class; at 1/sharpness tanh may, too."""
    X, y = load_iris(return_X_y=True)
    for seed in (0, 1):
        assert ShallowNNClassifier(activation=activation, random_state=seed).fit(X, y).score(X, y) >= 0.95


def curvatures_met(model, X, y, rate, n=10):
    """The change of the gradients along each of the first steps, relative to the step: in longhand."""
    path = descent_path(clone(model).set_params(learning_rate=rate, max_iter=n), X, y, range(n + 1))
    weights = [np.concatenate([a.ravel() for a in (*m.coefs_, *m.intercepts_)]) for m in path]
    steps = np.diff(weights, axis=0)  # -rate times the gradients
    return np.linalg.norm(np.diff(steps, axis=0), axis=1) / rate / np.linalg.norm(steps[:-1], axis=1)


@pytest.mark.parametrize("l2", [0.0, 0.2])
@pytest.mark.parametrize("is_wide", [False, True])
def test_a_rate_at_which_the_first_steps_are_unstable_is_reduced(l2, is_wide):
    """To 1 over the largest curvature on their way: of features of size 5 to 10, not of standardised ones."""
    X, y = load_iris(return_X_y=True)
    if is_wide:  # its Gram matrix, of which squares are not those of the weights
        X, y = np.hstack([X, np.zeros((150, 300))])[::2], y[::2]
    reduced = 0
    for scaled, seed in product((X, (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)), range(10)):
        model = ShallowNNClassifier(10, max_iter=200, l2_regularization=l2, random_state=seed)
        rate = clone(model).fit(scaled, y).learning_rate_
        problem = make_problem(clone(model), scaled, y, n_steps=200)
        first = problem.stable_rate(l2) / 2
        met = curvatures_met(model, scaled, y, first, 11).max()
        is_unstable = met * first > 2
        assert rate == pytest.approx(1 / met if is_unstable else first, rel=0.006)
        reduced += is_unstable
        assert not (is_unstable and scaled is not X)
    assert 0 < reduced < 10


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_auto_does_not_depend_on_how_small_the_start_is(dtype):
    """Also where squares of weights underflow; where they overflow, there is no RuntimeWarning."""
    X, y = blobs(2, 60, 3)
    X, tiny = X.astype(dtype), [1e-5, 1e-20, 1e-25] if dtype == np.float32 else [1e-5, 1e-100, 1e-165]
    model = ShallowNNClassifier(4, max_iter=2, random_state=0)
    rates = [clone(model).set_params(init_scale=scale).fit(X, y).learning_rate_ for scale in tiny]
    assert rates == pytest.approx([rates[0]] * 3, rel=1e-3)
    huge = {"init_scale": 1e25 if dtype == np.float32 else 1e160}
    with pytest.raises(ValueError, match="initial weights is not finite"):
        clone(model).set_params(activation="relu", **huge).fit(X, y)


def test_a_dead_network_is_told_which_rates_are_smaller():
    """Units that lost their gradient in the first steps learn at "auto"; who took it is not told to."""
    X, y = load_breast_cancer(return_X_y=True)
    X = MaxAbsScaler().fit_transform(X)
    model = ShallowNNClassifier(activation="relu", learning_rate=3, max_iter=1000, random_state=12)
    with pytest.warns(ConvergenceWarning, match='learnt nothing. Pass learning_rate="auto" or a .* below 3,'):
        dead = clone(model).fit(X, y)
    assert model.set_params(learning_rate="auto").fit(X, y).score(X, y) > 0.95 > dead.score(X, y)
    with pytest.warns(ConvergenceWarning, match="learnt nothing. Pass a learning_rate below 2, since"):
        ShallowNNClassifier(4, max_iter=300, random_state=0).fit(np.zeros((60, 3)), np.arange(60) % 2)


@kinds
@pytest.mark.parametrize("m", [40, 400])
def test_the_rate_has_three_digits_and_is_the_same_however_x_is_held(activation, m):
    """So that a descent is the same on any machine: where it is chaotic, the ninth digit decides."""
    X, y = blobs(2, m, 60)
    model = ShallowNNClassifier(4, activation, max_iter=200, random_state=0)
    kinds = np.asarray, sparse.csr_array, np.float32
    rates = {clone(model).fit(kind(X), y).learning_rate_ for kind in kinds}
    assert len(rates) == 1
    assert rates == {float(f"{rate:.3g}") for rate in rates}
