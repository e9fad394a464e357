"""Samples on a cluster: the same models, also after a worker is lost; and nothing of them remains."""

import math
import warnings
from contextlib import nullcontext
from threading import Thread, Timer
from time import monotonic, sleep

import joblib
import numpy as np
import pytest
from clusters import add_two, dask, distributed, lose, n_tasks, two_workers
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from engines import engine_of, numpy_alone  # noqa: F401  (workers take seconds to import Numba)
from models import assert_same_model, blobs, images
from sknn_basic import (
    FitInterruptedWarning,
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
)
from sknn_basic._fitting import base
from sknn_basic._lazy import workers
from sknn_basic._lazy.cluster import active_client
from sknn_basic._lazy.dask import to_stored
from watchers import assert_identical, raise_once

da = pytest.importorskip("dask.array")

LOGISTIC = LogisticRegressionGD(0.1, max_iter=8, record_every=3)
NETWORK = ShallowNNClassifier(4, learning_rate=0.1, max_iter=8, random_state=3)
MODELS = {"logistic": LOGISTIC, "auto": LogisticRegressionGD(max_iter=8), "network": NETWORK}
X, Y = blobs(2, 100)


@pytest.fixture(scope="module")
def cluster():
    with two_workers() as cluster:
        yield cluster


@pytest.fixture
def client(cluster, monkeypatch):
    """A client, and blocks of few rows for each worker; after the test its cluster must hold nothing."""
    monkeypatch.setattr("sknn_basic._lazy.memory.READ_BYTES", 8 * 5 * 15)
    with distributed.Client(cluster) as client:
        yield client
        if client.status == "running":
            deadline = monotonic() + 10
            while client.run_on_scheduler(n_tasks) and monotonic() < deadline:
                sleep(0.02)
            assert client.run_on_scheduler(n_tasks) == 0
    dask.config.config.pop("scheduler", None)  # which a client that is closed early leaves behind


def on_cluster(X):
    return da.from_array(X, (7, *[-1] * (X.ndim - 1)))


@pytest.mark.parametrize(("model", "n_classes"), [("logistic", 2), ("auto", 3), ("network", 3)])
def test_same_model_as_in_memory(client, model, n_classes):
    X, y = blobs(n_classes, 100)
    weights = np.linspace(0.1, 2, 100)
    expected = clone(MODELS[model]).fit(X, y, weights, X_val=X[:30], y_val=y[:30])
    X_da = on_cluster(X)
    got = clone(MODELS[model]).fit(X_da, da.from_array(y, 9), weights, X_val=X_da[:30], y_val=y[:30])
    assert_same_model(got, expected, 1e-10)
    assert got.validation_loss_curve_ == pytest.approx(expected.validation_loss_curve_, rel=1e-10)
    np.testing.assert_allclose(got.predict_proba(X_da).compute(), got.predict_proba(X), rtol=1e-12)
    assert got.score(X_da, y) == got.score(X, y)


def test_images_and_persisted_chunks(client):
    """By the compiled steps too, which take bytes as they are."""
    X, y = images(m=60)
    X = X.astype(np.uint8)
    model = make_pipeline(FlattenScaler(), LOGISTIC)
    expected, X_da = clone(model).fit(X, y), on_cluster(X)
    assert_same_model(clone(model).fit(client.persist(X_da), y)[-1], expected[-1], 1e-10)
    with engine_of("compiled"):
        assert_same_model(clone(model).fit(X_da, y)[-1], expected[-1], 1e-10)


def test_large_arrays_are_sent_once(client, monkeypatch):
    """Weights of the samples and of the model: Dask would warn of a large graph. No bit changes."""
    weights, X_da = np.linspace(1, 2, 100), on_cluster(X)
    expected = clone(NETWORK).fit(X_da, Y, weights)
    monkeypatch.setattr("sknn_basic._lazy.cluster.SCATTERED_BYTES", 100)
    sent = []
    scatter = client.scatter
    monkeypatch.setattr(client, "scatter", lambda data, **how: sent.append(data) or scatter(data, **how))
    assert_identical(clone(NETWORK).fit(X_da, Y, weights), expected)
    parts_of_rows = [data for (data,) in sent if isinstance(data, list)]
    assert sum(len(s) for part in parts_of_rows for _, _, s in part) % 100 == 0
    assert len(sent) > len(parts_of_rows) > 0


