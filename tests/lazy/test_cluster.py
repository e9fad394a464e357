"""Samples on a cluster: the same models, and nothing of them remains."""

from contextlib import nullcontext

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from clusters import da, dask, on_cluster, small_blocks_of, two_workers
from engines import engine_of, numpy_alone  # noqa: F401  (workers take seconds to import Numba)
from models import assert_same_model, blobs, images
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
)
from sknn_basic._fitting import base
from sknn_basic._lazy.cluster import active_client
from sknn_basic._lazy.dask import to_stored
from watchers import assert_identical, raise_once

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
    with small_blocks_of(cluster, monkeypatch) as client:
        yield client


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
