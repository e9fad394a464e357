"""Law 3: however the samples are held, the descent is the same."""

from unittest.mock import patch

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from engines import blocks_of, numpy_alone  # noqa: F401  a fixture
from longhand import distance, logistic_descent
from models import assert_same_model, stored, weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent import gram as gram_module
from sknn_basic._descent import problem as problem_module
from sknn_basic._descent import samples as samples_module
from sknn_basic._descent.activations import ACTIVATIONS
from sknn_basic._descent.gram import GramSamples, StoredGram
from sknn_basic._descent.network import Network, init_layers, update
from sknn_basic._descent.objective import Objective
from sknn_basic._descent.outputs import logistic, softmax
from sknn_basic._descent.samples import BaseSamples, Samples
from sknn_basic._descent.stacking import repeat
from sknn_basic._descent.stored import StoredSamples

MODELS = ["logistic", *ACTIVATIONS]
HELD = ["plain", "blocks", "gram", "csr", "csr blocks", "stored", "stored gram"]


def problem(model, k, m=80, n=130, seed=0):
    """X, Y, s, first layers and the activation of one model; labels that can be learnt."""
    rng = np.random.RandomState(seed)
    labels = np.arange(m) % max(k, 2)
    X = rng.standard_normal((m, n)) + 0.3 * labels[:, np.newaxis]
    Y = 1.0 - 2 * labels.reshape(-1, 1) if k == 1 else np.eye(k)[labels]
    s = rng.random_sample((m, 1)) + 0.5
    sizes = (n, k) if model == "logistic" else (n, 4, k)
    layers = init_layers(sizes, float, rng, [0.3, 0.3])
    return X, Y, s / s.sum(), layers, Network(ACTIVATIONS.get(model), logistic if k == 1 else softmax)


def held(how, X, layers):
    W = layers[0][0]
    if how == "gram":
        return GramSamples(X, W if W.any() else None)
    if how == "stored":
        return StoredSamples(stored(X, X.dtype, n_rows=27))
    if how == "stored gram":
        with patch.multiple(gram_module, LARGE_BLOCK_BYTES=30 * X[0].nbytes, COLUMN_BYTES=10_000):
            return StoredGram(stored(X, X.dtype, n_rows=27), W if W.any() else None)
    return Samples(sparse.csr_array(X) if "csr" in how else X)


def steps(how, X, Y, s, layers, network, rate, l2, n_steps):
    """The weights after n_steps, by the samples held in one of the ways."""
    samples = held(how, X, layers)
    objective = objective_of(how, samples, Y, s, network, l2, layers)
    (W, b), *deeper = layers
    layers = [(samples.parameters_of(W), b), *deeper]
    costs = []
    for _ in range(n_steps):
        cost, gradients = objective(layers, want_cost=True)
        costs.append(cost)
        layers = update(layers, gradients, rate)
    (W, b), *deeper = layers
    assert objective.are_finite(layers)
    return [samples.weights_of(W), b, *(array for layer in deeper for array in layer), np.array(costs)]


def objective_of(how, samples, Y, s, network, l2, layers):
    """With blocks of about 32 rows, which is their least for 4 hidden units, or of all rows."""
    some_rows = 32 * samples.shape[1] * samples.dtype.itemsize
    with blocks_of(some_rows if "blocks" in how else 2**22):
        objective = Objective(network, samples, Y, s, l2, layers)
    assert (objective.rows.only_block() is None) == ("blocks" in how or how == "stored")
    return objective


def assert_equal(some, others, tolerance):
    for a, b in zip(some, others, strict=True):
        assert distance(a, b) < tolerance


@pytest.mark.parametrize("how", HELD[1:])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_one_step_is_the_same(how, model, k, l2):
    """One step from a random state, and its cost: 1e-12."""
    X, Y, s, layers, network = problem(model, k)
    rng = np.random.RandomState(1)  # a warm start: biases and logistic weights are not zero either
    layers = [(W + rng.standard_normal(W.shape), b + rng.standard_normal(b.shape)) for W, b in layers]
    plain = steps("plain", X, Y, s, layers, network, 0.1, l2, 1)
    assert_equal(steps(how, X, Y, s, layers, network, 0.1, l2, 1), plain, 1e-12)


