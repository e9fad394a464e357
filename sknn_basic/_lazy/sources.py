"""What X is: the one place that asks, by the library of its class, without importing that library.

Every kind of X is a `Source`. Arrays in files are refused, since NumPy would read them as a whole.
"""

from functools import cache, partial, wraps

import numpy as np
from sklearn import get_config

from .._descent.arrays import foreign, is_foreign, namespace, on_host, placed
from .._descent.device import OnDevice
from .._descent.rows import slices
from .._descent.stored import Block, Stored
from .._sklearn import DISPATCHES, find_namespace, float_dtypes, to_host
from .memory import max_gram_bytes, rows_at_once

DASK = ("dask", "dask_expr")
IN_MEMORY = {"numpy", "pandas", "polars", "scipy"}
# The arrays in files of each library, and how Dask must read them: two libraries are not safe in threads.
FILES = {
    "h5py": ("an h5py dataset", ""),
    "zarr": ("a Zarr array", ""),
    "tables": ("a PyTables array", ", lock=True"),
    "netCDF4": ("a netCDF4 variable", ", lock=True"),
    "h5netcdf": ("an h5netcdf variable", ""),
    "xarray": ("an xarray array that is not in memory", ""),
}


foreign.update(find=find_namespace, to_host=to_host)


class Source:
    """X in memory: an array, a sparse matrix, a table or a list. Its subclasses are not in memory."""

    is_stored = False  # read block by block at every step, as `stored` returns it
    is_lazy = False  # of Dask: no value is known before it is computed, and methods return Dask arrays too

    def __init__(self, X):
        self.X = X

    def example(self):
        """Return what scikit-learn's validation can look at: X, or in its place a row like those of X."""
        return self.X

    def dtypes(self, dtype=None):
        """Return the types of floats to keep, in the words of X's library: one of NumPy, or both."""
        return dtype or (np.float32 if is_float32(self.X) else [np.float64, np.float32])

    def held(self, X):
        """Return the samples in the form that a descent takes; X is the validated example."""
        return self.stored(X.dtype) if self.is_stored else X


class DeviceArray(Source):
    """An array of another library, while scikit-learn dispatches by the array API standard."""

    def __init__(self, X):
        if not DISPATCHES:
            raise ImportError(
                f"Arrays of {type(X).__module__} with array_api_dispatch=True need scikit-learn 1.9 or "
                "newer: upgrade it, or pass arrays of NumPy."
            )
        super().__init__(X.detach() if hasattr(X, "detach") else X)  # of PyTorch, without its gradients

    def dtypes(self, dtype=None):
        found = float_dtypes(self.X)
        if namespace(self.X).isdtype(self.X.dtype, "complex floating"):
            raise ValueError(f"Complex data not supported: X has the type {self.X.dtype}.")
        return found if dtype is None else [getattr(namespace(self.X), dtype.name)]

    def held(self, X):
        return OnDevice(X)


class Memmap(Source):
    """Rows in a file that NumPy maps into memory, and that must be converted to floats."""

    is_stored = True

    def example(self):
        return self.X[:1]

    def stored(self, dtype):
        m, n = self.X.shape
        n_rows = rows_at_once((n,), dtype.itemsize)
        blocks = [Block(rows, partial(self.X.__getitem__, rows), dtype) for rows in slices(m, n_rows)]
        return Stored((m, n), self.X.dtype, blocks, max_gram_bytes(m, n))


class DaskArray(Source):
    """A Dask array, or a subclass for tables; `dask.py` is imported for these alone."""

    is_stored = is_lazy = True

    def __init__(self, X):
        from . import dask

        super().__init__(X)
        self.dask = dask

    def example(self):
        return self.dask.example_of(self.X)

    def stored(self, dtype):
        return self.dask.to_stored(self.X, dtype)

    def mapped(self, method, estimator, divisor=None):
        return self.dask.mapped(method, estimator, self.X, divisor)


class DaskTable(DaskArray):
    """A table or a series of Dask, whose rows have no numbers."""


def source_of(X):
    """Return X as a `Source`; raise TypeError for an array in a file."""
    refuse_files(X)
    return _kind_of(X)(X)


def _kind_of(X):
    if _library_of(type(X)) in DASK:
        return DaskArray if hasattr(X, "chunks") else DaskTable
    if is_foreign(X) and get_config()["array_api_dispatch"]:
        return DeviceArray
    is_mapped = isinstance(X, np.memmap) and X.ndim == 2 and X.size and X.dtype.kind in "buif"
    return Memmap if is_mapped and X.dtype not in (np.float32, np.float64) else Source


