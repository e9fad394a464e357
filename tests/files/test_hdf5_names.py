"""Names of classes as other programs store them: the same structures, written by h5py."""

import h5py
import numpy as np
import pytest
from hdf5_files import assert_equal, assert_names, small_dataset, write_raw

from sknn_basic import read_hdf5

NAMES = ["cat", "dog", "Käuzchen"]
PLAIN = ["cat", "dog", "horse"]
KEY = "list_classes"


def create(file, name, data, **attributes):
    dataset = file.create_dataset(name, data=data)
    dataset.attrs.update(attributes)
    return dataset


def codes(name, dtype):
    """The text as MATLAB and Octave write it: a row of characters, with its axes reversed."""
    content = name.encode({1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}[np.dtype(dtype).itemsize])
    return np.frombuffer(content, dtype)[:, np.newaxis]


def code_matrix(names, dtype):
    """A char matrix, whose rows are padded by spaces, with its axes reversed."""
    longest = max(map(len, names))
    return np.array([list(map(ord, name.ljust(longest))) for name in names], dtype).T


def matlab_cells(shape, **attributes):
    def write(file):
        group = file.create_group("#refs#")
        cells = np.empty(3, h5py.ref_dtype)
        for i, name in enumerate(NAMES):
            cells[i] = create(group, str(i), codes(name, np.uint16), **attributes).ref
        create(file, KEY, cells.reshape(shape), MATLAB_class=np.bytes_("cell"))

    return write


def matlab_chars(file):
    create(file, KEY, code_matrix(NAMES, np.uint16), MATLAB_class=np.bytes_("char"), MATLAB_int_decode=2)


def octave(kind, value):
    def write(file):
        variable = file.create_group(KEY)
        variable.attrs["OCTAVE_NEW_FORMAT"] = np.uint8(1)
        variable["type"], variable["value"] = np.bytes_(kind), value

    return write


def octave_cells(dims, names=NAMES):
    def write(file):
        file[f"{KEY}/type"] = np.bytes_("cell")
        for i, name in enumerate(names):
            file[f"{KEY}/value/_{i:02}/type"] = np.bytes_("sq_string")
            file[f"{KEY}/value/_{i:02}/value"] = codes(name, np.int8)
        file[f"{KEY}/value/dims"] = dims

    return write


def pytables(atom, dtype):
    def write(file):
        dataset = file.create_dataset(KEY, (3,), h5py.vlen_dtype(dtype))
        dataset[:] = [codes(name, dtype)[:, 0] for name in NAMES]
        dataset.attrs["PSEUDOATOM"] = np.bytes_(atom)

    return write


def hdf5storage(shape):
    """What its option matlab_compatible=False and then True give; each text is padded by NUL."""

    def write(file):
        text = np.array([list(map(ord, name.ljust(8, "\0"))) for name in NAMES], np.uint32)
        marks = {"Python.Shape": np.array([3]), "Python.numpy.UnderlyingType": np.bytes_("str256")}
        create(file, KEY, text.reshape(shape), **marks)

    return write


def compressed(options):
    def write(file):
        data = np.array(NAMES, object)
        file.create_dataset(KEY, data=data, dtype=h5py.string_dtype(), chunks=(2,), **options)

    return write


def padded_by_space(file):
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(9)
    kind.set_strpad(h5py.h5t.STR_SPACEPAD)
    space = h5py.h5s.create_simple((3,))
    values = np.array([name.encode().ljust(9) for name in NAMES], "S9")
    h5py.h5d.create(file.id, KEY.encode(), kind, space).write(space, space, values, mtype=kind)


def latin(values):
    return lambda file: create(file, KEY, values, _Encoding="latin-1")


def enumeration(file):
    members = {"horse": 9, "cat": 1, "dog": 2}
    create(file, KEY, np.array([1, 2, 9], h5py.enum_dtype(members)))


def text(array):
    return lambda file: create(file, KEY, array)


def attribute(value):
    return lambda file: file.attrs.create(KEY, value)


