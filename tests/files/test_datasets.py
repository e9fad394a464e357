import sys
import tracemalloc
from pathlib import Path
from unittest.mock import Mock

import h5py
import numpy as np
import pytest
from hdf5_files import KEYS, assert_equal, assert_names, small_dataset, write_raw

import sknn_basic
from sknn_basic import load_photo_patches, read_hdf5, write_hdf5
from sknn_basic._files.datasets import ImageDataset

PACKAGE = Path(sknn_basic.__file__).parent


# Reading


def test_reads_one_file(tmp_path):
    """What h5py wrote is read as it is: images in their own type, labels int64, names str."""
    dataset = read_hdf5(write_raw(tmp_path / "all.h5", small_dataset()))
    assert_equal(dataset, small_dataset())
    assert dataset._fields == ("train_set_x", "train_set_y", "test_set_x", "test_set_y", "classes")
    assert dataset.classes.dtype.kind == "U"


@pytest.mark.parametrize("holders", [(True, True), (True, False), (False, True)])
def test_two_files_equal_one(tmp_path, holders):
    """Training and test keys may be in two files, the class names in either; str paths will do."""
    arrays = small_dataset()
    paths = [tmp_path / "train.h5", tmp_path / "test.h5"]
    for path, keys, holder in zip(paths, (KEYS[:2], KEYS[2:4]), holders, strict=True):
        write_raw(path, {key: arrays[key] for key in (*keys, *KEYS[4:] * holder)})
    assert_equal(read_hdf5(*map(str, paths)), arrays)


def test_second_file_gives_the_test_set(tmp_path):
    """Of two files that hold everything, the first gives the training set and the second the test set."""
    other = small_dataset(train_set_x=np.zeros((1, 4, 3, 2)), train_set_y=[0], test_set_y=np.array([1, 1]))
    first, second = write_raw(tmp_path / "1.h5", small_dataset()), write_raw(tmp_path / "2.h5", other)
    assert_equal(read_hdf5(first, second), small_dataset(test_set_y=np.array([1, 1])))


def test_two_files_must_agree_on_the_classes(tmp_path):
    """Class names that differ, or are in neither file, are an error that names both files."""
    names = {"list_classes": np.array([b"a", b"b", b"c"])}
    first = write_raw(tmp_path / "first.h5", small_dataset())
    second = write_raw(tmp_path / "second.h5", small_dataset(**names))
    with pytest.raises(ValueError, match="expected") as error:
        read_hdf5(first, second)
    assert_names(error, first, second, "list_classes", ["a", "b", "c"], ["cat", "dog", "Käuzchen"])
    for path in (first, second):
        write_raw(path, small_dataset(list_classes=None))
    with pytest.raises(ValueError, match="expected") as error:
        read_hdf5(first, second)
    assert_names(error, first, second, "list_classes")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (np.array(["cat", "dog", "猫"], dtype=h5py.string_dtype()), ["cat", "dog", "猫"]),
        (np.array([b"a", b"b", "猫".encode()], dtype=h5py.string_dtype(length=20)), ["a", "b", "猫"]),
        ([0, 1, 2], ["0", "1", "2"]),
    ],
    ids=["variable length", "fixed length", "integers"],
)
def test_names_of_every_type(tmp_path, names, expected):
    """Class names are decoded from UTF-8 whichever way HDF5 stores text; integers become text."""
    path = write_raw(tmp_path / "a.h5", small_dataset(list_classes=names))
    assert read_hdf5(path).classes.tolist() == expected


