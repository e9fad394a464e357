"""Law 3: however the samples are held, the descent is the same."""

from unittest.mock import patch

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from engines import blocks_of, numpy_alone  # noqa: F401  a fixture
from longhand import assert_close, logistic_descent
from models import ACTIVATIONS, assert_same_model, flat, moved, step_of, stored, weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent import gram as gram_module
from sknn_basic._descent import problem as problem_module
from sknn_basic._descent import samples as samples_module
from sknn_basic._descent.gram import GramSamples, StoredGram
from sknn_basic._descent.network import init_layers, update
from sknn_basic._descent.objective import Objective
from sknn_basic._descent.rows import N_GROUPS
from sknn_basic._descent.samples import BaseSamples, Samples
from sknn_basic._descent.stacking import repeat
from sknn_basic._descent.stored import StoredSamples

HELD = ["plain", "blocks", "gram", "csr", "csr blocks", "stored", "stored gram"]
WIDE = {"m": 80, "n": 130}


def held(how, X, Y, s, layers, network, l2):
    """Samples held in one of the ways, the objective and its parameters; blocks have some 30 rows."""
    (W, b), *deeper = layers
    start, rows = W if W.any() else None, stored(X, X.dtype, n_rows=27)
    with (
        patch.multiple(gram_module, LARGE_BLOCK_BYTES=30 * X[0].nbytes, COLUMN_BYTES=10_000),
        blocks_of(32 * X[0].nbytes if "blocks" in how else 2**22),
    ):
        samples = {
            "gram": lambda: GramSamples(X, start),
            "stored": lambda: StoredSamples(rows),
            "stored gram": lambda: StoredGram(rows, start),
        }.get(how, lambda: Samples(sparse.csr_array(X) if "csr" in how else X))()
        parameters = [(samples.parameters_of(W), b), *deeper]
        objective = Objective(network, samples, Y, s, l2, parameters)
    assert (objective.rows.only_block() is None) == ("blocks" in how or how == "stored")
    return samples, objective, parameters


def steps(how, X, Y, s, layers, network, rate, l2, n_steps):
    """The weights after n_steps, and the costs before each."""
    samples, objective, parameters = held(how, X, Y, s, layers, network, l2)
    costs = []
    for _ in range(n_steps):
        cost, gradients = objective(parameters, want_cost=True)
        costs.append(cost)
        parameters = update(parameters, gradients, rate)
    assert objective.are_finite(parameters)
    (P, b), *deeper = parameters
    return [samples.weights_of(P), b, *flat(deeper), np.array(costs)]


@pytest.mark.parametrize("how", HELD[1:])
@pytest.mark.parametrize("model", ["logistic", *ACTIVATIONS])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_one_step_is_the_same(how, model, k, l2):
    """One step from a random state, and its cost: 1e-12."""
    X, Y, s, layers, network = step_of(model, k, **WIDE)
    plain, other = (steps(way, X, Y, s, moved(layers), network, 0.1, l2, 1) for way in ("plain", how))
    assert_close(other, plain, 1e-12)


@pytest.mark.parametrize("how", HELD[1:])
def test_a_logistic_trajectory_is_the_same(how):
    """2,000 steps at the rate 1/L: weights and all costs, 1e-10."""
    X, Y, s, layers, network = step_of("logistic", m=80, n=90)
    X = X + 3
    rate = 1 / (np.linalg.norm(np.hstack([X, np.ones((80, 1))]) * np.sqrt(s), 2) ** 2 / 4 + 0.2)
    plain, other = (steps(way, X, Y, s, layers, network, rate, 0.2, 2000) for way in ("plain", how))
    assert_close(other, plain, 1e-10)


@pytest.mark.parametrize("how", HELD[1:])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("k", [1, 3])
def test_a_network_trajectory_is_the_same(how, activation, k):
    """50 steps of a network whose cost falls: 1e-10."""
    problem = step_of(activation, k, **WIDE)
    plain, other = (steps(way, *problem, 0.02, 0.01, 50) for way in ("plain", how))
    assert np.all(np.diff(plain[-1]) < 0)
    assert_close(other, plain, 1e-10)


@pytest.mark.parametrize("how", HELD)
@pytest.mark.parametrize("model", ["logistic", "tanh"])
@pytest.mark.parametrize("k", [1, 3])
def test_a_stack_is_its_members(how, model, k):
    """Rates and penalties as a stack over the same samples: each as alone, 1e-12."""
    problem = step_of(model, k, **WIDE)
    rates, l2s = np.reshape([0.001, 0.01, 0.05], (3, 1, 1)), np.reshape([0.0, 0.1, 0.5], (3, 1, 1))
    samples, objective, parameters = held(how, *problem, l2s)
    stacked = repeat(parameters, 3)
    for _ in range(3):
        costs, gradients = objective(stacked, want_cost=True)
        stacked = update(stacked, gradients, rates)
    for i in range(3):
        alone = steps(how, *problem, rates[i].item(), l2s[i].item(), 3)
        assert_close([samples.weights_of(stacked[0][0][i]), costs[i]], [alone[0], alone[-1][-1]], 1e-12)


HARD = {
    "offset of 1000": lambda X: X + 1000,
    "column scales": lambda X: X * np.logspace(-6, 6, X.shape[1]),
    "duplicate rows": lambda X: np.vstack([X[:40], X[:40]]),
    "rank one": lambda X: X[:, :1] * X[:1],
    "pixels": lambda X: np.clip(np.round(X * 60 + 128), 0, 255),
}


