"""Results from the workers of a Dask cluster, which may be lost, and replaced, while they compute."""

import asyncio
import warnings
from concurrent.futures import CancelledError, wait
from contextlib import contextmanager, suppress
from functools import partial
from math import inf
from time import monotonic

from .._descent.rows import OutOfReach

POLL_SECONDS = 0.5  # a computation that takes longer looks for workers
PATIENCE_SECONDS = 5  # without any worker, until the user is told: nannies restart theirs within two
MAX_LOSSES = 10  # of one computation, until what it needs is taken to be lost for good


def computed(client, submit, forget=None):
    """Return the results of the futures that `submit()` yields.

    The scheduler computes again what lost workers held, as soon as there are others. But all that depends on
    what was sent from here is cancelled if no copy of that is left, and everything if the scheduler restarts:
    `forget()` then drops the cancelled futures, and `submit()` is called again.
    """
    from distributed.scheduler import KilledWorker

    n_losses, n_killed = 0, 0
    with _reaching(client):
        while True:
            try:
                return _results(client, submit)
            except CancelledError as error:
                error.__traceback__ = None  # a cycle of Dask's frames, which would keep all futures
                n_losses += 1
                if client.status != "running":
                    raise
                if n_losses == MAX_LOSSES:
                    raise RuntimeError(
                        "The Dask cluster has lost chunks of X that it cannot compute again: they were "
                        "scattered to its workers, or persisted before a restart. Make X again, then fit."
                    ) from error
            except KilledWorker as error:  # Dask never forgets how often the worker of a task was lost
                error.__traceback__ = None
                n_killed += 1
                if n_killed == 2:
                    raise
            threads_of_workers(client)
            if forget is not None:
                forget()


def threads_of_workers(client):
    """Return the address of the worker of each thread; wait until there is a worker."""
    _check_is_open(client)
    while not (workers := client.nthreads()):
        with suppress(CancelledError):
            _results(client, partial(_anything, client))
    return [worker for worker, n in workers.items() for _ in range(n)]


def cancel(client, futures):
    """Cancel futures if the client can: no error of this must hide the reason for it."""
    if client.status == "running":
        with suppress(Exception):
            client.cancel(futures)


@contextmanager
def _reaching(client):
    """Raise a RuntimeError, with its cause, if the client no longer reaches the scheduler."""
    try:
        yield
    except Exception as error:
        if client.status == "running":
            raise
        state = "has lost its scheduler" if client.status == "connecting" else f"is {client.status}"
        raise RuntimeError(
            f"The Dask client {state}: the samples of this fit are on workers that it no longer reaches. Fit "
            "again with a client and a scheduler that stay open."
        ) from error


def _anything(client):
    """Yield a future that any worker computes: a cluster that scales to its tasks starts one for it."""
    yield client.submit(int, pure=False)


def _results(client, submit):
    """Return the results of the futures that `submit()` yields; if that fails, cancel them."""
    _check_is_open(client)
    futures = []
    try:
        for future in submit():
            futures.append(future)
        results = _gathered(client, futures)
    except BaseException as error:
        cancel(client, futures)
        if isinstance(error, KeyboardInterrupt) and not _reaches_workers(client):
            raise OutOfReach from error
        raise
    for future in futures:
        future.release()  # Dask may hold them in a cycle
    return results


def _gathered(client, futures):
    """Return the results of futures; warn if there is no worker for a while."""
    gathering = client.gather(futures, asynchronous=True)  # which a wait with a timeout would have to cancel
    gathering = asyncio.run_coroutine_threadsafe(gathering, client.loop.asyncio_loop)
    seen = monotonic()
    while not wait([gathering], POLL_SECONDS).done:
        _check_is_open(client)
        if _reaches_workers(client):
            seen = monotonic()
        elif monotonic() - seen > PATIENCE_SECONDS:
            seen = inf  # warns once
            warnings.warn(
                f"The fit waits for workers: the Dask scheduler at {client.scheduler.address} has none. "
                "Start some, or press Ctrl-C: a descent that has begun then ends with the weights reached.",
                stacklevel=2,
            )
    return gathering.result()


def _check_is_open(client):
    if client.status != "running":
        raise ConnectionError(f"The client is {client.status}.")


def _reaches_workers(client):
    with suppress(Exception):
        return client.status == "running" and bool(client.nthreads())
    return False
