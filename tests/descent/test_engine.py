"""Which engine takes the steps, and that a fit is the same by either."""

import threading
from pickle import UnpicklingError
from unittest.mock import Mock, patch

import numpy as np
import pytest
from sklearn.base import clone

from engines import ENGINES, engine_of
from longhand import assert_close
from models import ACTIVATIONS, BOTH, assert_same_model, blobs, both, flat, step_of
from sknn_basic import VectorizedGridSearchCV, propagate
from sknn_basic._descent import engine
from sknn_basic._descent.engine import (
    CompiledLogistic,
    CompiledSoftmax,
    Formulas,
    choose_engine,
)
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.network import update
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stacking import member, repeat
from sknn_basic._fitting import messages
from sknn_basic._fitting.inputs import make_problem
from watchers import TALL, WIDE, assert_identical

pytest.importorskip("numba")
classes = pytest.mark.parametrize("n_classes", [2, 3])
MODELS = [*BOTH, *(clone(BOTH[1]).set_params(activation=name) for name in ACTIVATIONS if name != "tanh")]


@pytest.mark.parametrize("model", MODELS, ids=["logistic", *sorted(ACTIVATIONS, key=lambda a: a != "tanh")])
@classes
@pytest.mark.parametrize("shape", [TALL, WIDE, (3000, 2)])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_both_engines_fit_the_same_model(model, n_classes, shape, l2):
    """Law 8: 1e-10 after 50 steps, with weights of samples and a record that does not divide them."""
    X, y = blobs(n_classes, *shape)
    share, models = np.random.RandomState(0).random_sample(len(X)), []
    model = clone(model).set_params(learning_rate=0.01, max_iter=50, record_every=7, l2_regularization=l2)
    for name in ENGINES:
        with engine_of(name):
            models.append(clone(model).fit(X, y, sample_weight=share))
    assert_same_model(*models, 1e-10)


@both
@classes
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("is_writable", [True, False])
def test_all_is_compiled_before_the_first_step(model, n_classes, shape, is_writable):
    """Also for X that is read-only, as joblib's processes get it: compiling must not be interrupted."""
    from sknn_basic._descent.compiled_columns import network_steps, softmax_steps
    from sknn_basic._descent.compiled_rows import row_steps

    kernels = row_steps, softmax_steps, network_steps
    X, y = blobs(n_classes, *shape)
    X.flags.writeable = is_writable
    known, ordinary = [], engine.Compiled.prepare

    def noting(*args):
        is_compiled = ordinary(*args)
        known.append([len(kernel.signatures) for kernel in kernels])
        return is_compiled

    with patch.object(engine.Compiled, "prepare", noting):
        clone(model).set_params(max_iter=20, record_every=7).fit(X, y)
    assert known[0] == [len(kernel.signatures) for kernel in kernels]


def test_what_does_not_fit_is_left_to_numpy():
    """The kernels check nothing themselves: neither type, order nor shape of their arguments."""

    def is_left(X, layers, network):
        return isinstance(choose_engine(network, Samples(X), layers), Formulas)

    X, *_, layers, network = step_of("logistic", m=60, n=6)
    assert not is_left(X, layers, network)
    for other in (np.asfortranarray(X), X[:, ::2], X[:5], *map(X.astype, (">f8", np.float16, int))):
        assert is_left(other, layers, network)
    *_, three, softmax = step_of("logistic", 3, n=6)
    assert isinstance(choose_engine(softmax, Samples(X), three), CompiledSoftmax)
    assert isinstance(choose_engine(softmax, Samples(X.astype(np.float32)), three), CompiledLogistic)
    with patch.object(engine, "MAX_COPIED", 60):
        assert isinstance(choose_engine(softmax, Samples(X), three), CompiledLogistic)
    assert is_left(np.asfortranarray(X), three, softmax)
    assert is_left(X, [(layers[0][0][:, :0], layers[0][1][:, :0])], softmax)
    large = GramSamples(np.ones((1100, 1200)))
    assert isinstance(choose_engine(softmax, large, [(np.ones((1100, 3)), np.zeros((1, 3)))]), Formulas)
    for limit in ("MAX_WEIGHTS", "MAX_OUTPUTS"):
        with patch.object(engine, limit, 2):
            assert is_left(X, three, softmax)
            assert not is_left(X, layers, network)
    *_, hidden, network = step_of("tanh", n=6)
    assert not is_left(X, hidden, network)
    assert is_left(X, hidden, network._replace(activation=network.activation._replace(kernel=None)))


