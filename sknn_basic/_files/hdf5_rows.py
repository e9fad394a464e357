"""Rows of a dataset of an HDF5 file, reopened by path for each read, since h5py objects cannot be pickled."""

from math import prod
from pathlib import Path

import h5py
import numpy as np
from h5py import h5t

from .hdf5 import check_filters, check_storage, checked_values, find, reading


class StoredDataset:
    """A dataset as `dask.array.from_array` takes it: rows are read at each access.

    Every check of `read_values` is made that does not need all values. HDF5 reads under a lock, one thread at
    a time; values that are in the file as they are in memory are therefore read without it.
    """

    def __init__(self, path, key, where, dataset):
        check_storage(dataset, where)
        self.path, self.key, self.where = Path(path).absolute(), key, where
        self.shape, self.ndim, self.size = dataset.shape, dataset.ndim, dataset.size
        self.stored_dtype, self.dtype = dataset.dtype, dataset.dtype.newbyteorder("=")
        self.rows_of_chunk = dataset.chunks[0] if dataset.chunks else 1
        self.is_filtered = dataset.id.get_create_plist().get_nfilters() > 0
        self.version = _version(self.path)
        with reading(where):
            self.offset = _offset(dataset)

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
        values = self._read(first, end)
        with reading(self.where):
            values = checked_values(values).astype(self.dtype, copy=False)
        is_all = isinstance(rows, slice) and len(wanted) == end - first and wanted[0] == first
        return values[(slice(None) if is_all else wanted - first, *rest)]

    def _read(self, first, end):
        if self.offset is not None:
            with reading(self.where):
                return self._read_in_one_piece(first, end)
        with reading(self.where):
            file = h5py.File(self.path, "r")
        with file:
            dataset = find(file, self.key, self.where)
            check_filters(dataset, self.where)  # those of this process, maybe another than the first
            with reading(self.where):
                return dataset[first:end]

    def _read_in_one_piece(self, first, end):
        n_values = prod(self.shape[1:])
        offset, n = self.offset + first * n_values * self.dtype.itemsize, (end - first) * n_values
        # Not mapped to memory: the process would die if another cut the file short.
        values = np.fromfile(self.path, self.stored_dtype, n, offset=offset)
        if len(values) < n:
            raise ValueError("the file ends before its values do")
        return values.reshape(end - first, *self.shape[1:])


def _version(path):
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _offset(dataset):
    """Return where in the file the values are, in one piece and as they are in memory, else None."""
    is_as_in_memory = dataset.id.get_type().equal(h5t.py_create(dataset.dtype))
    return dataset.id.get_offset() if is_as_in_memory and not dataset.chunks else None
