"""Names of classes in HDF5 files: text as h5py, netCDF, R, PyTables, MATLAB and Octave store it."""

from math import prod

import h5py
import numpy as np
from h5py import h5g, h5r

from .hdf5 import as_dataset, check_storage, content, member, read_values, reading, resolve

# Types of Octave, a class of MATLAB and atoms of PyTables: numbers of these are the codes of characters.
TEXT = {"string", "sq_string", "char", "vlstring", "vlunicode"}
LATIN = {"latin-1", "latin1", "iso-8859-1", "iso8859-1"}  # as netCDF may call it
ADVICE = "Names are stored by file['list_classes'] = ['no', 'yes'] with the file open in h5py."


def read_names(file, key, where):
    """Return the names as an array, one of each class, or raise an error that says what they are instead."""
    item = resolve(file, key, where)
    cells = _cells(file, item, where)
    if cells is None:
        return _names(item, where)
    names = [_names(cell, where, is_cell=True) for cell in cells]
    if any(texts.size != 1 for texts in names):
        raise ValueError(f"{where} has a cell that is not one text, expected a name per class. {ADVICE}")
    return np.array([texts.item() for texts in names], object)


def is_line(shape):
    """Whether at most one of the axes is longer than 1."""
    return prod(shape) == max(shape, default=1)


def _cells(file, item, where):
    """Return the objects in the cells of Octave or MATLAB, None if the item is no such array."""
    with reading(where):
        inner = content(item)
        is_octave = isinstance(inner, h5g.GroupID) and inner.links.exists(b"dims")
        cells = {name: member(inner, name) for name in inner} if is_octave else {}
    if is_octave:
        shape = read_values(as_dataset(cells.pop(b"dims"), where), where)
        with reading(where):
            shape = tuple(map(int, shape.ravel()))
        cells = list(cells.values())  # in the order of their names, which are numbers
    else:
        dataset = as_dataset(inner, where)
        with reading(where):
            is_written = dataset.id.get_storage_size() > 0
        if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference or not is_written:
            return None
        check_storage(dataset, where)
        with reading(where):
            shape, cells = dataset.shape, np.asarray(dataset[()], object).ravel()
            cells = [h5r.dereference(cell, file.id) for cell in cells]
    if not is_line(shape):
        raise ValueError(f"{where} has cells of shape {shape}, expected (n_classes,). {ADVICE}")
    return cells


def _names(item, where, is_cell=False):
    """Return the names in a dataset, or in Octave's group around it; in a cell, 16 bits are a character."""
    with reading(where):
        inner = content(item)
    dataset = as_dataset(inner, where)
    with reading(where):
        is_text = not TEXT.isdisjoint(_types(item, dataset)) or (is_cell and dataset.dtype == np.uint16)
        is_latin = _attribute(dataset, "_Encoding").lower() in LATIN and dataset.dtype.kind == "S"
    if dataset.dtype.kind == "O" and not h5py.check_string_dtype(dataset.dtype):
        is_codes = dataset.ndim == 1 and h5py.check_vlen_dtype(dataset.dtype) in (np.uint8, np.uint32)
        if not (is_text and is_codes):
            raise ValueError(f"{where} holds references or lists, expected text. {ADVICE}")
        check_storage(dataset, where)
        with reading(where):
            return np.array([_text(codes) for codes in dataset[()]], object)
    values = read_values(dataset, where)
    with reading(where):
        values = _decoded(dataset, values, is_text)
    if values.dtype == "S1" and values.ndim == 2 and values.size > 1:
        raise ValueError(
            f"{where} has shape {values.shape} of characters, one name or {values.size}, expected "
            f"(n_classes,). {ADVICE}"
        )
    values = values.ravel() if values.ndim > 1 and is_line(values.shape) else values
    return np.char.decode(values.astype(bytes), "latin-1").astype(object) if is_latin else values


def _attribute(dataset, name):
    value = dataset.attrs.get(name, "")
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _types(item, dataset):
    """Return the types that MATLAB and PyTables give as attributes, Octave in the group around the data."""
    types = {_attribute(dataset, "MATLAB_class"), _attribute(dataset, "PSEUDOATOM")}
    if isinstance(item, h5g.GroupID) and item.links.exists(b"type"):
        types.add(np.bytes_(h5py.Dataset(member(item, b"type"))[()]).decode(errors="replace"))
    return types


def _decoded(dataset, values, is_text):
    """Return rows of characters as text, members of an enumeration by their names, floats as integers."""
    is_coded = _attribute(dataset, "Python.numpy.UnderlyingType").startswith(("str", "bytes"))
    members = h5py.check_enum_dtype(dataset.dtype)
    if members:
        names = {value: name for name, value in members.items()}
        texts = [names.get(value, value) for value in values.ravel().tolist()]
        return np.array(texts, object).reshape(values.shape)
    if values.dtype == "S1" and values.ndim == 2 and len(values) > 1:  # of netCDF
        rows = values.view(np.uint8)
    elif values.dtype.kind in "ui" and is_coded:  # of hdf5storage; without a shape, if it is a single text
        rows = values.reshape(prod(dataset.attrs["Python.Shape"]), -1)
    elif values.dtype.kind in "ui" and is_text:  # of MATLAB and Octave, with the axes reversed
        rows = np.atleast_2d(values.T)
    else:
        is_whole = values.dtype.kind == "f" and all(map(float.is_integer, map(float, values.ravel())))
        return values.astype(np.int64) if is_whole else values
    return np.array([_text(row) for row in rows], object)


def _text(codes):
    """Return the text of UTF-8 in bytes, or of wider codes, without what pads it to the longest."""
    n_bytes = codes.dtype.itemsize
    if n_bytes == 1:
        return codes.tobytes().rstrip(b"\0 ")
    text = codes.astype(f"<u{n_bytes}").tobytes().decode(f"utf-{8 * n_bytes}-le", "surrogatepass")
    return text.rstrip("\0 ")