LABELS = {
    "a row": [[0, 1, 1, 0]],
    "a column": [[0], [1], [1], [0]],
    "many axes": np.array([0, 1, 1, 0]).reshape(1, 4, 1),
    "big-endian": np.array([0, 1, 1, 0], ">u2"),
    "booleans": np.array([False, True, True, False]),
    "floats in a column": np.array([[0.0], [1], [1], [0]], ">f4"),
    "half precision": np.array([-0.0, 1, 1, 0], np.float16),
    "long doubles": np.array([0, 1, 1, 0], np.longdouble),
    "texts of numbers": np.array([b"0", b"1", b"1", b"0"]),
    "texts of any length": np.array(["0", "1", "1", "0"], h5py.string_dtype()),
    "members of classes": np.array([5, 3, 3, 5], h5py.enum_dtype({"dog": 3, "cat": 5, "owl": 4})),
    "members of others": np.array([0, 1, 1, 0], h5py.enum_dtype({"false": 0, "true": 1, "missing": 2})),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_come_out_flat_and_int64(tmp_path, labels):
    """Whatever has one whole number for each image is read, and written, as (m,) int64."""
    arrays = small_dataset(train_set_y=labels)
    dataset = read_hdf5(write_raw(tmp_path / "a.h5", arrays))
    np.testing.assert_array_equal(dataset.train_set_y, np.array([0, 1, 1, 0]), strict=True)
    write_hdf5(tmp_path / "b.h5", *arrays.values())
    np.testing.assert_array_equal(read_hdf5(tmp_path / "b.h5").train_set_y, dataset.train_set_y)


@pytest.mark.parametrize("label", [2, 2.0, [[2.0]], b"2", True])
def test_a_single_label_needs_no_axis(tmp_path, label):
    arrays = small_dataset(test_set_y=label, test_set_x=np.zeros((1, 4, 3, 2)))
    assert read_hdf5(write_raw(tmp_path / "a.h5", arrays)).test_set_y.tolist() == [1 if label is True else 2]


@pytest.mark.parametrize("dtype", ["bool", "int8", ">u2", "float16", "float32", ">f8", "uint64"])
def test_images_keep_their_type(tmp_path, dtype):
    """Images of every real type keep values and type; the byte order becomes the machine's."""
    images = np.arange(96).reshape(4, 4, 3, 2).astype(dtype)
    dataset = read_hdf5(write_raw(tmp_path / "a.h5", small_dataset(train_set_x=images)))
    native = np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(dataset.train_set_x, images.astype(native), strict=True)
    assert dataset.train_set_x.dtype.isnative


def test_cats(cats, cats_folder):
    """The notes' pictures are read as h5py reads them, with the notes' shapes and names."""
    train_x, train_y, test_x, test_y, classes = cats
    assert (train_x.shape, train_x.dtype) == ((209, 64, 64, 3), np.uint8)
    assert (test_x.shape, test_x.dtype) == ((50, 64, 64, 3), np.uint8)
    assert (train_y.shape, test_y.shape, classes.tolist()) == ((209,), (50,), ["non-cat", "cat"])
    with h5py.File(cats_folder / "train_catvnoncat.h5") as train:
        np.testing.assert_array_equal(train_x, train["train_set_x"])


# Unusable data: the same complaint on reading and before writing

BAD_DATA = {
    "one label too few": ("train_set_y", np.array([0, 1, 2]), "(4,)"),
    "one label too many": ("test_set_y", np.array([0, 1, 2]), "(2,)"),
    "labels as two rows": ("test_set_y", np.array([[0, 1], [0, 1]]), "(1, 2)"),
    "one label without an axis": ("test_set_y", np.int64(1), "(2,)"),
    "labels as two columns": ("train_set_y", np.eye(4, 2), "(1, 4)"),
    "one label that is not whole": (
        "train_set_y",
        np.array([0, 1, 1.5, 1]),
        "the label 1.5, expected an int",
    ),
    "NaN as a label": (
        "train_set_y",
        np.array([0, 1, np.nan, 1], np.float32),
        "the label nan, expected an int",
    ),
    "an infinite label": ("train_set_y", np.array([0, 1, -np.inf, 1]), "the label -inf, expected an int"),
    "a huge float label": ("train_set_y", np.array([0, 1, 1e300, 1]), "the label 1e+300, expected an int"),
    "a huge text label": ("test_set_y", np.array([b"0", b"9" * 30]), "expected 0 to 2"),
    "complex labels": ("train_set_y", np.zeros(4, complex), "type complex128, expected an integer"),
    "compound labels": ("test_set_y", np.zeros(2, [("a", "i4")]), "expected an integer"),
    "text as labels": ("test_set_y", np.array([b"cat", b"dog"]), "return_inverse=True"),
    "labels from one": ("train_set_y", np.array([1, 2, 3, 1]), "Subtract 1"),
    "a negative label": ("train_set_y", np.array([0, -1, 2, 1]), "expected 0 to 2"),
    "a label without a name": ("test_set_y", np.array([0, 3]), "expected 0 to 2"),
    "a huge label": ("test_set_y", np.array([0, 2**64 - 1], np.uint64), "expected 0 to 2"),
    "complex images": ("train_set_x", np.zeros((4, 4, 3, 2), complex), "real numbers"),
    "text as images": ("test_set_x", np.array([[b"one"], [b"two"]]), "real numbers"),
    "compound images": ("train_set_x", np.zeros((4, 2), [("r", "u1"), ("g", "u1")]), "real numbers"),
    "images of no axis": ("train_set_x", np.arange(4), "at least one image"),
    "no training images": ("train_set_x", np.zeros((0, 4, 3, 2)), "at least one image"),
    "no test images": ("test_set_x", np.zeros((0, 4, 3, 2)), "at least one image"),
    "images of no pixels": ("train_set_x", np.zeros((4, 0, 3, 2)), "at least one image"),
    "test images of another shape": ("test_set_x", np.zeros((2, 3, 4, 2)), "(4, 3, 2)"),
    "flattened test images": ("test_set_x", np.zeros((2, 24)), "(4, 3, 2)"),
    "no names": ("list_classes", np.zeros(0, "S1"), "(n_classes,)"),
    "names as a row": ("list_classes", np.array([[b"a", b"b", b"c"]]), "(n_classes,)"),
    "a single name": ("list_classes", np.bytes_(b"cat"), "(n_classes,)"),
    "floats as names": ("list_classes", np.array([0.5, 1.5, 2.5]), "UTF-8"),
    "names in another encoding": ("list_classes", np.array([b"a", b"b", b"K\xe4uzchen"]), "UTF-8"),
    "a name with NUL": ("list_classes", np.array([b"a", b"b", b"c\0d"]), "NUL"),
}


NOT_IN_HDF5 = {
    "None as a label": ("test_set_y", [0, None], "the label None"),
    "objects": ("train_set_x", np.full((4, 2), None), "real numbers"),
    "dates": ("train_set_x", np.zeros((4, 2), "M8[s]"), "real numbers"),
    "a ragged list": ("test_set_x", [[1, 2], [3]], "not an array"),
    "a surrogate": ("list_classes", ["a", "b", "\udcff"], "UTF-8"),
    "NUL at the end": ("list_classes", ["a", "b", "c\0"], "NUL"),
    "None as a name": ("list_classes", ["a", "b", None], "UTF-8"),
}


@pytest.mark.parametrize("name", [*BAD_DATA, *NOT_IN_HDF5])
def test_unusable_data_is_neither_read_nor_written(tmp_path, name):
    """One line names the file, the dataset and what was expected; a file to be replaced stays as it was."""
    path, (key, value, expected) = tmp_path / "a.h5", {**BAD_DATA, **NOT_IN_HDF5}[name]
    if name in BAD_DATA:
        with pytest.raises(ValueError, match="expected") as error:
            read_hdf5(write_raw(path, small_dataset(**{key: value})))
        assert_names(error, path, key, expected)
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="dataset") as error:
        write_hdf5(path, *small_dataset(**{key: value}).values(), overwrite=True)
    assert_names(error, path, key, expected)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_that_are_names_of_other_classes(tmp_path):
    """Text may then be either; the number of its own class is clear."""
    names, labels = np.array([b"0", b"2", b"1"]), np.array([b"0", b"1", b"0", b"1"])
    path = write_raw(tmp_path / "a.h5", small_dataset(list_classes=names, train_set_y=labels))
    with pytest.raises(ValueError, match="has the label b'1', expected an integer") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_y")
    labels[labels == b"1"] = b"0"
    write_raw(path, small_dataset(list_classes=names, train_set_y=labels))
    assert read_hdf5(path).train_set_y.tolist() == [0, 0, 0, 0]


