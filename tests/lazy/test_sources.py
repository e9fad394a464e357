"""What X is, by the library of its class; arrays in files are refused; memmaps; and nobody else asks."""

import re
import sys
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

import sknn_basic
from engines import ENGINES, engine_of
from models import BOTH, assert_same_model, blobs, both, images
from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV, propagate
from sknn_basic._lazy.sources import (
    DaskArray,
    DaskTable,
    Memmap,
    Source,
    computed,
    refuse_unindexable,
    shape_of,
    source_of,
)


def of_library(module, **attributes):
    """Return an object whose class says that it is of a module, without importing that."""
    return type("Array", (), {"__module__": module, **attributes})()


ARRAY = np.ones((2, 3))


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (ARRAY, Source),
        (ARRAY.tolist(), Source),
        (sparse.csr_array(ARRAY), Source),
        (pd.DataFrame(ARRAY), Source),
        (ARRAY.view(np.memmap), Source),
        (ARRAY.astype(np.float32).view(np.memmap), Source),
        (ARRAY.astype(">f8").view(np.memmap), Memmap),
        (ARRAY.astype(np.uint8).view(np.memmap), Memmap),
        (ARRAY.astype(np.uint8).view(np.memmap)[0], Source),
        (of_library("dask.array.core", chunks=((2,), (3,))), DaskArray),
        (of_library("dask.dataframe.dask_expr._collection"), DaskTable),
        (of_library("dask_expr._collection"), DaskTable),
        (of_library("h5py._hl.group"), Source),  # without a shape: no array
        (of_library("xarray.core.dataarray", shape=(2, 3), _in_memory=True), Source),
        (of_library("tablespoon", shape=(2, 3)), Source),
    ],
)
def test_kinds(X, kind):
    assert type(source_of(X)) is kind


def test_a_table_of_a_module_that_is_called_like_a_library_is_in_memory():
    """Such as a user's own tables.py; a class need not say where it is from either."""
    rows = np.eye(2)
    for kind in (pd.DataFrame, np.ndarray):
        own = type("Own", (kind,), {"__module__": "tables"})
        X = own(rows) if kind is pd.DataFrame else rows.view(own)
        assert type(source_of(X)) is Source
    assert type(source_of(type("Odd", (list,), {"__module__": None})([[1.0]]))) is Source


@pytest.mark.parametrize("module", ["h5py._hl.files", "zarr.core.group", "netCDF4._netCDF4", "xarray.core"])
def test_a_group_of_arrays_is_no_array(module):
    group = of_library(module, __getitem__=None)
    library = module.partition(".")[0]
    with pytest.raises(TypeError, match=f"X is no array but the Array of {library}: pass an array in it"):
        LogisticRegressionGD().fit(group, [0, 1])


def test_tables_have_no_numbered_rows():
    with pytest.raises(TypeError, match=r"to_dask_array\(lengths=True\)"):
        refuse_unindexable(of_library("dask.dataframe.dask_expr._collection", shape=("unknown", 3)))
    refuse_unindexable(of_library("dask.array.core", chunks=((2,), (3,))))


def test_shapes():
    assert shape_of([[1, 2], [3, 4], [5, 6]]) == (3, 2)
    assert shape_of([[1, 2], [3]]) == shape_of(of_library("dask.dataframe", shape=("unknown", 3))) == ()
    assert shape_of(of_library("netCDF4", shape=(4, 3))) == (4, 3)


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        ("h5py._hl.dataset", r"an h5py dataset.*-1\)\) \(extra dask\) or read_hdf5\(path, chunks='auto'\)"),
        ("zarr.core.array", r"a Zarr array.*-1\)\) \(extra dask\)"),
        ("tables.carray", r"a PyTables array.*-1\), lock=True\)"),
        ("netCDF4._netCDF4", r"a netCDF4 variable.*-1\), lock=True\)"),
        ("h5netcdf.core", r"an h5netcdf variable.*-1\)\) "),
        ("xarray.core.dataarray", r"an xarray array .*X\.chunk\({'m': 104857, 'h': -1, 'w': -1}\)\.data"),
    ],
)
def test_arrays_in_files_are_refused(module, advice):
    """Wherever X enters, before a value is read; in a subclass too. Labels may be in files."""
    X, y = of_library(module, shape=(60, 4, 5), dims=("m", "h", "w")), np.arange(60) % 2
    rows = np.ones((60, 20)) * y[:, np.newaxis]
    model, scaler = LogisticRegressionGD(max_iter=2).fit(rows, y), FlattenScaler().fit(np.full((2, 4, 5), 9))
    subclass = type("Own", (type(X),), {"__module__": "own"})()
    doors = [
        (model.fit, X, y),
        (model.fit, subclass, y),
        (partial(model.fit, X_val=X, y_val=y), rows, y),
        (model.score, X, y),
        (propagate, X, y, np.ones(20), 0),
        (VectorizedGridSearchCV(model, {"max_iter": [1]}).fit, X, y),
    ]
    answers = model.predict, model.predict_proba, model.predict_log_proba, model.decision_function
    doors += [(door, X) for door in (*answers, scaler.fit, scaler.transform, scaler.inverse_transform)]
    for door, *arguments in doors:
        with pytest.raises(
            TypeError, match=rf"X is {advice}.*; to read it as a whole, X(\[:\]|\.load\(\))\.$"
        ):
            door(*arguments)
    assert computed(X) is X