HOLED = X.copy()
HOLED[33, 2] = HOLED[38, 0] = np.nan


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (on_cluster(HOLED), ValueError, "Input X contains NaN, first in row 33"),
        (on_cluster(X).map_blocks(lambda chunk: 1 // 0, dtype=float, meta=X[:0]), ZeroDivisionError, "zero"),
        (da.from_array(X, (7, 2)), ValueError, r"rechunk\(\{1: -1\}\)"),
    ],
    ids=["not finite", "a chunk that fails", "split columns"],
)
def test_errors(client, X, error, message):
    with pytest.raises(error, match=message):
        LogisticRegressionGD().fit(X, Y)


def test_wide_samples_in_memory_with_validation_samples_of_dask(client):
    """Their products are computed here, block by block; also of chunks that are on the workers."""
    X, y = blobs(2, 30, 200)
    model, X_da = LogisticRegressionGD(0.01, 20), da.from_array(X[:10], (3, -1))
    expected = clone(model).fit(X, y, X_val=X[:10], y_val=y[:10]).validation_loss_curve_
    for X_val in (X_da, client.persist(X_da)):
        assert clone(model).fit(X, y, X_val=X_val, y_val=y[:10]).validation_loss_curve_ == expected
    del X_val


def column_sums(X, targets, s):
    return np.array([targets.sum(), s.sum(), *X.X.sum(axis=0)])


def test_rows_have_the_targets_and_weights_they_are_given(client):
    """X is sent to the workers once; other targets and weights give other sums."""
    samples = to_stored(on_cluster(X), X.dtype)
    groups = [[(block.rows, block) for block in samples.blocks]]
    parts = samples.parts
    assert [part.blocks for part in parts] == [slice(0, 4), slice(4, 8)]
    for targets, s in np.random.RandomState(0).random_sample((2, 2, 100, 1)):
        sums = samples.rows(groups, targets, s).total(column_sums)
        np.testing.assert_allclose(sums, [targets.sum(), s.sum(), *X.sum(axis=0)])
    assert samples.parts is parts