@both
@classes
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_a_stack_descends_as_its_members(model, n_classes, shape, l2):
    """To rounding, in steps of one call and of several: by a kernel with one output, on a single block."""
    X, y = blobs(n_classes, *shape)
    model = clone(model).set_params(max_iter=100)
    problem = make_problem(model, X, y, n_steps=100)
    rates, l2s = np.reshape([0.01, 0.1, 0.3], (3, 1, 1)), np.reshape([l2, 0.0, 2 * l2], (3, 1, 1))
    stack = repeat(problem.layers, 3)
    objective = problem.objective(l2s if l2 else 0.0, stack)
    is_compiled = n_classes == 2 and not problem.is_network
    assert isinstance(objective.engine, CompiledLogistic) == is_compiled
    J, gradients = objective(stack, want_cost=True)
    after_one = update(stack, gradients, rates)
    *_, (n_taken, after_five, _) = steps = list(objective.advance(after_one, rates, 4, want_cost=True))
    costs = [costs for *_, costs in steps]
    assert n_taken == 4
    assert [cost is None for cost in costs] == [False, *[True] * (len(steps) - 1)]
    assert list(objective.advance(stack, rates, 0, want_cost=True)) == []
    for i in range(3):
        alone, layers = problem.objective(l2s[i].item()), problem.layers
        for step in range(5):
            cost, gradients = alone(layers, want_cost=True)
            if step < 2:
                assert pytest.approx(cost, rel=1e-12) == (J, costs[0])[step][i]
            layers = update(layers, gradients, rates[i].item())
        assert_close(flat(member(after_five, i)), flat(layers), 1e-12)
    with patch.object(engine, "MIN_SHARED_VALUES", 1):
        is_one_block = shape is WIDE
        is_kernel = isinstance(problem.objective(0.0, stack).engine, CompiledLogistic)
        assert is_kernel == (is_compiled and is_one_block)


def test_a_stack_is_compiled_where_its_members_are():
    """However many they are: together they have more values than those from which threads share the rows."""
    problem = make_problem(MODELS[0], *blobs(2, *TALL), n_steps=3)
    with patch.object(engine, "MIN_SHARED_VALUES", problem.samples.shape[0] * problem.layers[0][0].size + 1):
        for n in (2, 100):
            assert isinstance(problem.objective(0.0, repeat(problem.layers, n)).engine, CompiledLogistic)


@both
def test_x_is_copied_once_for_kernels_and_x_val_never(model):
    """As columns: by the first call of a kernel, and kept as long as the problem."""
    X, y = blobs(3, *TALL)
    problem = make_problem(model, X, y, n_steps=3)
    validation = problem.validation(X, problem.targets, problem.s)
    assert np.isfinite(validation.data_cost(problem.layers))
    assert "columns" not in vars(validation.samples)
    for l2 in (0.0, 0.1):
        problem.objective(l2)(problem.layers, want_cost=True)
        (X_of_rows, *_) = problem.objective(l2).rows.only_block()
        assert X_of_rows is problem.samples
    assert np.shares_memory(problem.samples.columns, problem.objective(0.0).rows.only_block()[0].columns)


def test_gradients_without_an_output_are_an_error():
    """Not a read beyond the end of an array: the kernels check nothing."""
    X, y = blobs(2, *TALL)
    for layers in (
        [np.zeros((X.shape[1], 0)), np.zeros(0)],
        [np.ones((X.shape[1], 3)), np.zeros(3), np.zeros((3, 0)), np.zeros(0)],
    ):
        with pytest.raises(ValueError, match="zero-size"):
            propagate(X, y, *layers)