@pytest.mark.parametrize("how", HELD[1:])
@pytest.mark.parametrize(("k", "l2"), [(1, 0.2), (3, 0.0)])
def test_a_logistic_trajectory_is_the_same(how, k, l2):
    """2,000 steps at the rate 1/L: weights and all costs, 1e-10."""
    X, Y, s, layers, network = problem("logistic", k, n=90)
    X = X + 3
    extended = np.hstack([X, np.ones((len(X), 1))]) * np.sqrt(s)
    rate = 1 / (np.linalg.norm(extended, 2) ** 2 / (4 if k == 1 else 2) + l2)
    plain = steps("plain", X, Y, s, layers, network, rate, l2, 2000)
    assert_equal(steps(how, X, Y, s, layers, network, rate, l2, 2000), plain, 1e-10)


@pytest.mark.parametrize("how", HELD[1:])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("k", [1, 3])
def test_a_network_trajectory_is_the_same(how, activation, k):
    """50 steps of a network whose cost falls: 1e-10."""
    X, Y, s, layers, network = problem(activation, k)
    plain = steps("plain", X, Y, s, layers, network, 0.02, 0.01, 50)
    assert np.all(np.diff(plain[-1]) < 0)
    assert_equal(steps(how, X, Y, s, layers, network, 0.02, 0.01, 50), plain, 1e-10)


@pytest.mark.parametrize("how", HELD)
@pytest.mark.parametrize("model", ["logistic", "tanh"])
@pytest.mark.parametrize("k", [1, 3])
def test_a_stack_is_its_members(how, model, k):
    """Rates and penalties as a stack over the same samples: each as alone, 1e-12."""
    X, Y, s, layers, network = problem(model, k)
    rates, l2s = [0.001, 0.01, 0.05], [0.0, 0.1, 0.5]
    samples = held(how, X, layers)
    (W, b), *deeper = layers
    layers_held = [(samples.parameters_of(W), b), *deeper]
    stacked = repeat(layers_held, 3)
    objective = objective_of(how, samples, Y, s, network, np.reshape(l2s, (3, 1, 1)), layers)
    for _ in range(3):
        costs, gradients = objective(stacked, want_cost=True)
        stacked = update(stacked, gradients, np.reshape(rates, (3, 1, 1)))
    for i, (rate, l2) in enumerate(zip(rates, l2s, strict=True)):
        alone = steps(how, X, Y, s, layers, network, rate, l2, 3)
        W_stack = samples.weights_of(stacked[0][0][i])
        assert distance(W_stack, alone[0]) < 1e-12
        assert abs(costs[i] - alone[-1][-1]) < 1e-12 * alone[-1][-1]


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
    X, Y, s, _, _ = problem("logistic", 1)
    X = HARD[hard](X).astype(dtype)
    y, m = (1 - Y.ravel()) / 2, len(X)
    s = np.full_like(s, 1 / m)
    extended = np.hstack([X.astype(float), np.ones((m, 1))])
    rate = float(4 * m / np.linalg.norm(extended, 2) ** 2)
    longdouble = X.T.astype(np.longdouble), y.astype(np.longdouble)
    exact, _, _ = logistic_descent(*longdouble, np.longdouble(rate), 200)
    layers = init_layers((X.shape[1], 1), dtype)
    error = {}
    for how in HELD:
        dtype_held = np.float64 if "gram" in how else dtype
        arrays = Y.astype(dtype_held), s.astype(dtype_held)
        W = steps(how, X, *arrays, layers, Network(None, logistic), rate, 0.0, 200)[0]
        error[how] = float(np.max(np.abs(W.astype(dtype) - exact)) / np.max(np.abs(exact)))
    if dtype == np.float64:
        assert max(error.values()) < 1e-10, error
    else:
        assert max(error.values()) <= max(3 * error["plain"], np.finfo(dtype).eps), error