@cache
def _library_of(kind):
    """Return the library that defines a class or a base class of it, if it matters here, else None."""
    libraries = [str(base.__module__).partition(".")[0] for base in kind.__mro__]
    if not IN_MEMORY.isdisjoint(libraries):  # also of a class in a user's module that is called tables.py
        return None
    return next((library for library in libraries if library in DASK or library in FILES), None)


def refuse_files(X):
    """Raise TypeError if X is an array in a file, which Dask reads block by block, or a group of these."""
    library = _library_of(type(X))
    if library not in FILES or (library == "xarray" and getattr(X, "_in_memory", False)):
        return
    if getattr(X, "shape", None) is None:
        if hasattr(type(X), "__getitem__"):
            raise TypeError(f"X is no array but the {type(X).__name__} of {library}: pass an array in it.")
        return
    name, lock = FILES[library]
    chunks = rows_at_once(X.shape[1:]), *[-1] * (len(X.shape) - 1)
    by_blocks, whole = f"dask.array.from_array(X, chunks={chunks}{lock}) (extra dask)", "X[:]"
    if library == "h5py":
        by_blocks += " or read_hdf5(path, chunks='auto')"
    elif library == "xarray":
        sizes = dict(zip(X.dims, chunks, strict=True))
        by_blocks, whole = f"X.chunk({sizes}).data (extra dask)", "X.load()"
    raise TypeError(
        f"X is {name}, which would be read as a whole. To read it block by block, pass {by_blocks}; to read "
        f"it as a whole, {whole}."
    )


def refuse_unindexable(X):
    """Raise TypeError if no rows of X can be taken by their numbers, as a search does."""
    if isinstance(source_of(X), DaskTable):
        raise TypeError(
            "X is a Dask table, but a search takes rows by their numbers: pass X.to_dask_array(lengths=True)."
        )


def computed(values):
    """Return labels, weights or predictions on the host; computed, if they are of Dask."""
    source = _kind_of(values)(values)
    if isinstance(source, DeviceArray):
        return on_host(source.X)
    return values.compute() if source.is_lazy else values


def placed_like(array, values):
    """Return values of the host where an array is that may be of another library."""
    is_elsewhere = _kind_of(array) is DeviceArray
    return placed(values, namespace(array), array.device) if is_elsewhere else values


def lazy_method(method):
    """Decorate a method of X: of a Dask array it returns another, whose chunks are those of the method."""

    @wraps(method)
    def method_by_chunks(self, X):
        source = source_of(X)
        # Looked up on no instance: an override calls this method, and works on its result.
        return source.mapped(method_by_chunks, self) if source.is_lazy else method(self, X)

    return method_by_chunks


class LazyOutputMixin:
    """Leaves the output for X of Dask lazy where `set_output` asks for a table, which would hold all rows.

    It comes before TransformerMixin, which wraps the methods of each class that defines them.
    """

    def __init_subclass__(cls, **options):
        own = {name: vars(cls)[name] for name in ("transform", "fit_transform") if name in vars(cls)}
        super().__init_subclass__(**options)
        for name, method in own.items():
            setattr(cls, name, _unless_lazy(vars(cls)[name], method))

    def fit_transform(self, X, y=None, **fit_params):
        """Fit to X and return its transform.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What `fit` takes.
        y : None
            Ignored.
        **fit_params : dict
            For `fit`.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features_in_)
            What `transform` returns.
        """
        if _kind_of(X).is_lazy:
            return self.fit(X, y, **fit_params).transform(X)
        return super().fit_transform(X, y, **fit_params)


def _unless_lazy(wrapped, method):
    """Return a method that calls `wrapped`, or for X of Dask what that wraps."""

    @wraps(method)
    def choose(self, X, *args, **kwargs):
        return (method if _kind_of(X).is_lazy else wrapped)(self, X, *args, **kwargs)

    return choose


def shape_of(array):
    """Return the shape of an array-like, or () if it has none."""
    if _kind_of(array) is DaskTable:
        return ()
    try:
        return tuple(array.shape) if hasattr(array, "shape") else np.asarray(array).shape
    except ValueError:  # a ragged list
        return ()


def is_float32(X):
    """Whether all values are float32: of any byte order, or columns of pandas, polars or PyArrow."""
    if hasattr(X, "dtype"):
        dtypes = [X.dtype]
    else:
        dtypes = X.dtypes if hasattr(X, "dtypes") else getattr(getattr(X, "schema", None), "types", [None])
    return {_name_of(dtype) for dtype in dtypes} <= {"float32", "<f4", ">f4", "float"}


def _name_of(dtype):
    """Return the name of the values' type, for extension types of pandas too."""
    return str(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))).lower().rpartition(".")[2]
