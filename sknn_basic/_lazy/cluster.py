"""Samples on the workers of a Dask cluster: each holds a part of the rows, and adds up its blocks."""

import sys
from concurrent.futures import CancelledError
from contextlib import suppress
from copy import deepcopy
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .._descent.rows import added
from .._descent.stored import Stored, StoredRows, largest_of
from .._descent.threads import threads
from .workers import POLL_SECONDS, cancel, computed, threads_of_workers

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
    client: object

    def __call__(self):
        return joined_rows(computed(self.client, self._whole))

    def _whole(self):
        yield self.client.compute(self.values.blocks[self.chunks])

    def futures(self):
        tasks = self.values.blocks[self.chunks].to_delayed(optimize_graph=True)
        return self.client.compute(tasks.ravel().tolist())


class Part(NamedTuple):
    """Neighbouring blocks, as a slice of all, and the future of their values on a worker."""

    blocks: slice
    values: object


class StoredOnCluster(Stored):
    """The rows of a Dask array on the workers of a cluster: each of their threads holds a part."""

    def __init__(self, shape, kind, blocks, client):
        super().__init__(shape, kind, blocks)  # without a Gram matrix: its rows are on several computers
        self.client = client

    @cached_property
    def shares(self):
        """The blocks of each part, one for each thread of the workers that there are at first.

        They stay as they are, since the roundings of the sums depend on them.
        """
        n = min(len(threads_of_workers(self.client)), len(self.blocks))
        shares = np.array_split(np.arange(len(self.blocks)), n)
        return [slice(share[0], share[-1] + 1) for share in shares]

    @cached_property
    def parts(self):
        """The parts, in row order; each is built on the worker that keeps it.

        Only they are bound to a worker. The chunks may be those of others too, and what is bound to a worker
        that has gone is never computed if there was no other at that moment.
        """
        threads, n = threads_of_workers(self.client), len(self.shares)
        parts = []
        for i, share in enumerate(self.shares):
            chunks = [block.read.futures() for block in self.blocks[share]]
            where = {"workers": [threads[i * len(threads) // n]], "allow_other_workers": True}
            parts.append(Part(share, self.client.submit(_joined, chunks, pure=False, **where)))
        return parts

    def forget_lost(self):
        if any(part.values.status in ("cancelled", "error") for part in vars(self).get("parts", ())):
            del self.parts

    @cached_property
    def summaries(self):
        """(largest |X|, first row) of each part; raise ValueError if a value is not finite."""
        try:
            summaries = computed(self.client, self._summarized, self.forget_lost)
        except BaseException:
            cancel(self.client, [part.values for part in vars(self).get("parts", ())])
            raise
        for summary in summaries:
            if isinstance(summary, ValueError):
                raise summary
        return summaries

    def _summarized(self):
        for part in self.parts:
            blocks = [(block._replace(read=None),) for block in self.blocks[part.blocks]]
            yield self.client.submit(_call, _summary, part.values, blocks, (), pure=False)

    @cached_property
    def largest(self):
        return max(largest for largest, _ in self.summaries)

    @cached_property
    def first_row(self):
        return self.summaries[0][1]

    def rows(self, groups, targets, s):
        """Return the rows of all blocks; X is sent to the workers once, targets and weights each time."""
        _ = self.summaries  # which checks that the values are finite
        targets, s = (labels.astype(self.dtype, copy=False) for labels in (targets, s))
        own = [
            (block._replace(read=None), targets[rows], s[rows]) for group in groups for rows, block in group
        ]
        return ClusterRows(self, own)

    def describe_reading(self):
        return f"X is held by {len(self.client.nthreads())} workers of the Dask cluster."


def sent(client, arguments):
    """Return the arguments of a task, or the future of large ones on all workers: any may be lost."""
    from dask.sizeof import sizeof

    if sizeof(arguments) < SCATTERED_BYTES:
        return arguments
    try:
        (future,) = client.scatter([arguments], broadcast=True, hash=False, timeout=POLL_SECONDS)
    except (OSError, KeyError) as error:  # workers were lost meanwhile
        raise CancelledError from error.with_traceback(None)
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
    """Blocks [(block, targets, s), ...] on the workers of a cluster: a step is a task for each part."""

    def __init__(self, samples, blocks):
        super().__init__([blocks[share] for share in samples.shares])
        self.samples, self.client = samples, samples.client

    @cached_property
    def labelled(self):
        """The futures of the blocks of each part with their labels, which are sent once."""
        return [self.client.submit(list, sent(self.client, blocks), pure=False) for blocks in self.groups]

    def forget_lost(self):
        vars(self).pop("labelled", None)
        self.samples.forget_lost()

    def total(self, f, *arguments):
        first, *others = computed(self.client, partial(self._totals, f, arguments), self.forget_lost)
        return added([deepcopy(first), *others])  # arrays from other processes are read-only

    def _totals(self, f, arguments):
        arguments = sent(self.client, (f, arguments))
        for part, blocks in zip(self.samples.parts, self.labelled, strict=True):
            yield self.client.submit(_call, _total_of, part.values, blocks, arguments, pure=False)


def _call(function, values, blocks, arguments):
    """Return function(blocks, *arguments), where each block reads its values from memory.

    BLAS has one thread meanwhile, so that the number of its threads on a worker changes no bit.
    """
    held = [
        (block._replace(read=partial(np.asarray, array)), *labels)
        for array, (block, *labels) in zip(values, blocks, strict=True)
    ]
    with threads.shared_out():
        return function(held, *arguments)


def _total_of(blocks, f, arguments):
    return StoredRows([blocks]).total(f, *arguments)
