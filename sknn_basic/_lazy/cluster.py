"""Samples on the workers of a Dask cluster: each holds a part of the rows, and adds up its blocks."""

import sys
from copy import deepcopy
from functools import cached_property
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
    try:
        get_worker()
    except ValueError:
        pass
    else:
        return None
    try:
        client = default_client()
    except ValueError:
        return None
    return client if client.status == "running" else None


class Spread(Stored):
    """The rows of a Dask array, which the workers of a cluster hold: a part for each of their threads.

    The `read` of a block is the slice of its chunks.
    """

    is_local = False

    def __init__(self, shape, values, blocks, client):
        super().__init__(shape, values.dtype, blocks)
        self.values, self.client = values, client
        self.facts = None

    def rows(self, groups, targets, s):
        """Return the rows; built once, since all that are asked for are the same."""
        if self.facts is None:
            blocks = [block for group in groups for _, block in group]
            rows = SpreadRows(self.client, self._hold(blocks, targets, s))
            try:
                self.facts = rows.each(_facts)
            except BaseException:
                self.client.cancel(rows.groups)
                raise
            self.spread_rows = rows
        messages = [fact.message for fact in self.facts if fact.message]
        if messages:
            raise ValueError(messages[0])
        return self.spread_rows

    @cached_property
    def largest(self):
        return max(fact.largest for fact in self.facts)

    @cached_property
    def first_row(self):
        return self.facts[0].first_row

    def describe_reading(self):
        return f"X is held by {len(self.client.nthreads())} workers of the Dask cluster."

    def _hold(self, blocks, targets, s):
        """Return the futures of the parts, in the order of their rows: neighbours, built where they stay."""
        from dask import delayed

        workers = [worker for worker, n in self.client.nthreads().items() for _ in range(n)]
        if not workers:
            raise RuntimeError("The Dask cluster has no workers: start some, or close its client.")
        futures = []
        for worker, some in zip(workers, np.array_split(np.arange(len(blocks)), len(workers)), strict=True):
            if len(some) == 0:
                continue
            own = [blocks[i] for i in some]
            part = delayed(_held)(
                [self._chunks(block) for block in own],
                [block._replace(read=None) for block in own],
                self._sent(_compact(targets[own[0].rows.start : own[-1].rows.stop])),
                self._sent(_compact(s[own[0].rows.start : own[-1].rows.stop])),
            )
            futures.append(self.client.compute(part, workers=[worker], allow_other_workers=True))
        return futures

    def _sent(self, compact):
        """Return what a task takes: weights that differ go to all workers, of which any may be lost."""
        if compact[1].nbytes < SCATTERED_BYTES:
            return compact
        return self.client.scatter([compact], broadcast=True, hash=False)[0]

    def _chunks(self, block):
        return self.values.blocks[block.read].to_delayed(optimize_graph=True).ravel().tolist()


def _compact(array):
    """Return integers as int8, and equal values as a scalar of each column, with the number of rows."""
    if (array == array[0]).all():
        return len(array), array[0]
    small = array.astype(np.int8)
    return len(array), small if (small == array).all() else array


def _expanded(compact, dtype):
    m, array = compact
    return np.ascontiguousarray(np.broadcast_to(array, (m, array.shape[-1])), dtype)


class Held(NamedTuple):
    """Values that a worker holds in memory."""

    values: np.ndarray

    def __call__(self):
        return self.values


def _held(chunks, blocks, targets, s):
    """Return [(block, targets, s), ...] of a part, with their values in memory."""
    dtype = blocks[0].dtype
    targets, s = _expanded(targets, dtype), _expanded(s, dtype)
    first = blocks[0].rows.start
    part = []
    for block in blocks:
        rows = slice(block.rows.start - first, block.rows.stop - first)
        # What another process sends is often not aligned: every product would copy it.
        block = block._replace(read=Held(np.require(joined_rows(chunks[len(part)]), requirements="CA")))
        part.append((block, targets[rows], s[rows]))
    return part


def joined_rows(chunks):
    """Return chunks of rows or of images as one array of rows."""
    for chunk in chunks:
        if not isinstance(chunk, np.ndarray):
            raise TypeError(
                f"A chunk of X is a {type(chunk).__name__}, expected a NumPy array. What was persisted on a "
                "cluster can be fitted only where its client is active, not inside its tasks."
            )
    rows = [chunk.reshape(len(chunk), -1) for chunk in chunks if len(chunk)]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


class Facts(NamedTuple):
    """What the descent must know of a part: the largest |X| and the first row, or what is wrong."""

    largest: float
    first_row: np.ndarray
    message: str | None


def _facts(part):
    largest, first_row, message = 0.0, None, None
    for block, _, _ in part:
        for rows, few in block.small_blocks():
            first_row = few.X[0].astype(np.float64) if first_row is None else first_row
            largest = max(largest, few.largest)
            if message is None and not np.isfinite(few.largest):
                message = not_finite(few.X, block.rows.start + rows.start)
    return Facts(largest, first_row, message)


class SpreadRows(Rows):
    """Parts of the rows on the workers of a cluster: a step is a task for each."""

    def __init__(self, client, parts):
        super().__init__(parts)
        self.client = client

    def only_block(self):
        return None

    def total(self, f, *arguments):
        first, *others = self.each(_total_of, f, arguments)
        return added([deepcopy(first), *others])  # arrays from other processes are read-only

    def each(self, function, *arguments):
        """Return [function(part, *arguments), ...], computed by the workers that hold the parts."""
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
            for part in self.groups:
                futures.append(self.client.submit(_call, function, part, arguments, pure=False))
            return self.client.gather(futures)
        except BaseException:
            self.client.cancel(futures)
            raise


def _call(function, part, arguments):
    return function(part, *arguments)


def _total_of(part, f, arguments):
    return StoredRows([part]).total(f, *arguments)
