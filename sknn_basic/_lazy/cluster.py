"""Samples on the workers of a Dask cluster: each holds a part of the rows, and adds up its blocks."""

import sys
from contextlib import suppress
from copy import deepcopy
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .._descent.rows import Rows, added
from .._descent.stored import Stored, StoredRows, not_finite

SCATTERED_BYTES = 2**20  # arrays from this size on are sent once to each worker, not with a task


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
        shares = np.array_split(np.arange(len(self.blocks)), len(workers))
        parts = []
        for worker, share in zip(workers, shares, strict=True):
            if len(share):
                own = slice(share[0], share[-1] + 1)
                values = delayed(_joined)([block.read.tasks() for block in self.blocks[own]])
                values = self.client.compute(values, workers=[worker], allow_other_workers=True)
                parts.append(Part(own, worker, values))
        return parts

    @cached_property
    def summaries(self):
        """A `Summary` of each part; raise ValueError if a value is not finite."""
        values = [part.values for part in self.parts]
        blocks = [[(_sendable(block), None, None) for block in self.blocks[own]] for own, *_ in self.parts]
        try:
            summaries = ClusterRows(self.client, list(zip(values, blocks, strict=True))).each(_summary)
        except BaseException:
            self.client.cancel(values)
            raise
        for summary in summaries:
            if summary.message:
                raise ValueError(summary.message)
        return summaries

    @cached_property
    def largest(self):
        return max(summary.largest for summary in self.summaries)

    @cached_property
    def first_row(self):
        return self.summaries[0].first_row

    def rows(self, groups, targets, s):
        """Return the rows of all blocks; X is sent to the workers once, targets and weights each time."""
        _ = self.summaries  # which checks that the values are finite
        blocks = [block for group in groups for _, block in group]
        return ClusterRows(
            self.client, [(part.values, self._labelled(part, blocks, targets, s)) for part in self.parts]
        )

    def _labelled(self, part, blocks, targets, s):
        """Return the future of [(block, targets, s), ...] on the worker that holds the values."""
        own = [_sendable(block) for block in blocks[part.blocks]]
        rows = slice(own[0].rows.start, own[-1].rows.stop)
        labels = own, targets[rows].astype(self.dtype), s[rows].astype(self.dtype)
        if labels[1].nbytes + labels[2].nbytes >= SCATTERED_BYTES:
            (labels,) = self.client.scatter([labels], broadcast=True, hash=False)  # any worker may be lost
        where = {"workers": [part.worker], "allow_other_workers": True}
        return self.client.submit(_labelled_blocks, labels, pure=False, **where)

    def describe_reading(self):
        return f"X is held by {len(self.client.nthreads())} workers of the Dask cluster."


def _sendable(block):
    return block._replace(read=None)


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


def _labelled_blocks(labels):
    """Return [(block, targets, s), ...] of neighbouring blocks, from the targets and weights of all."""
    blocks, targets, s = labels
    first = blocks[0].rows.start
    slices = [slice(block.rows.start - first, block.rows.stop - first) for block in blocks]
    return [(block, targets[rows], s[rows]) for block, rows in zip(blocks, slices, strict=True)]


class Summary(NamedTuple):
    """What the descent must know of a part: the largest |X| and the first row, or what is wrong."""

    largest: float
    first_row: np.ndarray
    message: str | None


def _summary(blocks):
    largest, first_row, message = 0.0, None, None
    for block, _, _ in blocks:
        for rows, piece in block.small_blocks():
            first_row = piece.X[0].astype(np.float64) if first_row is None else first_row
            largest = max(largest, piece.largest)
            if message is None and not np.isfinite(piece.largest):
                message = not_finite(piece.X, block.rows.start + rows.start)
    return Summary(largest, first_row, message)


class ClusterRows(Rows):
    """Parts of the rows, [(values, blocks), ...], on the workers of a cluster: a step is a task for each."""

    def __init__(self, client, parts):
        super().__init__(parts)
        self.client = client

    def only_block(self):
        return None

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
        from dask.sizeof import sizeof

        futures = []
        try:
            if sizeof(arguments) >= SCATTERED_BYTES:
                (arguments,) = self.client.scatter([arguments], broadcast=True, hash=False)
            for values, blocks in self.groups:
                futures.append(self.client.submit(_call, function, values, blocks, arguments, pure=False))
            return self.client.gather(futures)
        except BaseException:
            self.client.cancel(futures)
            raise


def _call(function, values, blocks, arguments):
    """Return function(blocks, *arguments), where each block reads its values from memory."""
    held = [
        (block._replace(read=partial(np.asarray, array)), targets, s)
        for array, (block, targets, s) in zip(values, blocks, strict=True)
    ]
    return function(held, *arguments)


def _total_of(blocks, f, arguments):
    return StoredRows([blocks]).total(f, *arguments)