# Axes in the order of column-major programs


@pytest.mark.parametrize("chunks", [None, 2])
@pytest.mark.parametrize(
    ("train_shape", "test_shape"),
    [
        ((4, 4, 3, 2), (2, 4, 3, 2)),  # either order has as many test images
        ((9, 5, 6, 3), (3, 5, 6, 3)),
        ((9, 5, 6, 3), (9, 5, 6, 3)),
        ((5, 5, 5), (7, 5, 5)),  # of one set nothing is seen
        ((9, 4), (3, 4)),
        ((9, 5, 5, 1), (1, 5, 5, 1)),
    ],
)
def test_reversed_axes_are_named(tmp_path, train_shape, test_shape, chunks):
    """With all images along the last axis, whatever the labels' shape and type; the advice mends the file."""
    if chunks:
        pytest.importorskip("dask.array")
    rng, path = np.random.RandomState(0), tmp_path / "a.h5"
    arrays = small_dataset(
        train_set_x=rng.randint(0, 9, train_shape), train_set_y=np.arange(train_shape[0]) % 3,
        test_set_x=rng.randint(0, 9, test_shape), test_set_y=np.arange(test_shape[0]) % 3,
    )  # fmt: skip
    labels = {key: arrays[key].astype(float)[:, np.newaxis] for key in ("train_set_y", "test_set_y")}
    images = {key: arrays[key].T for key in ("train_set_x", "test_set_x")}
    write_raw(path, arrays | labels | images)
    with pytest.raises(ValueError, match="its axes are reversed") as error:
        read_hdf5(path, chunks=chunks)
    assert_names(error, path, "x = file[key][()].T; del file[key]; file[key] = x", "permute", "aperm(x)")
    with pytest.raises(ValueError, match="its axes are reversed"):
        write_hdf5(tmp_path / "b.h5", *(arrays | images).values())
    with h5py.File(path, "a") as file:
        for key in images:
            x = file[key][()].T
            del file[key]
            file[key] = x
    assert_equal(read_hdf5(path), arrays)


