"""Dask arrays: samples whose chunks are computed at every step, and methods that work chunk by chunk."""

from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np

from .._descent.stored import Block, Stored
from .cluster import ClusterReader, StoredOnCluster, active_client, joined_rows
from .memory import max_gram_bytes, rows_at_once

# The attribute of the rows of a FlattenScaler that holds their name, the bytes they are computed from as a
# Dask array of images, and the divisor.
UNSCALED = "_sknn_basic_unscaled"


def example_of(X):
    """Return a row like those of a Dask array or table, made up without computing any."""
    if hasattr(X, "_meta_nonempty"):
        return X._meta_nonempty.iloc[:1].fillna(1)
    if np.isnan(X.shape[1:]).any():
        raise ValueError("X has an unknown number of columns: pass X.compute_chunk_sizes().")
    return np.zeros((1, *X.shape[1:]), X.dtype)


def to_stored(X, dtype):
    """Return a Dask array or table of rows as `Stored` samples of a dtype, on the cluster if there is one."""
    X = _in_chunks_of_rows(X)
    m, n = X.shape
    if m == 0:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    X = X if X.dtype.kind in "buif" else X.astype(dtype)
    name, values, divisor = getattr(X, UNSCALED, (None, X, 1.0))
    if name != X.name:  # the rows were changed after they were scaled
        values, divisor = X, 1.0
    rows, chunks = zip(*merged_chunks(X.chunks[0], rows_at_once((n,), dtype.itemsize)), strict=True)
    client = active_client()
    readers = [ClusterReader(values, own, client) for own in chunks] if client else _readers(values, chunks)
    blocks = [Block(own, read, dtype, divisor) for own, read in zip(rows, readers, strict=True)]
    if client:
        return StoredOnCluster(X.shape, values.dtype, blocks, client)
    return Stored(X.shape, values.dtype, blocks, max_gram_bytes(m, n))


def _in_chunks_of_rows(X):
    """Return a Dask array in chunks of whole rows; chunk sizes that are not known are computed, once."""
    if not hasattr(X, "chunks"):
        X = X.to_dask_array()  # with lengths=True it fails where Dask reads several files as one partition
    if np.isnan(sum(X.chunks[0])):
        X = X.copy().compute_chunk_sizes()
    if not isinstance(X._meta, np.ndarray):
        raise TypeError(
            f"X is a Dask array of {type(X._meta).__name__}, expected one of NumPy arrays. Convert its "
            "chunks, such as with X.map_blocks(lambda chunk: chunk.toarray())."
        )
    return _with_whole_rows(X)


def _with_whole_rows(X):
    if all(n == 1 for n in X.numblocks[1:]):
        return X
    if active_client() is not None:
        raise ValueError(
            f"X has its columns in {X.numblocks[1]} chunks, and to join them would move the data from worker "
            "to worker. Pass X.rechunk({1: -1}), or make the array with whole rows."
        )
    sizes = dict.fromkeys(range(1, X.ndim), -1)
    if not np.isnan(X.shape[0]):  # joined, chunks of as many rows as before could be large
        sizes[0] = min(rows_at_once(X.shape[1:]), max(X.chunks[0]))
    return X.rechunk(sizes)


def merged_chunks(sizes, n_rows):
    """Return [(rows, chunks)] of blocks: neighbouring chunks of up to `n_rows` rows, or single ones."""
    blocks, start = [], 0
    for i, size in enumerate(sizes):
        end = start + size
        if blocks and (size == 0 or end - blocks[-1][0].start <= n_rows):
            rows, chunks = blocks.pop()
            blocks.append((slice(rows.start, end), slice(chunks.start, i + 1)))
        elif size:
            blocks.append((slice(start, end), slice(i, i + 1)))
        start = end
    return blocks


def _readers(values, slices):
    """Return a `Reader` for each slice of the chunks, from one optimised graph."""
    import dask
    from dask.core import flatten
    from dask.optimization import cull

    (values,) = dask.optimize(values)
    graph, keys = dict(values.__dask_graph__()), list(flatten(values.__dask_keys__()))
    return [Reader(cull(graph, keys[chunks])[0], keys[chunks]) for chunks in slices]


class Reader(NamedTuple):
    """Computes chunks, and joins them to rows, in the thread that calls it."""

    graph: dict
    keys: list

    def __call__(self):
        import dask

        return joined_rows(dask.get(self.graph, self.keys))


def mapped(method, estimator, X, divisor=None):
    """Return the Dask array of method(estimator, chunk) for the chunks of X.

    If the method divides bytes by `divisor`, the result remembers them.
    """
    import dask.array as da

    example = method(estimator, example_of(X))[:1]  # which raises the method's errors
    X = _with_whole_rows(X) if hasattr(X, "chunks") else X.to_dask_array()
    nameless = copy(estimator)
    for name in ("feature_names_in_", "_parent_callback_ctx"):  # the latter differs for each fit of a search
        vars(nameless).pop(name, None)
    result = da.map_blocks(
        partial(_apply, method, nameless, example[:0]),
        X,
        dtype=example.dtype,
        chunks=(X.chunks[0], *((n,) for n in example.shape[1:])),
        drop_axis=list(range(example.ndim, X.ndim)),
        new_axis=list(range(X.ndim, example.ndim)),
        meta=example[:0],
    )
    if divisor is not None and X.dtype == np.uint8:
        setattr(result, UNSCALED, (result.name, X, float(divisor)))  # of another name after an assignment
    return result


def _apply(method, estimator, empty, chunk):
    return method(estimator, chunk) if len(chunk) else empty