@pytest.mark.parametrize(
    ("search", "backend"), [(GridSearchCV, None), (GridSearchCV, "dask"), (VectorizedGridSearchCV, None)]
)
def test_searches(client, search, backend):
    """With joblib's backend "dask" the fits run on the workers, and read Dask arrays there by threads."""
    search = search(LOGISTIC, {"learning_rate": [0.01, 0.1], "max_iter": [5]}, cv=2, refit=False)
    expected = clone(search).fit(X, Y)
    with joblib.parallel_config(backend, n_jobs=2) if backend else nullcontext():
        got = search.fit(da.from_array(X, (30, -1)), Y)
    np.testing.assert_allclose(got.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


def test_the_client_that_is_used(client):
    assert active_client() is client
    assert client.submit(active_client).result() is None
    with dask.config.set(scheduler="threads"):
        assert active_client() is None
    client.close()
    assert active_client() is None


# During a fit

VERBOSE = LogisticRegressionGD(0.1, max_iter=8, record_every=2, verbose=True)


def at_step_4(monkeypatch, action):
    """Let something happen before step 4 of a verbose fit."""
    monkeypatch.setattr(base, "print_cost", lambda step, *costs: step == 4 and action())


def test_workers_hold_the_samples_once(client, monkeypatch):
    """As bytes, in parts; the chunks are not kept."""
    images = np.random.RandomState(0).randint(0, 255, (2000, 16, 16, 3)).astype(np.uint8)
    held = []
    at_step_4(monkeypatch, lambda: held.append(client.run_on_scheduler(n_bytes_held)))
    model = make_pipeline(FlattenScaler(), clone(VERBOSE).set_params(learning_rate=1e-3))
    model.fit(da.from_array(images, (100, 16, 16, 3)), np.arange(2000) % 2)
    assert 0.9 * images.nbytes < held[0] < 1.2 * images.nbytes + 20_000


def n_bytes_held(dask_scheduler):
    return sum(task.nbytes for task in dask_scheduler.tasks.values() if task.state == "memory")


@pytest.mark.filterwarnings("ignore:Gradient descent was interrupted")
def test_an_interruption_leaves_no_task(client, monkeypatch):
    raise_once(monkeypatch, KeyboardInterrupt, base, "print_cost", 3)  # before step 4
    assert clone(VERBOSE).fit(on_cluster(X), Y).n_iter_ == 4


# Workers that come and go

STEPWISE = [clone(model).set_params(record_every=1, verbose=True) for model in (LOGISTIC, NETWORK)]


@pytest.fixture
def fragile(monkeypatch):
    """A cluster of its own, whose workers may be lost, and its client: then it must hold nothing, either."""
    monkeypatch.setattr("sknn_basic._lazy.memory.READ_BYTES", 8 * 5 * 15)
    with two_workers() as cluster, distributed.Client(cluster) as client:
        yield cluster, client
        if client.status == "running":
            deadline = monotonic() + 10
            while client.run_on_scheduler(n_tasks) and monotonic() < deadline:
                sleep(0.02)
            assert client.run_on_scheduler(n_tasks) == 0
    dask.config.config.pop("scheduler", None)


def before_steps(monkeypatch, actions):
    """Let something happen before some steps of a verbose fit that records each."""
    monkeypatch.setattr(base, "print_cost", lambda step, *costs: actions.get(step, int)())


def lose_one(cluster, client):
    lose(client, [min(client.nthreads())])


def replace_all(cluster, client):
    lose(client)
    add_two(cluster)


def replace_all_later(cluster, client):
    lose(client)
    Timer(0.1, add_two, [cluster]).start()


def retire_all(cluster, client):
    before = [*client.nthreads()]
    add_two(cluster)
    client.retire_workers(before)


def restart(cluster, client):
    """Without nannies, no worker comes back."""
    client.restart(wait_for_workers=False)
    add_two(cluster)


CHANGES = [lose_one, replace_all, replace_all_later, retire_all, restart, lambda cluster, _: add_two(cluster)]


@pytest.mark.parametrize("scattered_bytes", [2**20, 100], ids=["with tasks", "scattered"])
@pytest.mark.parametrize("change", CHANGES, ids=[*(change.__name__ for change in CHANGES[:-1]), "add_two"])
def test_workers_that_change_change_no_bit(fragile, monkeypatch, change, scattered_bytes):
    """Neither what Dask computes again by itself, nor what must be sent again."""
    monkeypatch.setattr("sknn_basic._lazy.cluster.SCATTERED_BYTES", scattered_bytes)
    model = STEPWISE[scattered_bytes == 100]
    expected = clone(model).fit(on_cluster(X), Y)
    before_steps(monkeypatch, {4: lambda: change(*fragile)})
    assert_identical(clone(model).fit(on_cluster(X), Y), expected)


def test_workers_that_are_lost_again_and_again(fragile, monkeypatch):
    """Before the first step, between two steps, and before the last cost; while two samples share chunks."""
    X_da = on_cluster(X) + 1
    validation = {"X_val": X_da, "y_val": Y}
    expected = clone(STEPWISE[0]).fit(X_da, Y, **validation)
    before_steps(monkeypatch, dict.fromkeys([0, 3, 4, 7], lambda: replace_all(*fragile)))
    assert_identical(clone(STEPWISE[0]).fit(X_da, Y, **validation), expected)


losses = []  # threads that lose all workers: a task starts them


def read(rows):
    while losses:
        losses.pop().start()
        sleep(0.2)
    return rows


def test_workers_lost_while_the_parts_are_read(fragile):
    expected = clone(LOGISTIC).fit(on_cluster(X), Y)
    losses.append(Thread(target=replace_all, args=fragile))
    X_da = on_cluster(X).map_blocks(read, dtype=X.dtype, meta=X[:0])
    assert_identical(clone(LOGISTIC).fit(X_da, Y), expected)
    assert not losses


def test_other_persisted_chunks_are_not_bound_to_a_worker(fragile, monkeypatch):
    """The user's futures of the same chunks are computed again as well."""
    cluster, client = fragile
    X_da = on_cluster(X)
    kept = []

    def persist_and_lose():
        kept.append(client.persist(X_da))
        replace_all(cluster, client)

    before_steps(monkeypatch, {4: persist_and_lose})
    clone(STEPWISE[0]).fit(X_da, Y)
    np.testing.assert_array_equal(kept.pop().compute(), X)


@pytest.mark.parametrize("lose_chunks", [replace_all, restart])
def test_chunks_that_cannot_be_computed_again(fragile, monkeypatch, lose_chunks):
    cluster, client = fragile
    chunks = [da.from_delayed(chunk, (50, 5), float) for chunk in client.scatter([X[:50], X[50:]])]
    X_da = da.concatenate(chunks)
    before_steps(monkeypatch, {4: lambda: lose_chunks(cluster, client)})
    model = clone(STEPWISE[0])
    with pytest.raises(RuntimeError, match="lost chunks of X that it cannot compute again") as error:
        model.fit(X_da, Y)
    assert "cancelled for reason" in str(error.value.__cause__)
    assert not hasattr(model, "coef_")
    del chunks, X_da, error


def test_a_fit_waits_for_the_first_worker(fragile):
    """So that a cluster that adapts to its tasks starts some."""
    cluster, client = fragile
    expected = clone(LOGISTIC).fit(on_cluster(X), Y)
    replace_all_later(cluster, client)
    assert_same_model(clone(LOGISTIC).fit(on_cluster(X), Y), expected, 1e-12)


@pytest.mark.interrupts
@pytest.mark.parametrize("step", [0, 4, 7])
@pytest.mark.parametrize("n_polls", [1, 3])
def test_interruption_without_workers(fragile, monkeypatch, step, n_polls):
    """One warning that names the scheduler; then the weights reached are kept, whose cost is not known."""
    cluster, client = fragile
    X_da = on_cluster(X)
    validation = {"X_val": X[:9], "y_val": Y[:9]} if step == 4 else {}
    expected = clone(STEPWISE[0]).set_params(max_iter=step + 1).fit(X_da, Y, **validation)
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0)
    before_steps(monkeypatch, {step: lambda: lose(client)})
    raise_once(monkeypatch, KeyboardInterrupt, workers, "_reaches_workers", n_polls)
    model = clone(STEPWISE[0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X_da, Y, **validation)
    *waiting, interrupted = caught
    assert len(waiting) == (n_polls > 1)
    assert all(f"scheduler at {cluster.scheduler_address} has none" in str(w.message) for w in waiting)
    assert interrupted.category is FitInterruptedWarning
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.loss_curve_ == expected.loss_curve_
    assert math.isnan(model.loss_)
    if validation:
        assert model.validation_loss_curve_ == expected.validation_loss_curve_
        assert math.isnan(model.validation_loss_)
    add_two(cluster)
    again = model.set_params(warm_start=True, verbose=False, max_iter=8 - model.n_iter_ or 1).fit(X_da, Y)
    assert again.loss_ < expected.loss_


@pytest.mark.interrupts
def test_interruption_before_the_descent_without_workers(fragile, monkeypatch):
    _, client = fragile
    lose(client)
    raise_once(monkeypatch, KeyboardInterrupt, workers, "_reaches_workers", 1)
    model = clone(LOGISTIC)
    with pytest.raises(KeyboardInterrupt):
        model.fit(on_cluster(X), Y)
    assert not hasattr(model, "coef_")


def close_scheduler(cluster, client):
    cluster.sync(cluster.scheduler.close)


def close_client_in_a_thread(cluster, client):
    Thread(target=client.close).start()


CLOSING = {
    "client": lambda cluster, client: client.close(),
    "client in a thread": close_client_in_a_thread,
    "cluster": lambda cluster, client: cluster.close(),
    "scheduler": close_scheduler,
}


@pytest.mark.parametrize("scattered_bytes", [2**20, 100], ids=["with tasks", "scattered"])
@pytest.mark.parametrize("closing", CLOSING)
def test_a_client_that_no_longer_reaches_the_workers(fragile, monkeypatch, closing, scattered_bytes):
    """The documented error, with its cause; also where it is closed while the fit waits."""
    monkeypatch.setattr("sknn_basic._lazy.cluster.SCATTERED_BYTES", scattered_bytes)
    before_steps(monkeypatch, {4: lambda: CLOSING[closing](*fragile)})
    model = clone(STEPWISE[0]).set_params(max_iter=10**6)
    with pytest.raises(RuntimeError, match=r"The Dask client (is clos|has lost its scheduler)") as error:
        model.fit(on_cluster(X), Y)
    assert error.value.__cause__ is not None
    assert not hasattr(model, "coef_")
    # Or closing the cluster tries for half a minute to reach a scheduler that is closed.
    monkeypatch.setitem(dask.config.config["distributed"]["comm"]["timeouts"], "connect", "100ms")


def test_closed_while_a_validation_sample_is_fetched(fragile, monkeypatch):
    """Samples in memory, with validation samples that are read from the cluster."""
    X, y = blobs(2, 30, 200)
    X_val = da.from_array(X[:10], (3, -1))
    before_steps(monkeypatch, {4: fragile[1].close})
    with pytest.raises(RuntimeError, match="The Dask client is closed"):
        clone(STEPWISE[0]).fit(X, y, X_val=X_val, y_val=y[:10])