def test_three_labels_for_ten_images_of_three_colours(tmp_path):
    """The images of both sets agree, so the labels are wrong."""
    arrays = small_dataset(train_set_x=np.zeros((10, 6, 6, 3)), test_set_x=np.zeros((5, 6, 6, 3)))
    arrays |= {"train_set_y": np.arange(3), "test_set_y": np.arange(5) % 3}
    with pytest.raises(ValueError, match=r"train_set_y' has shape \(3,\), expected \(10,\)"):
        read_hdf5(write_raw(tmp_path / "a.h5", arrays))


# Unusable files


@pytest.mark.parametrize("key", KEYS)
def test_missing_dataset(tmp_path, key):
    """A missing dataset is named, with those that are there; another file may have the test set."""
    path = write_raw(tmp_path / "a.h5", small_dataset(**{key: None}))
    with pytest.raises(ValueError, match="has no dataset") as error:
        read_hdf5(path)
    advice = {"train": "the file with the training set first", "test_": "pass that second"}.get(key[:5], "")
    assert_names(error, path, repr(key), sorted(set(KEYS) - {key}), advice)


def test_other_names_may_be_any_bytes(tmp_path):
    """Another dataset, whose name is not UTF-8, is no obstacle; if one is missing, it is listed."""
    path = write_raw(tmp_path / "a.h5", small_dataset() | {b"K\xe4uzchen": 1})
    assert_equal(read_hdf5(path), small_dataset())
    with h5py.File(path, "a") as file:
        del file["test_set_y"]
    with pytest.raises(ValueError, match="has no dataset 'test_set_y'") as error:
        read_hdf5(path)
    assert_names(error, path, r"b'K\xe4uzchen'")


def test_missing_dataset_of_the_second_file(tmp_path):
    """Of two files, the one that lacks a dataset is named: here they were passed in the wrong order."""
    arrays = small_dataset()
    train = write_raw(tmp_path / "train.h5", {key: arrays[key] for key in KEYS[:2]})
    test = write_raw(tmp_path / "test.h5", {key: arrays[key] for key in KEYS[2:]})
    with pytest.raises(ValueError, match="train_set_x") as error:
        read_hdf5(test, train)
    assert_names(error, test)
    with pytest.raises(ValueError, match="test_set_x") as error:
        read_hdf5(train, train)
    assert_names(error, train)


@pytest.mark.parametrize("position", [0, 1])
def test_missing_file(tmp_path, position):
    """A file that does not exist is a FileNotFoundError, for either argument."""
    paths = [write_raw(tmp_path / "a.h5", small_dataset()), tmp_path / "absent.h5"]
    with pytest.raises(FileNotFoundError, match="expected") as error:
        read_hdf5(paths[1 - position], paths[position])
    assert_names(error, paths[1], "test_set_x" if position else "train_set_x")


def test_folders(tmp_path):
    """A folder is no file, for reading and for writing, and the folder of a file must exist."""
    dataset = small_dataset().values()
    with pytest.raises(OSError, match=f"{tmp_path} is not a file: expected an HDF5 file"):
        read_hdf5(tmp_path)
    for name in ("zarr.json", ".zgroup"):
        (tmp_path / name).touch()
        with pytest.raises(OSError, match=r"is not a file.*from_zarr.*component='train_set_x'") as error:
            read_hdf5(tmp_path)
        assert "read_image_folder" not in str(error.value)
        (tmp_path / name).unlink()
    with pytest.raises(OSError, match=f"{tmp_path} is not a file"):
        write_hdf5(tmp_path, *dataset, overwrite=True)
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path / 'absent'}"):
        write_hdf5(tmp_path / "absent" / "a.h5", *dataset)


