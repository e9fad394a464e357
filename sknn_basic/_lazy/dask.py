"""Dask arrays: samples whose chunks are computed at every step, and methods that work chunk by chunk."""

import os
from contextlib import suppress
from copy import copy
from functools import partial, wraps
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._descent.stored import Block, Stored
from .cluster import Spread, active_client, joined_rows

# Bytes of floats that are read at a time: several small chunks, which saves Dask's time for each.
READ_BYTES = 2**24
# The attribute of the rows of a FlattenScaler that holds the Dask array of images, in bytes, and the divisor.
PIXELS = "_sknn_basic_pixels"


def is_dask(X):
    """Whether X is an array, a series or a table of Dask."""
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr")


def in_memory(y):
    """Return y; computed, if it is of Dask."""
    return y.compute() if is_dask(y) else y


def example_of(X):
    """Return a row such as those of a Dask array or table, made up without computing any."""
    if hasattr(X, "_meta_nonempty"):
        return X._meta_nonempty.iloc[:1].fillna(1)
    if np.isnan(X.shape[1:]).any():
        raise ValueError("X has an unknown number of columns: pass X.compute_chunk_sizes().")
    return np.zeros((1, *X.shape[1:]), X.dtype)


def as_array(X):
    """Return an array or a table of Dask as an array that is chunked along its rows alone.

    Chunk sizes that are not known are computed, once.
    """
    if not hasattr(X, "chunks"):
        X = X.to_dask_array(lengths=True)
    elif np.isnan(sum(X.chunks[0])):
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
    n_rows = max(READ_BYTES // (8 * prod(X.shape[1:])), 1)
    sizes = dict.fromkeys(range(1, X.ndim), -1)
    if not np.isnan(X.shape[0]):  # joined, chunks of as many rows as before could be large
        sizes[0] = min(n_rows, max(X.chunks[0]))
    return X.rechunk(sizes)


def to_stored(X, dtype, is_local=False):
    """Return a Dask array of rows, as `as_array` returns it, as `Stored` samples of a dtype.

    They are on a cluster if there is one, unless `is_local`.
    """
    name, values, divisor = getattr(X, PIXELS, (None, X, 1.0))
    if name != X.name:
        values, divisor = X, 1.0
    client = None if is_local else active_client()
    runs = _runs(X.chunks[0], max(READ_BYTES // (X.shape[1] * dtype.itemsize), 1))
    if client is not None:
        blocks = [Block(rows, chunks, dtype, divisor) for rows, chunks in runs]
        return Spread(X.shape, values, blocks, client)
    graph, keys = _graph_of(values)
    blocks = [Block(rows, Reader(*_needed(graph, keys[chunks])), dtype, divisor) for rows, chunks in runs]
    return Stored(X.shape, values.dtype, blocks, memory() / 4)


def _runs(sizes, n_rows):
    """Return [(rows, chunks)]: neighbouring chunks of up to `n_rows` rows, or single ones, none empty."""
    runs, start = [], 0
    for i, size in enumerate(sizes):
        end = start + size
        if runs and (size == 0 or end - runs[-1][0].start <= n_rows):
            rows, chunks = runs.pop()
            runs.append((slice(rows.start, end), slice(chunks.start, i + 1)))
        elif size:
            runs.append((slice(start, end), slice(i, i + 1)))
        start = end
    return runs


def _graph_of(values):
    """Return the optimised graph of a Dask array as a dict, and the keys of its chunks."""
    import dask
    from dask.core import flatten

    (values,) = dask.optimize(values)
    return dict(values.__dask_graph__()), list(flatten(values.__dask_keys__()))


def _needed(graph, keys):
    """Return the part of a graph that some keys need, and the keys."""
    from dask.optimization import cull

    return cull(graph, keys)[0], keys


class Reader(NamedTuple):
    """Computes chunks, and joins them to rows, in the thread that calls it."""

    graph: dict
    keys: list

    def __call__(self):
        import dask

        return joined_rows(dask.get(self.graph, self.keys))


# Methods


def by_chunks(method):
    """Decorate a method of X: of a Dask array it returns another, whose chunks are those of the method."""

    @wraps(method)
    def method_by_chunks(self, X):
        # Of this class: an override, which calls this method, works on its result.
        return lazily(method_by_chunks, self, X) if is_dask(X) else method(self, X)

    return method_by_chunks


def lazily(method, estimator, X):
    """Return the Dask array of method(estimator, chunk) for the chunks of X."""
    example = method(estimator, example_of(X))[:1]  # which raises the method's errors
    if hasattr(X, "chunks"):
        X = _with_whole_rows(X)
    else:
        X = X.to_dask_array()
    nameless = copy(estimator)
    vars(nameless).pop("feature_names_in_", None)
    return map_chunks(partial(_apply, method, nameless, example[:0]), X, example)


def scaled_rows(transform, scaler, X):
    """Return the Dask array of a FlattenScaler's rows, which knows of the bytes that they are made of."""
    X = _with_whole_rows(X) if hasattr(X, "chunks") else X
    rows = lazily(transform, scaler, X)
    if hasattr(X, "chunks") and X.dtype == np.uint8:
        setattr(rows, PIXELS, (rows.name, X, float(scaler.divisor)))  # of another name after an assignment
    return rows


def map_chunks(function, X, example):
    """Return the Dask array of function(chunk); `example` is the result for one row."""
    import dask.array as da

    n_lost, n_new = max(X.ndim - example.ndim, 0), max(example.ndim - X.ndim, 0)
    return da.map_blocks(
        function,
        X,
        dtype=example.dtype,
        chunks=(X.chunks[0], *((n,) for n in example.shape[1:])),
        drop_axis=list(range(X.ndim - n_lost, X.ndim)),
        new_axis=list(range(X.ndim, X.ndim + n_new)),
        meta=example[:0],
    )


def _apply(method, estimator, empty, chunk):
    return method(estimator, chunk) if len(chunk) else empty


# What is not read


def refuse_files(X):
    """Raise TypeError for datasets of h5py and arrays of Zarr, which NumPy would read as a whole."""
    library = type(X).__module__.partition(".")[0]
    if library in ("h5py", "zarr") and hasattr(X, "shape"):
        n_rows = max(READ_BYTES // (8 * max(prod(X.shape[1:]), 1)), 1)
        what = "dataset of h5py" if library == "h5py" else "array of Zarr"
        raise TypeError(
            f"X is a {what}, which would be read as a whole. To read it block by block, pass "
            f"dask.array.from_array(X, chunks=({n_rows}{', -1' * (len(X.shape) - 1)})) (extra dask) or "
            "read_hdf5(path, chunks='auto'); to read it as a whole, X[:]."
        )


def refuse_tables(X):
    """Raise TypeError for tables of Dask, of which no rows can be taken by their numbers."""
    if is_dask(X) and not hasattr(X, "chunks"):
        raise TypeError(
            "X is a Dask table, but a search takes rows by their numbers: pass X.to_dask_array(lengths=True)."
        )


def is_converted(X):
    """Whether X is a memmap that must be converted to floats, as bytes are: never as a whole."""
    if not isinstance(X, np.memmap) or X.dtype.kind not in "buif" or X.ndim != 2 or 0 in X.shape:
        return False
    return X.dtype not in (np.float32, np.float64) or not X.dtype.isnative


def memmap_to_stored(X, dtype):
    n_rows = max(READ_BYTES // (X.shape[1] * dtype.itemsize), 1)
    slices = [slice(i, min(i + n_rows, len(X))) for i in range(0, len(X), n_rows)]
    blocks = [Block(rows, partial(X.__getitem__, rows), dtype) for rows in slices]
    return Stored(X.shape, X.dtype, blocks, memory() / 4)


def memory():
    """Return the bytes of memory of this computer, or less by a limit; 8 GiB if nothing tells."""
    found = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # "max" is no number
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError):  # on Windows
        import resource

        limits = [resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
        found += [limit for limit in limits if limit != resource.RLIM_INFINITY]
    return min(found, default=2**33)