def pytables(X, path):
    tables = pytest.importorskip("tables")
    file = tables.open_file(path, "w")
    return file, file.create_carray("/", "X", obj=X)


def netcdf(library, X, path):
    file = pytest.importorskip(library).Dataset(path, "w")
    for name, size in zip("mn", X.shape, strict=True):
        file.createDimension(name, size)
    variable = file.createVariable("X", X.dtype, ("m", "n"))
    variable[:] = X
    return file, variable


def hdf5(X, path):
    file = h5py.File(path, "w")
    return file, file.create_dataset("X", data=X)


def zarr(X, path, version):
    return None, pytest.importorskip("zarr").array(X, zarr_format=version)


def xarray(chunks, X, path):
    pytest.importorskip("h5netcdf")
    library = pytest.importorskip("xarray")
    library.Dataset({"X": (("m", "n"), X)}).to_netcdf(path, engine="h5netcdf")
    dataset = library.open_dataset(path, engine="h5netcdf", chunks=chunks)
    return dataset, dataset["X"]


@pytest.mark.parametrize(
    "write",
    [
        hdf5,
        partial(zarr, version=2),
        partial(zarr, version=3),
        pytables,
        partial(netcdf, "netCDF4"),
        partial(netcdf, "h5netcdf.legacyapi"),
        partial(xarray, None),
        partial(xarray, {"m": 7}),
    ],
)
def test_the_advice_gives_the_model_of_x_in_memory(write, tmp_path):
    """What the message says to pass is taken, block by block, in `fit` and in `predict`; so is the whole."""
    dask = pytest.importorskip("dask")
    pytest.importorskip("dask.array")
    X, y = blobs()
    file, dataset = write(X, tmp_path / "X.h5")
    model = LogisticRegressionGD(0.1, max_iter=20)
    with pytest.raises(TypeError, match="To read it block by block, pass") as caught:
        model.fit(dataset, y)
    advice = re.search(r", pass (.*) \(extra dask\).*; to read it as a whole, (.*)\.$", str(caught.value))
    lazy, whole = (eval(code, {"X": dataset, "dask": dask}) for code in advice.groups())
    expected = clone(model).fit(X, y)
    for taken in (lazy, whole):
        assert_same_model(model.fit(taken, y), expected, 1e-12)
        predictions = computed(model.predict_proba(taken))
        np.testing.assert_allclose(predictions, expected.predict_proba(X), rtol=1e-10)
    if file is not None:
        file.close()


# Memmaps


@pytest.mark.filterwarnings("ignore:Gradient descent (has not finished|did not lower)")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, ">f4", np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40, 5), (20, 300)])
@both
def test_memmaps(engine, dtype, shape, model, tmp_path, monkeypatch):
    monkeypatch.setattr("sknn_basic._lazy.memory.READ_BYTES", 8 * 5 * 15)
    X, y = blobs(2, *shape)
    np.save(tmp_path / "X.npy", (10 * X + 100).astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = clone(model).set_params(learning_rate=1e-5, max_iter=50)
    tolerance = 1e-10 if np.dtype(dtype).newbyteorder("=") != np.float32 else 1e-4
    plain = np.array(mapped, mapped.dtype.newbyteorder("="))
    with engine_of(engine):
        expected, got = clone(model).fit(plain, y), clone(model).fit(mapped, y)
    assert_same_model(got, expected, tolerance)
    np.testing.assert_allclose(got.predict_proba(mapped), expected.predict_proba(plain), rtol=1e3 * tolerance)


def converted_memmap(X):
    return X.astype(">f8").view(np.memmap)


def test_predictions_of_a_memmap_with_nan():
    X, y = blobs()
    model = LogisticRegressionGD(max_iter=5).fit(X, y)
    X[33, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN, first in row 33"):
        model.predict(converted_memmap(X))


# One door


def test_arrays_in_memory_do_not_pass_through_dask(monkeypatch):
    """Nothing of Dask is imported for NumPy's arrays, lists, sparse matrices and memmaps."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("dask", "distributed")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "sknn_basic._lazy.dask", None)
    X, y = images()
    rows = FlattenScaler().fit_transform(X)
    for model in BOTH:
        for kind in (np.asarray, np.ndarray.tolist, sparse.csr_array, converted_memmap):
            fitted = clone(model).set_params(max_iter=2).fit(kind(rows), y, X_val=kind(rows), y_val=y)
            assert fitted.predict(kind(rows)).shape == y.shape
            assert 0 <= fitted.score(kind(rows), y) <= 1


def test_nobody_else_asks_what_x_is():
    """Only `_lazy` looks at the library of X; all others import none but two of its modules."""
    question = re.compile(r"type\(.*\.__module__|np\.memmap|hasattr\(X, .chunks.\)|\.compute\(\)")
    imports = re.compile(r"^ *from \.+_lazy\.?(.*) import|^ *from \.+ import .*_lazy", re.MULTILINE)
    for path in Path(sknn_basic.__file__).parent.rglob("*.py"):
        if path.parent.name != "_lazy":
            source = path.read_text()
            assert not question.search(source), path
            assert {*imports.findall(source)} <= {"sources", "memory"}, path