@pytest.mark.parametrize("hard", HARD)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_hard_data_stays_close_to_longdouble(hard, dtype):
    """float64: within 1e-10 of the notes' loop in long double. float32: no way 3 times worse than plain."""
    X, Y, s, _, network = step_of("logistic", **WIDE)
    X, m = HARD[hard](X).astype(dtype), len(X)
    rate = float(4 * m / np.linalg.norm(np.hstack([X.astype(float), np.ones((m, 1))]), 2) ** 2)
    y = (1 - Y.ravel().astype(np.longdouble)) / 2
    exact, _, _ = logistic_descent(X.T.astype(np.longdouble), y, np.longdouble(rate), 100)
    layers, error = init_layers((X.shape[1], 1), dtype), {}
    for how in HELD:
        of_steps = np.float64 if "gram" in how else dtype
        Y, s = Y.astype(of_steps), np.full((m, 1), 1 / m, of_steps)
        W = steps(how, X, Y, s, layers, network, rate, 0.0, 100)[0].astype(dtype)
        error[how] = float(np.max(np.abs(W - exact)) / np.max(np.abs(exact)))
    if dtype == np.float64:
        assert max(error.values()) < 1e-10, error
    else:
        assert max(error.values()) <= max(3 * error["plain"], np.finfo(dtype).eps), error


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegressionGD(max_iter=150, record_every=10),
        LogisticRegressionGD(0.001, 150, l2_regularization=0.3, class_weight="balanced", warm_start=True),
        ShallowNNClassifier(3, learning_rate=0.01, max_iter=20, random_state=0, l2_regularization=0.1),
    ],
    ids=repr,
)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_classifiers_do_not_show_how_samples_are_held(model, n_classes, dtype, monkeypatch):
    """Weights, curves, rates and answers agree; also after a warm start, with weights and L2."""
    rng = np.random.RandomState(3)
    y = np.arange(24) % n_classes
    X = (rng.standard_normal((24, 120)) + y[:, np.newaxis]).astype(dtype)
    weights, fitted = rng.randint(0, 4, 24), []
    for form in (lambda X, W, *_: Samples(X), lambda X, W, *_: GramSamples(X, W if W.any() else None)):
        monkeypatch.setattr(problem_module, "choose_samples", form)
        fitted.append(clone(model).fit(X, y, weights).fit(X, y, weights))
    tolerance = 1e-10 if dtype == np.float64 else 2e-5
    assert_same_model(*fitted, tolerance)
    assert {array.dtype for model in fitted for array in weights_of(model)} == {np.dtype(dtype)}
    rates = [getattr(model, "learning_rate_", 0.0) for model in fitted]
    assert rates[0] == pytest.approx(rates[1], rel=tolerance)
    np.testing.assert_array_equal(*(model.predict(X) for model in fitted))


@pytest.mark.parametrize("missing", ["__matmul__", "transposed_product"])
def test_who_forgets_a_method_is_told_when_the_object_is_made(missing):
    """All else has a default, that of a matrix in memory."""
    methods = {
        "__matmul__": lambda self, W: self.X @ W,
        "transposed_product": lambda self, dZ: self.X.T @ dZ,
    }
    Mine = type("Mine", (BaseSamples,), methods)
    del methods[missing]
    with pytest.raises(TypeError, match=f"abstract.*{missing}"):
        type("Incomplete", (BaseSamples,), methods)(np.eye(3))
    X, Y, s, layers, network = step_of("tanh")
    objectives = [Objective(network, samples, Y, s, 0.1, layers) for samples in (Mine(X), Samples(X))]
    (J, mine), (expected_J, expected) = (objective(layers, want_cost=True) for objective in objectives)
    assert_close([J, *flat(mine)], [expected_J, *flat(expected)], 1e-12)
    assert all(objective.are_finite(layers) for objective in objectives)


@pytest.mark.parametrize("format_", ["csr_array", "csr_matrix"])
def test_blocks_of_csr_share_its_memory(format_):
    """A block is a view, and so is its transpose: neither values nor indices are copied."""
    dense = np.random.RandomState(0).standard_normal((1000, 50))
    X = getattr(sparse, format_)(np.where(dense > 1, dense, 0))
    assert len(Samples(X).blocks(200)) == 1
    for rows in (slice(0, 300), slice(300, 301), slice(301, 1000)):
        block = samples_module._rows_of(X, rows)
        assert np.shares_memory(block.data, X.data)
        assert np.shares_memory(block.indices, X.indices)
        np.testing.assert_array_equal(block.toarray(), X.toarray()[rows])
        transposed = Samples(block).mT.X
        assert np.shares_memory(transposed.data, X.data)
        np.testing.assert_array_equal(transposed.toarray(), block.toarray().T)


@pytest.mark.parametrize("m", [1, 7, 100, 101, 199, 5000])
def test_blocks_cover_all_rows_once(m):
    X = np.arange(3.0 * m).reshape(m, 3)
    with blocks_of(100 * 3 * 8):
        blocks = Samples(X).blocks(0)
    assert len(blocks) == -(-m // 100)
    np.testing.assert_array_equal(np.concatenate([block.X for _, block in blocks]), X)
    np.testing.assert_array_equal(np.concatenate([X[rows] for rows, _ in blocks]), X)
    assert all(np.shares_memory(block.X, X) for _, block in blocks)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("width", [1, 2, 30])
def test_the_number_of_blocks_grows_with_the_work(container, width):
    """From one, for work that is not worth a thread, to one for each group, and then as large as a cache."""
    numbers = [len(Samples(container(np.ones((m, 50)))).blocks(width)) for m in (30, 3000, 4 * 10**5)]
    assert numbers[0] == 1
    assert numbers == sorted(numbers)
    assert numbers[-1] >= N_GROUPS