BYTES = np.array([name.encode() for name in NAMES])
STR = np.array(NAMES, h5py.string_dtype())
CHARACTERS = np.array([b"cat", b"dog", b"horse"]).view("S1").reshape(3, 5)
LATIN = np.array([name.encode("latin-1") for name in NAMES])
READ = {
    "a column": (text(BYTES[:, np.newaxis]), NAMES),
    "a row": (text(BYTES[np.newaxis]), NAMES),
    "a column of any length": (text(STR[:, np.newaxis]), NAMES),
    "a row of any length": (text(STR[np.newaxis]), NAMES),
    "letters in a column": (text(np.array([[b"a"], [b"b"], [b"c"]])), ["a", "b", "c"]),
    "padded by spaces": (padded_by_space, NAMES),
    "integers in a row": (text([[3, 5, 7]]), ["3", "5", "7"]),
    "whole floats": (text([3.0, 5, 7]), ["3", "5", "7"]),
    "an enumeration": (enumeration, PLAIN),
    "netCDF": (text(CHARACTERS), PLAIN),
    "netCDF, padded by spaces": (text(np.where(CHARACTERS == b"", b" ", CHARACTERS)), PLAIN),
    "netCDF in Latin-1": (latin(LATIN.view("S1").reshape(3, 8)), NAMES),
    "Latin-1": (latin(LATIN), NAMES),
    "MATLAB's cells in a row": (matlab_cells((3, 1), MATLAB_class=np.bytes_("char")), NAMES),
    "MATLAB's cells in a column": (matlab_cells((1, 3), MATLAB_class="char"), NAMES),
    "cells without a class": (matlab_cells((3,)), NAMES),
    "MATLAB's characters": (matlab_chars, NAMES),
    "Octave's characters": (octave("string", code_matrix(PLAIN, np.int8)), PLAIN),
    "Octave's numbers": (octave("matrix", [[3.0], [5], [7]]), ["3", "5", "7"]),
    "Octave's cells in a row": (octave_cells([3, 1]), NAMES),
    "Octave's cells in a column": (octave_cells([1, 3]), NAMES),
    "twelve of Octave's cells": (octave_cells([12, 1], list("abcdefghijkl")), list("abcdefghijkl")),
    "PyTables' bytes": (pytables("vlstring", np.uint8), NAMES),
    "PyTables' str": (pytables("vlunicode", np.uint32), NAMES),
    "hdf5storage": (hdf5storage((24,)), NAMES),
    "hdf5storage for MATLAB": (hdf5storage((24, 1)), NAMES),
    "gzip and shuffle": (compressed({"compression": "gzip", "shuffle": True}), NAMES),
    "shuffle": (compressed({"shuffle": True}), NAMES),
    "lzf": (compressed({"compression": "lzf", "shuffle": True}), NAMES),
    "in a group": (lambda file: file.create_group(KEY).update({"names": BYTES}), NAMES),
    "an attribute": (attribute(BYTES), NAMES),
    "an attribute of str": (attribute(STR), NAMES),
}


def with_names(path, write):
    with h5py.File(write_raw(path, small_dataset(list_classes=None)), "a") as file:
        write(file)
    return path


@pytest.mark.parametrize(("write", "expected"), READ.values(), ids=READ)
def test_names_of_other_programs(tmp_path, write, expected):
    """They are read, also where only one of two files has them."""
    path = with_names(tmp_path / "a.h5", write)
    assert read_hdf5(path).classes.tolist() == expected
    other = write_raw(tmp_path / "b.h5", small_dataset(list_classes=None))
    assert read_hdf5(other, path).classes.tolist() == expected


def octave_empty(file):
    octave("cell", [0, 0])(file)
    file[KEY].attrs["OCTAVE_EMPTY_MATRIX"] = np.uint8(1)


def cell_of_numbers(file):
    octave_cells([2, 1], ["a", "b"])(file)
    del file[f"{KEY}/value/_01/value"]
    file[f"{KEY}/value/_01/value"] = code_matrix(PLAIN, np.int8)


def cell_elsewhere(file):
    octave_cells([2, 1], ["a", "b"])(file)
    del file[f"{KEY}/value/_01"]
    file[f"{KEY}/value/_01"] = h5py.ExternalLink("other.h5", "/")


def references_to_groups(file):
    file[KEY] = np.array([file.create_group(name).ref for name in "ab"], h5py.ref_dtype)


def matlab_object(file):
    create(file, KEY, np.zeros((1, 6), np.uint32), MATLAB_class=np.bytes_("string"), MATLAB_object_decode=3)


