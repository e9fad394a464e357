"""Samples on the workers of a Dask cluster: each holds a part of the rows, and adds up its blocks."""

import sys
from contextlib import suppress
from copy import deepcopy
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .._descent.rows import added
from .._descent.stored import Stored, StoredRows, largest_of

SCATTERED_BYTES = 2**20  # arguments from this size on are sent once to each worker, not with a task


def active_client():
    """Return the client of the cluster that Dask would use here, or None.

    None inside a task of a cluster too: a fit that waited for other tasks would block its worker.
    """
    if "distributed" not in sys.modules:
        return None
    import dask
    from distributed import default_client, get_worker

    scheduler = dask.config.get("scheduler", None)
    if scheduler is not None and "distributed" not in str(scheduler):
        return None
    with suppress(ValueError):
        get_worker()
        return None
    with suppress(ValueError):
        client = default_client()
        return client if client.status == "running" else None
    return None


class ClusterReader(NamedTuple):
    """Fetches chunks of a Dask array from the cluster, as rows."""

    values: object
    chunks: slice

    def __call__(self):
        return joined_rows([self.values.blocks[self.chunks].compute()])

    def tasks(self):
        return self.values.blocks[self.chunks].to_delayed(optimize_graph=True).ravel().tolist()


class Part(NamedTuple):
    """Neighbouring blocks, as a slice of all, and the future of their values on a worker."""

    blocks: slice
    worker: str
    values: object


class StoredOnCluster(Stored):
    """The rows of a Dask array on the workers of a cluster: each of their threads holds a part."""

    def __init__(self, shape, kind, blocks, client):
        super().__init__(shape, kind, blocks)  # without a Gram matrix: its rows are on several computers
        self.client = client

    @cached_property
    def parts(self):
        """One part per worker thread, in row order; each is built on the worker that keeps it."""
        from dask import delayed

        workers = [worker for worker, n in self.client.nthreads().items() for _ in range(n)]
        if not workers:
            raise RuntimeError("The Dask cluster has no workers: start some, or close its client.")
        workers, parts = workers[: len(self.blocks)], []
        shares = np.array_split(np.arange(len(self.blocks)), len(workers))
        for worker, share in zip(workers, shares, strict=True):
            own = slice(share[0], share[-1] + 1)
            values = delayed(_joined)([block.read.tasks() for block in self.blocks[own]])
            values = self.client.compute(values, workers=[worker], allow_other_workers=True)
            parts.append(Part(own, worker, values))
        return parts

    @cached_property
    def summaries(self):
        """(largest |X|, first row) of each part; raise ValueError if a value is not finite."""
        parts = [
            (part.values, [(block._replace(read=None),) for block in self.blocks[part.blocks]])
            for part in self.parts
        ]
        try:
            summaries = ClusterRows(self.client, parts).each(_summary)
        except BaseException:
            self.client.cancel([values for values, _ in parts])
            raise
        for summary in summaries:
            if isinstance(summary, ValueError):
                raise summary
        return summaries

    @cached_property
    def largest(self):
        return max(largest for largest, _ in self.summaries)

    @cached_property
    def first_row(self):
        return self.summaries[0][1]

    def rows(self, groups, targets, s):
        """Return the rows of all blocks; X is sent to the workers once, targets and weights each time."""
        _ = self.summaries  # which checks that the values are finite
        labelled = [
            (block._replace(read=None), targets[rows].astype(self.dtype), s[rows].astype(self.dtype))
            for group in groups
            for rows, block in group
        ]
        parts = []
        for part in self.parts:  # each gets its labels once, on the worker that holds its values
            where = {"workers": [part.worker], "allow_other_workers": True}
            own = sent(self.client, labelled[part.blocks])
            parts.append((part.values, self.client.submit(list, own, pure=False, **where)))
        return ClusterRows(self.client, parts)

    def describe_reading(self):
        return f"X is held by {len(self.client.nthreads())} workers of the Dask cluster."


def sent(client, arguments):
    """Return the arguments of a task, or the future of large ones on all workers: any may be lost."""
    from dask.sizeof import sizeof

    if sizeof(arguments) < SCATTERED_BYTES:
        return arguments
    (future,) = client.scatter([arguments], broadcast=True, hash=False)
    return future


def _joined(chunks_of_blocks):
    """Return the values of each block as one array that is held in memory."""
    # What another process sends is often not aligned: every product would copy it.
    return [np.require(joined_rows(chunks), requirements="CA") for chunks in chunks_of_blocks]


def joined_rows(chunks):
    """Return chunks of rows or of images as one array of rows."""
    for chunk in chunks:
        if not isinstance(chunk, np.ndarray):
            raise TypeError(
                f"A chunk of X is a {type(chunk).__name__}, expected a NumPy array. What was persisted on a "
                "cluster can be fitted only where its client is active, not inside its tasks."
            )
        if np.ma.is_masked(chunk):
            raise ValueError("X has masked values. Leave these samples out, or fill them in.")
    rows = [np.asarray(chunk).reshape(len(chunk), -1) for chunk in chunks if len(chunk)]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def _summary(blocks):
    """Return the largest |X| of a part and its first row, or the error that a value is not finite."""
    try:
        largest = max(largest_of(block) for (block,) in blocks)
    except ValueError as error:
        return error  # not raised: of several errors, Dask would raise any
    _, few = next(blocks[0][0].small_blocks())
    return largest, few.X[0].astype(np.float64)


class ClusterRows(StoredRows):
    """Parts of the rows, [(values, blocks), ...], on the workers of a cluster: a step is a task for each."""

    def __init__(self, client, parts):
        super().__init__(parts)
        self.client = client

    def total(self, f, *arguments):
        first, *others = self.each(_total_of, f, arguments)
        return added([deepcopy(first), *others])  # arrays from other processes are read-only

    def each(self, function, *arguments):
        """Return [function(blocks, *arguments), ...], computed by the workers that hold the parts."""
        if self.client.status != "running":
            raise RuntimeError(
                f"The Dask client is {self.client.status}: the samples of this fit are on its workers, which "
                "it no longer reaches. Fit again with a client that stays open."
            )
        futures = []
        try:
            arguments = sent(self.client, arguments)
            for values, blocks in self.groups:
                futures.append(self.client.submit(_call, function, values, blocks, arguments, pure=False))
            return self.client.gather(futures)
        except BaseException:
            self.client.cancel(futures)
            raise


def _call(function, values, blocks, arguments):
    """Return function(blocks, *arguments), where each block reads its values from memory."""
    held = [
        (block._replace(read=partial(np.asarray, array)), *labels)
        for array, (block, *labels) in zip(values, blocks, strict=True)
    ]
    return function(held, *arguments)


def _total_of(blocks, f, arguments):
    return StoredRows([blocks]).total(f, *arguments)
