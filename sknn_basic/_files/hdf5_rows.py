"""Rows of a dataset of an HDF5 file, read again and again by path: h5py's objects cannot leave a process."""

from functools import lru_cache, partial
from math import prod
from pathlib import Path
from threading import Lock

import h5py
import numpy as np
from h5py import h5t

from .hdf5 import DIGEST_KEY, check_storage, check_unchunked, checked_values, find, reading
from .hdf5_chunks import check_chunks, read_chunks

_lock = Lock()


class StoredDataset:
    """A dataset as `dask.array.from_array` takes it: rows are read at each access.

    Every check of `read_values` is made that does not need all values.
    """

    def __init__(self, path, key, where, dataset):
        self.path, self.key, self.where = Path(path).absolute(), key, where
        self.shape, self.dtype, self.ndim = dataset.shape, dataset.dtype, dataset.ndim
        self.version = _version(self.path)
        self.has_digest = DIGEST_KEY in dataset.attrs
        self.rows_of_chunk = dataset.chunks[0] if dataset.chunks else 1
        check_storage(dataset, where)
        with reading(where):
            check_chunks(dataset) if dataset.chunks else check_unchunked(dataset)

    def __getitem__(self, index):
        rows, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(rows, slice):
            wanted = np.arange(*rows.indices(self.shape[0]))
        else:
            wanted = np.asarray(rows)
        if wanted.size == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)[(wanted, *rest)]
        first, end = int(wanted.min()), int(wanted.max()) + 1
        with reading(self.where):
            if _version(self.path) != self.version:
                raise ValueError("the file has changed since it was opened")
            values = checked_values(self._read(first, end))
        is_all = isinstance(rows, slice) and len(wanted) == end - first and wanted[0] == first
        return values[(slice(None) if is_all else wanted - first, *rest)]

    def _read(self, first, end):
        place = _place(self.path, self.key, self.where, self.version)
        if place is not None:
            return place.read(self.path, first, end, self.shape, self.dtype)
        with h5py.File(self.path, "r") as file:
            dataset = find(file, self.key, self.where)
            return read_chunks(dataset, first, end) if dataset.chunks else np.asarray(dataset[first:end])


def _version(path):
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _place(*arguments):
    with _lock:  # threads that ask for the same would each look for it
        return _find_place(*arguments)


@lru_cache(16)
def _find_place(path, key, where, version):
    """Return the `Place` of values that are in the file just as they are in memory, else None."""
    with h5py.File(path, "r") as file:
        dataset = find(file, key, where)
        if file.userblock_size or not dataset.id.get_type().equal(h5t.py_create(dataset.dtype)):
            return None
        if dataset.id.get_create_plist().get_nfilters():
            return None
        if not dataset.chunks:
            offset = dataset.id.get_offset()  # None of values in the header
            return None if offset is None else Place(len(dataset), np.array([offset]))
        if dataset.chunks[1:] != dataset.shape[1:] or not hasattr(dataset.id, "chunk_iter"):
            return None
        place = Place(dataset.chunks[0], np.zeros(-(-len(dataset) // dataset.chunks[0]), np.int64))
        n_bytes = prod(dataset.chunks) * dataset.dtype.itemsize
        dataset.id.chunk_iter(partial(place.note, n_bytes))
        if place.offsets.min() <= 0 or place.offsets.max() + n_bytes > version[1]:
            raise ValueError(
                "a chunk is absent, not of the size of its values, or beyond the end of the file"
            )
        return place


class Place:
    """Where rows are in a file: `offsets` are those of runs of `n_rows` rows.

    HDF5 reads under a lock, one thread at a time: images that are a chunk each, in three times the time.
    """

    def __init__(self, n_rows, offsets):
        self.n_rows, self.offsets = n_rows, offsets

    def note(self, n_bytes, chunk):
        """Note the offset of a chunk, if it has so many bytes."""
        if chunk.size == n_bytes:
            self.offsets[chunk.chunk_offset[0] // self.n_rows] = chunk.byte_offset

    def read(self, path, first, end, shape, dtype):
        values = np.empty((end - first, *shape[1:]), dtype)
        content, row = values.reshape(-1).view(np.uint8), prod(shape[1:]) * dtype.itemsize
        starts = np.unique(np.clip(np.arange(first - first % self.n_rows, end, self.n_rows), first, end))
        places = self.offsets[starts // self.n_rows] + starts % self.n_rows * row
        ends = np.append(starts[1:], end)
        # Neighbours in the file are read together.
        breaks = np.flatnonzero(places[1:] != places[:-1] + (ends - starts)[:-1] * row) + 1
        with path.open("rb", buffering=0) as file:
            for i, j in zip([0, *breaks], [*breaks, len(starts)], strict=True):
                part = content[(starts[i] - first) * row : (ends[j - 1] - first) * row]
                file.seek(int(places[i]))
                while len(part):
                    n = file.readinto(part)
                    if not n:
                        raise ValueError("the file ends before its values do")
                    part = part[n:]
        return values