def matlab_empty(file):
    create(file, KEY, np.zeros(2, np.uint64), MATLAB_class=np.bytes_("cell"), MATLAB_empty=np.uint8(1))


REFUSED = {
    "one name or three": (text(np.array([[b"a", b"b", b"c"]])), r"one name or 3, expected \(n_classes,\)"),
    "a single text": (text("cat,dog"), r"has shape \(\), expected \(n_classes,\)"),
    "a matrix of texts": (text(np.array([[b"aa", b"b"], [b"c", b"d"]])), r"shape \(2, 2\), expected"),
    "a matrix of members": (
        text(np.ones((2, 2), h5py.enum_dtype({"cat": 1}))), r"shape \(2, 2\), expected \(n_classes,\)"
    ),
    "an enumeration's stranger": (text(np.zeros((1, 2, 2), h5py.enum_dtype({"a": 1}))), "expected"),
    "a matrix of integers": (text(np.zeros((3, 5), np.uint8)), r"has shape \(3, 5\), expected"),
    "booleans": (text([True, False]), "has type bool, expected text"),
    "floats in a column": (text([[0.5], [1]]), "has type float64, expected text"),
    "Latin-1 that is not declared": (text(LATIN), r"expected text in UTF-8 .*decode\('latin-1'\)"),
    "cells in a matrix": (octave_cells([2, 2], list("abcd")), r"cells of shape \(2, 2\), expected"),
    "a cell of many texts": (cell_of_numbers, "a cell that is not one text, expected"),
    "a cell in another file": (cell_elsewhere, "'_01' is a link"),
    "references to groups": (references_to_groups, "is a group, expected a dataset"),
    "an empty variable of Octave": (octave_empty, "has no values, expected"),
    "an empty array of MATLAB": (matlab_empty, "has no values, expected"),
    "an object of MATLAB": (matlab_object, "only MATLAB can read, expected .*cellstr"),
    "pickled lists of PyTables": (pytables("object", np.uint8), "or lists, expected text.*in h5py"),
    "a group of two": (
        lambda file: file.create_group(KEY).update({"index": [0, 1], "values": BYTES}),
        "is a group of index, values, expected",
    ),
    "an attribute of one text": (attribute("cat,dog"), r"attribute 'list_classes' has shape \(\), expected"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), REFUSED.values(), ids=REFUSED)
def test_names_that_are_not_clear(tmp_path, write, expected):
    """They are refused, in one line, rather than guessed; the file of another link is not opened."""
    path = with_names(tmp_path / "a.h5", write)
    with pytest.raises((ValueError, OSError), match=expected) as error:
        read_hdf5(path)
    assert_names(error, path, KEY)


def test_half_a_character(tmp_path):
    """A lone surrogate is no text."""
    path = with_names(tmp_path / "a.h5", matlab_cells((3, 1)))
    with h5py.File(path, "a") as file:
        file["#refs#/2"][0] = 0xD800
    with pytest.raises(ValueError, match="expected text in UTF-8") as error:
        read_hdf5(path)
    assert_names(error, path, KEY)


def test_all_variables_of_octave(tmp_path):
    """Each is a group of its type and its value."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for key, value in small_dataset(list_classes=None).items():
            file[f"{key}/type"] = np.bytes_("matrix")
            file[f"{key}/value"] = value[:, np.newaxis].astype(float) if "y" in key else value
        octave_cells([1, 3])(file)
    assert_equal(read_hdf5(path), small_dataset())
    pytest.importorskip("dask.array")
    lazy = read_hdf5(path, chunks=1).train_set_x
    np.testing.assert_array_equal(lazy.compute(), small_dataset()["train_set_x"])


@pytest.mark.parametrize("key", ["train_set_x", "test_set_y"])
def test_an_empty_variable_is_not_its_shape(tmp_path, key):
    """MATLAB and Octave store the shape in its place, here of as many numbers as there are test images."""
    path = write_raw(tmp_path / "a.h5", small_dataset(**{key: None}))
    with h5py.File(path, "a") as file:
        create(file, key, np.zeros((2, 1), np.uint64), MATLAB_empty=np.uint8(1))
    with pytest.raises(ValueError, match="has no values, expected") as error:
        read_hdf5(path)
    assert_names(error, path, key)