def test_not_a_whole_file(tmp_path):
    """A file of another kind, or that lost its end, is an OSError that names the file."""
    path = tmp_path / "a.h5"
    write_hdf5(path, *small_dataset().values())
    content = path.read_bytes()
    cut = [content[:length] for length in [*range(0, len(content), 97), len(content) - 1]]
    for other in (b"label,pixel\n1,2\n", b"\x89HDF\r\n\x1a\n", *cut):
        path.write_bytes(other)
        with pytest.raises(OSError, match="expected a complete HDF5 file") as error:
            read_hdf5(path)
        assert_names(error, path)


@pytest.mark.parametrize(
    ("shape", "dtype", "chunks"),
    [
        ((70_000, 64, 64, 3), "u1", None),
        ((70_000, 64, 64, 3), "u1", (1, 64, 64, 3)),
        ((10**9, 64, 64, 3), "f8", (1, 64, 64, 3)),
        ((2**40, 2**30), "u1", (1, 64)),
    ],
)
def test_small_file_that_declares_much(tmp_path, shape, dtype, chunks):
    """Values that are not in the file are refused before any memory is touched for them."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    with h5py.File(path, "a") as file:
        file.create_dataset("train_set_x", shape, dtype, chunks=chunks)
    assert path.stat().st_size < 20_000
    tracemalloc.start()
    try:
        with pytest.raises(OSError, match=r"chunks are absent|never written") as error:
            read_hdf5(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert_names(error, path, "'train_set_x'")


@pytest.mark.skipif(sys.platform != "linux", reason="files with holes")
def test_more_than_memory_holds(tmp_path):
    """A file on a large disk: the dataset is named, and how much memory it needs."""
    path, shape = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None)), (2**30, 64, 64, 3)
    try:
        with h5py.File(path, "a") as file:
            space, properties = h5py.h5s.create_simple(shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            h5py.h5d.create(file.id, b"train_set_x", h5py.h5t.NATIVE_UINT8, space, properties)
    except (OSError, RuntimeError):
        pytest.skip("the file system does not hold such a file")
    with pytest.raises(MemoryError, match="memory") as error:
        read_hdf5(path)
    assert_names(error, path, "'train_set_x'", "12,288.0 GiB", shape)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere more memory can be reserved than there is")
def test_one_long_name_of_many(tmp_path):
    """NumPy gives each name the space of the longest: if that is more than there is, the dataset is named."""
    names = np.full(2**17, "a", object)
    names[0] = "b" * 2**23
    kind = h5py.string_dtype()
    path = write_raw(tmp_path / "a.h5", small_dataset(list_classes=names.astype(kind)))
    with pytest.raises(MemoryError, match="for lack of memory: Unable to allocate 4") as error:
        read_hdf5(path)
    assert_names(error, path, "list_classes")


def test_no_memory_to_decompress(tmp_path, monkeypatch):
    """HDF5 then says that a filter failed, as of a damaged chunk: what counts is what can be allocated."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    with h5py.File(path, "a") as file:
        file.create_dataset("train_set_x", data=np.zeros((4, 2), np.uint8), compression="gzip")
        place = file["train_set_x"].id.get_chunk_info(0).byte_offset
    content = path.read_bytes()
    path.write_bytes(content[:place] + b"\0\0" + content[place + 2 :])
    with pytest.raises(OSError, match=r"train_set_x' cannot be read .*filter"):
        read_hdf5(path)
    monkeypatch.setattr(np, "empty", Mock(side_effect=MemoryError))
    with pytest.raises(MemoryError, match=r"train_set_x' cannot be read for lack of memory: 0\.0 GiB"):
        read_hdf5(path)


@pytest.mark.parametrize(
    ("where", "raised", "message"),
    [
        ("File", MemoryError, "cannot be read for lack of memory"),
        ("Dataset", MemoryError, "cannot be read for lack of memory"),
        ("File", OSError("file read failed: time = now\n, errno = 5"), "time = now , errno = 5"),
    ],
)
def test_messages_are_one_line(tmp_path, monkeypatch, where, raised, message):
    """Where HDF5 reports over several lines too, or memory does not suffice to open a file or a dataset."""
    path = write_raw(tmp_path / "a.h5", small_dataset())
    monkeypatch.setattr(h5py, where, Mock(side_effect=raised))
    with pytest.raises((MemoryError, OSError), match=message) as error:
        read_hdf5(path)
    assert_names(error, path)


