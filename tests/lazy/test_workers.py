"""Fits on a cluster whose workers are lost, replaced and closed: the same models, or what to do."""

import math
import warnings
from threading import Thread, Timer
from time import sleep

import numpy as np
import pytest
from sklearn.base import clone

from clusters import add_two, da, dask, lose, on_cluster, small_blocks_of, two_workers
from engines import engine_of, numpy_alone  # noqa: F401  (workers take seconds to import Numba)
from models import assert_same_model, blobs
from sknn_basic import (
    FitInterruptedWarning,
    LogisticRegressionGD,
    ShallowNNClassifier,
)
from sknn_basic._fitting import base
from sknn_basic._lazy import workers
from watchers import assert_identical, raise_once

LOGISTIC = LogisticRegressionGD(0.1, max_iter=8, record_every=3)
NETWORK = ShallowNNClassifier(4, learning_rate=0.1, max_iter=8, random_state=3)
X, Y = blobs(2, 100)
STEPWISE = [clone(model).set_params(record_every=1, verbose=True) for model in (LOGISTIC, NETWORK)]


@pytest.fixture
def fragile(monkeypatch):
    """A cluster of its own, whose workers may be lost, and its client: then it must hold nothing, either."""
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.05)
    with two_workers() as cluster, small_blocks_of(cluster, monkeypatch) as client:
        yield cluster, client


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
    """More often than Dask lets the workers of one task be lost; before the last cost, too."""
    expected = clone(STEPWISE[0]).fit(on_cluster(X), Y)
    before_steps(monkeypatch, dict.fromkeys([0, 2, 3, 4, 5, 7], lambda: replace_all(*fragile)))
    assert_identical(clone(STEPWISE[0]).fit(on_cluster(X), Y), expected)


def test_two_samples_that_share_chunks(fragile, monkeypatch):
    """What one waits for is not bound to a worker that the other has lost."""
    X_da = on_cluster(X) + 1
    validation = {"X_val": X_da, "y_val": Y}
    expected = clone(STEPWISE[0]).fit(X_da, Y, **validation)
    before_steps(monkeypatch, dict.fromkeys([0, 4], lambda: replace_all(*fragile)))
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


def interrupt_at_poll(monkeypatch, n):
    """Raise KeyboardInterrupt when the fit looks for workers for the n-th time from here."""
    raise_once(monkeypatch, KeyboardInterrupt, workers, "_reaches_workers", n)


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
    before_steps(monkeypatch, {step: lambda: lose(client) or interrupt_at_poll(monkeypatch, n_polls)})
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
    interrupt_at_poll(monkeypatch, 1)
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


def timed_out(rows):
    raise TimeoutError("of a task")


def test_a_timeout_of_a_task_is_no_wait(fragile):
    """Errors of tasks are those of the user's functions; nothing of them is left."""
    X_da = on_cluster(X).map_blocks(timed_out, dtype=X.dtype, meta=X[:0])
    with pytest.raises(TimeoutError, match="of a task"):
        clone(LOGISTIC).fit(X_da, Y)


@pytest.mark.interrupts
def test_a_second_interruption_while_the_last_cost_is_computed(fragile, monkeypatch):
    """The first comes between two steps, all workers are lost, and no cost can be computed: as above."""
    _, client = fragile
    expected = clone(STEPWISE[0]).set_params(max_iter=4).fit(on_cluster(X), Y)

    def interrupt():
        lose(client)
        interrupt_at_poll(monkeypatch, 1)
        raise KeyboardInterrupt

    before_steps(monkeypatch, {4: interrupt})
    model = clone(STEPWISE[0])
    with pytest.warns(FitInterruptedWarning, match="weights of step 4"):
        model.fit(on_cluster(X), Y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert math.isnan(model.loss_)
