"""Samples on a cluster of two processes: the same models, also after a worker is killed; nothing remains."""

import os
import signal
from time import monotonic, sleep

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from engines import engine_of, numpy_alone  # noqa: F401  (workers take seconds to import Numba)
from models import assert_same_model, blobs, images
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV
from sknn_basic._lazy.cluster import active_client
from sknn_basic._lazy.dask import to_stored
from watchers import assert_identical

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

LOGISTIC = LogisticRegressionGD(0.1, max_iter=20, record_every=7)
NETWORK = ShallowNNClassifier(4, learning_rate=0.1, max_iter=20, random_state=3)
MODELS = {"logistic": LOGISTIC, "auto": LogisticRegressionGD(max_iter=20), "network": NETWORK}


@pytest.fixture(scope="module")
def cluster():
    # Workers are not given up for being silent: a computer may sleep for a while.
    with (
        dask.config.set({"distributed.scheduler.worker-ttl": None}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    """A client; after the test its cluster must hold nothing."""
    with distributed.Client(cluster) as client:
        yield client
        if client.status == "running":
            deadline = monotonic() + 10
            while (
                client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
                and monotonic() < deadline
            ):
                sleep(0.05)
            assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0
    dask.config.config.pop("scheduler", None)  # which a client that is closed early leaves behind


@pytest.mark.parametrize(("model", "n_classes"), [("logistic", 2), ("auto", 3), ("network", 3)])
def test_same_model_as_in_memory(client, model, n_classes):
    model = MODELS[model]
    X, y = blobs(n_classes, 100)
    weights = np.linspace(0.1, 2, 100)
    validation = {"X_val": X[:30], "y_val": y[:30]}
    expected = clone(model).fit(X, y, weights, **validation)
    X_da = da.from_array(X, (7, -1))
    got = clone(model).fit(X_da, da.from_array(y, 9), weights, X_val=X_da[:30], y_val=y[:30])
    assert_same_model(got, expected, 1e-10)
    assert got.validation_loss_curve_ == pytest.approx(expected.validation_loss_curve_, rel=1e-10)
    np.testing.assert_allclose(got.predict_proba(X_da).compute(), got.predict_proba(X), rtol=1e-12)
    assert got.score(X_da, y) == got.score(X, y)


def test_images_and_persisted_chunks(client):
    """By the compiled steps too, which take bytes as they are."""
    X, y = images(m=60)
    X = X.astype(np.uint8)
    model = make_pipeline(FlattenScaler(), LOGISTIC)
    expected = clone(model).fit(X, y)
    X_da = da.from_array(X, (7, -1, -1, -1))
    assert_same_model(clone(model).fit(client.persist(X_da), y)[-1], expected[-1], 1e-10)
    with engine_of("compiled"):
        assert_same_model(clone(model).fit(X_da, y)[-1], expected[-1], 1e-10)


def test_large_arrays_are_sent_once(client, monkeypatch):
    """Weights of the samples and of the model: Dask would warn of a large graph. No bit changes."""
    X, y = blobs(2, 100)
    weights = np.linspace(1, 2, 100)
    X_da = da.from_array(X, (7, -1))
    expected = clone(NETWORK).fit(X_da, y, weights)
    monkeypatch.setattr("sknn_basic._lazy.cluster.SCATTERED_BYTES", 100)
    sent = []
    scatter = client.scatter
    monkeypatch.setattr(client, "scatter", lambda data, **how: sent.append(data) or scatter(data, **how))
    assert_identical(clone(NETWORK).fit(X_da, y, weights), expected)
    parts_of_rows = [data for (data,) in sent if isinstance(data, list)]
    assert sum(len(s) for part in parts_of_rows for _, _, s in part) % 100 == 0
    assert len(sent) > len(parts_of_rows) > 0


def test_a_value_that_is_not_finite(client):
    X, y = blobs()
    X[33, 2] = X[38, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN, first in row 33"):
        LogisticRegressionGD().fit(da.from_array(X, (7, -1)), y)


def test_a_chunk_that_fails_leaves_no_task(client):
    X, y = blobs()
    broken = da.from_array(X, (7, -1)).map_blocks(lambda chunk: 1 // 0, dtype=float, meta=X[:0])
    with pytest.raises(ZeroDivisionError):
        LogisticRegressionGD().fit(broken, y)


def test_wide_samples_in_memory_with_validation_samples_of_dask(client):
    """Their products are computed here, block by block; also of chunks that are on the workers."""
    X, y = blobs(2, 30, 200)
    model, X_da = LogisticRegressionGD(0.01, 100), da.from_array(X[:10], (3, -1))
    expected = clone(model).fit(X, y, X_val=X[:10], y_val=y[:10]).validation_loss_curve_
    for X_val in (X_da, client.persist(X_da)):
        assert clone(model).fit(X, y, X_val=X_val, y_val=y[:10]).validation_loss_curve_ == expected
    del X_val


def column_sums(X, targets, s):
    return np.array([targets.sum(), s.sum(), *X.X.sum(axis=0)])


def test_rows_have_the_targets_and_weights_they_are_given(client):
    """X is sent to the workers once; other targets and weights give other sums."""
    X, _ = blobs(2, 100)
    samples = to_stored(da.from_array(X, (7, -1)), X.dtype)
    groups = [[(block.rows, block) for block in samples.blocks]]
    rng = np.random.RandomState(0)
    parts = []
    for _ in range(2):
        targets, s = rng.random_sample((2, 100, 1))
        sums = samples.rows(groups, targets, s).total(column_sums)
        np.testing.assert_allclose(sums, [targets.sum(), s.sum(), *X.sum(axis=0)])
        parts.append(samples.parts)
    assert parts[0] is parts[1]


def test_split_columns_are_refused(client):
    X, y = blobs()
    with pytest.raises(ValueError, match=r"rechunk\(\{1: -1\}\)"):
        LogisticRegressionGD().fit(da.from_array(X, (7, 2)), y)


@pytest.mark.parametrize("search", [GridSearchCV, VectorizedGridSearchCV])
def test_a_search_on_a_dask_array(client, search):
    X, y = blobs(2, 60)
    rates = {"learning_rate": [0.01, 0.1]}
    expected = search(LOGISTIC, rates, cv=2).fit(X, y)
    got = search(LOGISTIC, rates, cv=2).fit(da.from_array(X, (7, -1)), y)
    np.testing.assert_allclose(got.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


def test_fits_in_tasks_of_the_cluster(client):
    """joblib's backend "dask": the fits run on the workers, and read Dask arrays there by threads."""
    X, y = blobs(2, 60)
    search = GridSearchCV(LOGISTIC, {"learning_rate": [0.01, 0.1]}, cv=2, n_jobs=2)
    expected = clone(search).set_params(n_jobs=1).fit(X, y)
    with joblib.parallel_config("dask"):
        got = search.fit(da.from_array(X, (7, -1)), y)
    np.testing.assert_allclose(got.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


def test_the_client_that_is_used(client):
    assert active_client() is client
    assert client.submit(active_client).result() is None
    with dask.config.set(scheduler="threads"):
        assert active_client() is None
    client.close()
    assert active_client() is None


# During a fit

VERBOSE = LogisticRegressionGD(0.1, max_iter=40, record_every=10, verbose=True)


@pytest.fixture
def at_step_20(monkeypatch):
    """A function to set what happens before step 20 of a verbose fit."""

    def set_action(action):
        monkeypatch.setattr(
            "sknn_basic._fitting.base.print_cost", lambda step, *costs: step == 20 and action()
        )

    return set_action


def test_a_closed_client(client, at_step_20):
    X, y = blobs(2, 100)
    at_step_20(client.close)
    model = clone(VERBOSE)
    with pytest.raises(RuntimeError, match="client is clos"):
        model.fit(da.from_array(X, (7, -1)), y)
    assert not hasattr(model, "coef_")


def test_workers_hold_the_samples_once(client, at_step_20):
    """As bytes, in parts; the chunks are not kept."""
    images = np.random.RandomState(0).randint(0, 255, (2000, 16, 16, 3)).astype(np.uint8)
    held = []
    at_step_20(lambda: held.append(client.run_on_scheduler(n_bytes_held)))
    model = make_pipeline(FlattenScaler(), clone(VERBOSE).set_params(learning_rate=1e-3))
    model.fit(da.from_array(images, (100, 16, 16, 3)), np.arange(2000) % 2)
    assert 0.9 * images.nbytes < held[0] < 1.2 * images.nbytes + 20_000


def n_bytes_held(dask_scheduler):
    return sum(task.nbytes for task in dask_scheduler.tasks.values() if task.state == "memory")


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:Gradient descent was interrupted")
def test_an_interruption_leaves_no_task(client, at_step_20):
    X, y = blobs(2, 100)
    at_step_20(interrupt)
    assert clone(VERBOSE).fit(da.from_array(X, (7, -1)), y).n_iter_ == 20


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_killed_worker_changes_no_bit(client, at_step_20):
    """The last test, since another worker takes seconds to start."""
    X, y = blobs(2, 200)
    X_da = da.from_array(X, (7, -1))
    expected = clone(VERBOSE).fit(X_da, y)
    killed = []

    def kill_one():
        if not killed:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    at_step_20(kill_one)
    got = clone(VERBOSE).fit(X_da, y)
    assert killed
    np.testing.assert_array_equal(got.coef_, expected.coef_)
    assert got.loss_curve_ == expected.loss_curve_