# Writing


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (4, 3, 2), (2, 3, 4, 2)])
def test_round_trip(tmp_path, dtype, shape):
    """What was written is read: values, types, names with any letters; also what was read, once more."""
    rng = np.random.RandomState(0)
    names = ["Käuzchen", "", "猫", "a\nb"]
    train_x, test_x = (rng.randint(0, 2, (m, *shape)).astype(dtype) for m in (5, 1))
    dataset = ImageDataset(train_x, np.array([0, 3, 2, 1, 0]), test_x, np.array([3]), np.array(names))
    write_hdf5(tmp_path / "1.h5", *dataset)
    write_hdf5(str(tmp_path / "2.h5"), *read_hdf5(tmp_path / "1.h5"))
    for path in ("1.h5", "2.h5"):
        for after, before in zip(read_hdf5(tmp_path / path), dataset, strict=True):
            np.testing.assert_array_equal(after, before, strict=True)


def test_writes_lists_and_rows(tmp_path):
    """Lists, labels (1, m), booleans and names in bytes will do; the arguments stay as they are."""
    y = np.array([[True, False]])
    write_hdf5(tmp_path / "a.h5", [[1, 2], [3, 4]], y, [[5, 6]], [0], [b"no", b"yes"])
    dataset = read_hdf5(tmp_path / "a.h5")
    assert [array.tolist() for array in dataset] == [[[1, 2], [3, 4]], [1, 0], [[5, 6]], [0], ["no", "yes"]]
    assert y.tolist() == [[True, False]]


def test_layout_is_that_of_the_notes(tmp_path):
    """The notes' own `load_dataset` lines read the file."""
    path, arrays = tmp_path / "a.h5", small_dataset()
    write_hdf5(path, *arrays.values())
    with h5py.File(path, "r") as file:
        assert sorted(file) == sorted(KEYS)
        for key in KEYS:
            np.testing.assert_array_equal(np.array(file[key][:]), arrays[key])


def test_existing_file_is_kept(tmp_path):
    """An existing file is replaced only if that is asked for."""
    path, new = write_raw(tmp_path / "a.h5", small_dataset()), small_dataset(test_set_y=np.array([1, 1]))
    with pytest.raises(FileExistsError, match="overwrite=True") as error:
        write_hdf5(path, *new.values())
    assert_names(error, path)
    assert_equal(read_hdf5(path), small_dataset())
    write_hdf5(path, *new.values(), overwrite=True)
    assert_equal(read_hdf5(path), new)


# The bundled patches


def test_photo_patches():
    """209 + 50 patches in two classes of equal share; the file stays under 3 MiB."""
    train_x, train_y, test_x, test_y, classes = load_photo_patches()
    assert (train_x.shape, train_x.dtype) == ((209, 64, 64, 3), np.uint8)
    assert (test_x.shape, test_x.dtype) == ((50, 64, 64, 3), np.uint8)
    assert classes.tolist() == ["temple", "flower"]
    assert np.bincount(train_y).tolist() == [105, 104]
    assert np.bincount(test_y).tolist() == [25, 25]
    assert (PACKAGE / "data" / "photo_patches.h5").stat().st_size < 3 * 2**20


def test_photo_patches_are_windows_of_the_photographs():
    """Every patch is a window of its own photograph, on its side of column 448, and none is there twice."""
    pytest.importorskip("PIL")
    from sklearn.datasets import load_sample_image

    photos = [load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    train_x, train_y, test_x, test_y, _ = load_photo_patches()
    for x, y, columns in ((train_x, train_y, range(0, 448)), (test_x, test_y, range(448, 640))):
        places = {
            photo[top : top + 64, left : left + 64].tobytes(): (label, top, left)
            for label, photo in enumerate(photos)
            for top in range(0, 427 - 63, 32)
            for left in range(columns.start, columns.stop - 63, 32)
        }
        assert len(places) == {0: 2 * 156, 448: 2 * 60}[columns.start]
        found = [places[patch.tobytes()] for patch in x]
        assert [label for label, _, _ in found] == y.tolist()
        assert len(set(found)) == len(x)


def test_photo_patches_are_what_the_script_makes(tmp_path):
    """The stored patches are those of the script, which makes the same ones every time."""
    pytest.importorskip("PIL")
    from sknn_basic.data.make_photo_patches import make_photo_patches

    for made in (make_photo_patches(), make_photo_patches()):
        for stored, array in zip(load_photo_patches(), made, strict=True):
            np.testing.assert_array_equal(stored, array, strict=True)