def test_a_cache_that_cannot_be_written_is_no_error():
    """A kernel is then compiled, and kept in memory: as of a function without a file, to cache it beside."""
    from numba import njit

    from sknn_basic._descent.compiled import compiled

    functions = {}
    exec("def doubled(x): return 2 * x", functions)
    with pytest.raises(RuntimeError, match="cannot cache"):
        njit(cache=True)(functions["doubled"])
    assert compiled()(functions["doubled"])(3) == 6


FAILURES = [
    ImportError("old"),
    EOFError("empty"),
    UnpicklingError("damaged"),
    OSError(28, "full"),
    SystemError("?"),
]


@both
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_what_numba_cannot_compile_numpy_computes(model, failure, shape, monkeypatch):
    """Numba is optional, so a broken one stops no fit: it is named once in a process."""
    X, y = blobs(2, *shape)
    model, grid = clone(model).set_params(max_iter=20, learning_rate=0.01), {"learning_rate": [0.01, 0.02]}
    with engine_of("numpy"):
        expected = clone(model).fit(X, y)
    monkeypatch.setattr(engine, "_ready", set())
    monkeypatch.setattr(engine, "_failed", [])
    monkeypatch.setattr(engine, "_warm_up", Mock(side_effect=failure))
    with pytest.warns(RuntimeWarning, match=f"{type(failure).__name__}.*{failure.args[-1]}"):
        found = clone(model).fit(X, y)
    assert_identical(found, expected)
    VectorizedGridSearchCV(model, grid, cv=2).fit(X, y)  # without a warning, since these are errors here


@both
def test_a_search_and_gradients_need_no_numba_that_works(model, monkeypatch):
    """Each may be the first to ask for compiled steps; so may a worker of a cluster, for blocks of rows."""
    X, y = blobs(2, *TALL)
    grid = {"learning_rate": [0.01, 0.02]}
    kernel = make_problem(clone(model), X, y, n_steps=3).objective(0.0).engine

    def block():
        problem = make_problem(clone(model), X, y, n_steps=3)
        return kernel.propagate(problem.samples, problem.targets, problem.s, problem.layers, True)

    for function in (
        lambda: propagate(X, y, np.zeros((X.shape[1], 1)), 0.0),
        lambda: VectorizedGridSearchCV(model, grid, cv=2).fit(X, y),
        block,
    ):
        monkeypatch.setattr(engine, "_ready", set())
        monkeypatch.setattr(engine, "_failed", [])
        monkeypatch.setattr(engine, "_warm_up", Mock(side_effect=EOFError("damaged")))
        with pytest.warns(RuntimeWarning, match="damaged"):
            function()


@both
@pytest.mark.parametrize("is_search", [False, True])
def test_verbose_says_that_steps_are_compiled(model, is_search, monkeypatch, capsys):
    """Once, by a fit or a search, and not if what was compiled is loaded: that takes less time."""
    said = threading.Event()

    def compile_(*arguments):
        assert said.wait(60)
        warm_up(*arguments)

    def tell_(line, is_printed):
        tell(line, is_printed)
        if line.startswith("Compiling the steps"):
            said.set()

    warm_up, tell = engine._warm_up, messages.tell
    monkeypatch.setattr(messages, "tell", tell_)
    X, y = blobs()
    model = clone(model).set_params(max_iter=3)
    search = VectorizedGridSearchCV(model, {"learning_rate": [0.1, 0.2]}, cv=2, verbose=1)
    fit = search.fit if is_search else clone(model).set_params(verbose=True).fit
    for is_slow, n_lines in ((True, 1), (False, 0)):
        monkeypatch.setattr(engine, "_ready", set())
        monkeypatch.setattr(engine, "_warm_up", compile_ if is_slow else warm_up)
        monkeypatch.setattr("sknn_basic._descent.threads.LONG", 0.01 if is_slow else 60)
        for n in (n_lines, 0):
            fit(X, y)
            assert capsys.readouterr().out.count("Compiling the steps") == n