def force(monkeypatch, form):
    monkeypatch.setattr(problem_module, "choose_samples", lambda X, W, n_steps, gram: form(X, W))


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegressionGD(max_iter=150, record_every=10),
        LogisticRegressionGD(0.001, 150, l2_regularization=0.3, class_weight="balanced", warm_start=True),
        ShallowNNClassifier(3, learning_rate=0.02, max_iter=40, random_state=0, init_scale=0.3),
        ShallowNNClassifier(
            3, "leaky_relu", learning_rate=0.01, max_iter=20, random_state=0, l2_regularization=0.1,
            init_scale=0.3, warm_start=True,
        ),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_classifiers_do_not_show_how_samples_are_held(model, n_classes, dtype, monkeypatch):
    """Weights, curves, rates and answers agree; also after a warm start, with weights and L2."""
    rng = np.random.RandomState(3)
    y = np.arange(24) % n_classes
    X = (rng.standard_normal((24, 120)) + y[:, np.newaxis]).astype(dtype)
    weights = rng.randint(0, 4, 24)
    fitted = []
    for form in (lambda X, W: Samples(X), lambda X, W: GramSamples(X, W if W.any() else None)):
        force(monkeypatch, form)
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
    X, Y, s, layers, network = problem("tanh", 1)
    objectives = [Objective(network, samples, Y, s, 0.1, layers) for samples in (Mine(X), Samples(X))]
    (J, mine), (expected_J, expected) = (objective(layers, want_cost=True) for objective in objectives)
    assert abs(J - expected_J) < 1e-12 * expected_J
    for a, b in zip(mine, expected, strict=True):
        assert_equal(a, b, 1e-12)
    assert all(objective.are_finite(layers) for objective in objectives)


@pytest.mark.parametrize("format_", ["csr_array", "csr_matrix"])
def test_blocks_of_csr_share_its_memory(format_):
    """A block is a view: neither values nor indices are copied, and all rows are covered once."""
    dense = np.random.RandomState(0).standard_normal((1000, 50))
    X = getattr(sparse, format_)(np.where(dense > 1, dense, 0))
    blocks = Samples(X).blocks(200)
    assert len(blocks) == 1
    rows = [slice(0, 300), slice(300, 301), slice(301, 1000)]
    for row in rows:
        block = samples_module._rows_of(X, row)
        assert np.shares_memory(block.data, X.data)
        assert np.shares_memory(block.indices, X.indices)
        np.testing.assert_array_equal(block.toarray(), X.toarray()[row])


@pytest.mark.parametrize("m", [1, 7, 199, 200, 201, 5000])
def test_blocks_cover_all_rows_once(m):
    X = np.arange(3.0 * m).reshape(m, 3)
    with blocks_of(100 * 3 * 8):
        blocks = Samples(X).blocks(0)
    assert len(blocks) == (1 if m <= 200 else -(-m // 100))
    np.testing.assert_array_equal(np.concatenate([block.X for _, block in blocks]), X)
    np.testing.assert_array_equal(np.concatenate([X[rows] for rows, _ in blocks]), X)
    assert all(np.shares_memory(block.X, X) for _, block in blocks)


@pytest.mark.parametrize(
    ("width", "container", "n_blocks"), [(1, np.asarray, 1), (2, np.asarray, 10), (1, sparse.csr_array, 10)]
)
def test_a_dense_matrix_is_one_block_for_one_column(width, container, n_blocks, monkeypatch):
    """Unless what is computed of it would not be small."""
    X = container(np.ones((1000, 50)))
    row = 50 * 8 if container is np.asarray else 50 * 8 + 40 * width
    monkeypatch.setattr(samples_module, "BLOCK_BYTES", 100 * (row + 40 * width))
    assert len(Samples(X).blocks(width)) == n_blocks
    monkeypatch.setattr(samples_module, "BLOCK_BYTES", 20 * (row + 40 * width))
    assert len(Samples(X).blocks(width)) > 10
