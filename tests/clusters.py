"""Clusters of two workers that start at once, and their workers lost and replaced."""

from contextlib import contextmanager
from time import monotonic, sleep

import pytest

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")


@contextmanager
def two_workers():
    """Two workers that talk by TCP, so that all they are sent is pickled, but start at once, as threads."""
    options = {"processes": False, "protocol": "tcp://", "dashboard_address": ":0", "memory_limit": 0}
    # Workers are not given up for being silent: a computer may sleep for a while.
    with (
        dask.config.set({"distributed.scheduler.worker-ttl": None}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
    ):
        cluster.added = []
        yield cluster
        if cluster.added:
            cluster.sync(_close, cluster.added)


async def _close(workers):
    for worker in workers:
        await worker.close()


def lose(client, workers=None):
    """Remove workers, or all, as if they were lost."""
    client.run_on_scheduler(_remove_workers, workers=workers or [*client.nthreads()])


async def _remove_workers(dask_scheduler, workers):
    for worker in workers:
        await dask_scheduler.remove_worker(worker, stimulus_id="test")


def add_two(cluster):
    """Start two workers, of new addresses."""
    cluster.sync(_start_two, cluster)


async def _start_two(cluster):
    options = {"nthreads": 1, "memory_limit": 0, "dashboard_address": ":0"}
    cluster.added += [await distributed.Worker(cluster.scheduler_address, **options) for _ in range(2)]


def n_tasks(dask_scheduler):
    return len(dask_scheduler.tasks)


@contextmanager
def small_blocks_of(cluster, monkeypatch):
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
