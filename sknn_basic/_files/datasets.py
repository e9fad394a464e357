"""Images and labels in HDF5 files in the notes' layout, and the bundled photo patches."""

import io
from importlib import resources
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from .._extras import import_extra
from .._lazy.memory import rows_at_once
from .atomic import write_atomically
from .hdf5 import find, one_line, read_values, reading, write_values
from .hdf5_names import is_line, read_names
from .hdf5_rows import StoredDataset

TRAIN_KEYS = "train_set_x", "train_set_y"
TEST_KEYS = "test_set_x", "test_set_y"
IMAGE_KEYS = TRAIN_KEYS[0], TEST_KEYS[0]
CLASSES_KEY = "list_classes"
KEYS = *TRAIN_KEYS, *TEST_KEYS, CLASSES_KEY  # in the order of the fields of ImageDataset
WHOLE_LABELS = (
    f"expected an integer for each image, the index of its class in {CLASSES_KEY}. Of labels that are names, "
    "np.unique(those of both sets, return_inverse=True) gives the names of the classes and such indices."
)
ZARR_FILES = "zarr.json", ".zgroup", ".zarray"  # in each folder of Zarr, versions 3 and 2
LIBVER = "v110", "v110"  # HDF5's oldest format with a checksum in each structure around the values


class ImageDataset(NamedTuple):
    """Training and test images, their labels and the names of the classes; unpacks as in the notes."""

    train_set_x: np.ndarray
    train_set_y: np.ndarray
    test_set_x: np.ndarray
    test_set_y: np.ndarray
    classes: np.ndarray


def read_hdf5(path, test_path=None, *, chunks=None):
    """Read images and labels from one HDF5 file or two: the notes' ``load_dataset`` (section 1.2.2).

    The datasets are `train_set_x`, `train_set_y`, `test_set_x`, `test_set_y` and `list_classes`. Soft links
    are followed within the file; links to other files, external storage and virtual datasets are not.

    Parameters
    ----------
    path : str or path-like
        The file with all datasets, or with those of the training set.
    test_path : str or path-like, default=None
        The file with those of the test set; `list_classes` may then be in either file or in both.
    chunks : int or "auto", default=None
        Return the images as Dask arrays of chunks of so many images, "auto" for about 16 MiB of float64: they
        are not read now, but whenever they are computed, chunk by chunk. Where the chunks of the file are
        compressed, as many whole ones as that, at least one, since HDF5 decompresses no part of a chunk.
        Needs the extra ``dask``. None reads all images now.

    Returns
    -------
    dataset : ImageDataset
        A named tuple, which also unpacks as
        ``train_set_x, train_set_y, test_set_x, test_set_y, classes``:

        * `train_set_x` (m_train, ...) and `test_set_x` (m_test, ...): ndarrays of the images (or Dask
          arrays, see `chunks`), of the numeric type in the file, unscaled; all of one shape, such as
          (64, 64, 3);
        * `train_set_y` (m_train,) and `test_set_y` (m_test,): int64 ndarrays, each label an index into
          `classes`; a file may hold them as whole numbers of any type, also as one row or column, or as
          members of an enumeration of names in `classes`;
        * `classes` (n_classes,): ndarray of str.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    MemoryError
        If there is not enough memory for a dataset; the message names it and how much it needs.
    OSError
        If a file or a dataset cannot be read: it is not HDF5, is truncated or damaged, or values are absent.
    ValueError
        If a dataset is missing, is not in the file itself, is compressed by a filter that HDF5 does not have
        here (``import hdf5plugin`` adds many, such as blosc and zstd), or is not as described above. Each
        message names the file, the dataset and what was expected.

    See Also
    --------
    write_hdf5 : Write such a file.
    load_photo_patches : Example images.

    Notes
    -----
    HDF5 verifies the checksums that a file has. `write_hdf5` gives one to all values and to all that
    describes them, so damage to its files is an OSError. Checksums do not tell who made a file.

    Files of other programs may lack checksums. Damage to them can then go unnoticed if it leaves another
    valid value, such as a pixel, or a compressed chunk that yields too few bytes. Values that are absent from
    a file are an OSError, since HDF5 would return the fill value for them.

    Files of other programs are read where they are clear: Octave's variables; names as characters of netCDF,
    as a row or column, as cells or rows of characters of MATLAB and Octave, as PyTables' texts, or as an
    attribute of the file. Images that MATLAB, Octave, R or Julia wrote with all axes reversed are refused.

    With `chunks`, everything that does not need all images is checked at once, and the checksum of a chunk
    whenever it is read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sknn_basic import load_photo_patches, read_hdf5, write_hdf5
    >>> with TemporaryDirectory() as folder:
    ...     write_hdf5(Path(folder) / "patches.h5", *load_photo_patches())
    ...     dataset = read_hdf5(Path(folder) / "patches.h5")
    >>> train_set_x, train_set_y, test_set_x, test_set_y, classes = dataset
    >>> train_set_x.shape, train_set_y.shape
    ((209, 64, 64, 3), (209,))
    """
    is_number = isinstance(chunks, Integral) and not isinstance(chunks, bool) and chunks >= 1
    if chunks not in (None, "auto") and not is_number:
        raise ValueError(f'chunks must be "auto" or a number of images, at least 1, got {chunks!r}.')
    is_lazy = chunks is not None
    found = _read(path, KEYS, is_lazy) if test_path is None else _read_two(path, test_path, is_lazy)
    dataset = checked_dataset(found)
    if not is_lazy:
        return dataset
    train_x, test_x = (_as_dask(stored, chunks) for stored in (dataset.train_set_x, dataset.test_set_x))
    return dataset._replace(train_set_x=train_x, test_set_x=test_x)


def write_hdf5(path, train_set_x, train_set_y, test_set_x, test_set_y, classes, *, overwrite=False):
    """Write images and labels to an HDF5 file that `read_hdf5` and the notes' ``load_dataset`` read.

    Everything is validated first. The file is then written atomically: an interruption leaves the old file or
    none; a process that is killed may also leave a temporary folder beside it, such as
    ``photos.h5.0f3a9c42.tmp``, which can be deleted. Needs memory for one compressed copy of the data. All
    values and all that describes them have checksums. HDF5 1.10 (of 2016) and newer versions read the file.

    Parameters
    ----------
    path : str or path-like
        The file to write; its folder must exist.
    train_set_x : array-like of shape (m_train, ...)
        The training images, at least one, with two or more axes in all; integers, booleans or real floats of
        any range. Stored in their own type, compressed by gzip; several small images share a chunk.
    train_set_y : array-like of shape (m_train,) or (1, m_train)
        For each image the index of its class in `classes`, a whole number of any type; stored as (m_train,)
        int64.
    test_set_x : array-like of shape (m_test, ...)
        The test images, each of the shape that the training images have.
    test_set_y : array-like of shape (m_test,) or (1, m_test)
        Their labels.
    classes : array-like of shape (n_classes,)
        The names of the classes: str, UTF-8 bytes or integers; stored as UTF-8 bytes.
    overwrite : bool, default=False
        Whether to replace an existing file (which keeps its permissions).

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False, even if it appears in the meantime.
    OSError
        If the file cannot be written.
    ValueError
        If an array is not as described above.

    See Also
    --------
    read_hdf5 : Read the file again; its result can be passed on as ``write_hdf5(path, *dataset)``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from sknn_basic import read_hdf5, write_hdf5
    >>> images, labels = np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 1, 0]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "dark.h5"
    ...     write_hdf5(path, images, labels, images[:2], labels[:2], ["no", "yes"])
    ...     print(read_hdf5(path).classes[labels])
    ['no' 'yes' 'yes' 'no']
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file: pass the name of the HDF5 file to write.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists: pass overwrite=True to replace it, or another name.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {path.parent}.")
    values = train_set_x, train_set_y, test_set_x, test_set_y, classes
    found = {key: (f"{path}: dataset {key!r}", value) for key, value in zip(KEYS, values, strict=True)}
    write_atomically(path, _as_hdf5(checked_dataset(found)), overwrite=overwrite)


def load_photo_patches():
    """Load 209 + 50 small images of two classes, cut from two photographs.

    The photographs are those of scikit-learn's ``load_sample_images``: a Chinese temple (label 0) and a
    flower (label 1). The training patches are cut left of column 448, the test patches right of it, and
    none across it; patches of one set may overlap.

    This is a demonstration, not a benchmark: both sets come from the same two photographs, so the test
    accuracy says nothing about other pictures of temples and flowers.

    Returns
    -------
    dataset : ImageDataset
        A named tuple, which also unpacks, of `train_set_x` (209, 64, 64, 3) and `test_set_x`
        (50, 64, 64, 3), uint8 RGB ndarrays; `train_set_y` (209,) and `test_set_y` (50,), int64 ndarrays
        with 0 for temple (105 and 25 of them) and 1 for flower; and `classes`, ndarray of str.

    See Also
    --------
    read_hdf5 : Read your own images in the same form.
    sklearn.datasets.load_sample_images : The photographs.

    Notes
    -----
    The photographs are by danielbuechele and vultilion under CC BY 2.0; ``sknn_basic/data`` has the
    attribution and the script that cut the patches.

    Examples
    --------
    >>> from sknn_basic import load_photo_patches
    >>> dataset = load_photo_patches()
    >>> dataset.train_set_x.shape, dataset.test_set_x.shape
    ((209, 64, 64, 3), (50, 64, 64, 3))
    >>> print(dataset.classes)
    ['temple' 'flower']
    """
    file = resources.files(__package__.partition(".")[0]) / "data" / "photo_patches.h5"
    with resources.as_file(file) as path:
        return read_hdf5(path)


# Reading


def _read(path, keys, is_lazy, optional=()):
    """Return {key: (where, array)}; `where` is the beginning of a message about the array.

    If `is_lazy`, images are a `StoredDataset`.
    """
    path = Path(path)
    if not path.is_file():
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: expected an HDF5 file with {', '.join(keys)}.")
        advice = "read_image_folder reads a folder of images, and write_hdf5 writes them to a file."
        if any((path / name).exists() for name in ZARR_FILES):
            advice = (
                f"Of a folder of Zarr, dask.array.from_zarr(path, component={keys[0]!r}) gives an array that "
                "is read block by block, and write_hdf5 writes arrays to a file."
            )
        raise OSError(f"{path} is not a file: expected an HDF5 file with {', '.join(keys)}. {advice}")
    with reading(path):
        file = h5py.File(path, "r")
    with file:
        keys = *keys, *(key for key in optional if _holds(file, path, key))
        return {key: _read_one(file, path, key, is_lazy) for key in keys}


def _read_one(file, path, key, is_lazy):
    """Return (where, array) of a dataset, or of the attribute that holds the names instead."""
    where = f"{path}: dataset {key!r}"
    with reading(path):
        is_attribute = not file.id.links.exists(key.encode())
        names = sorted(file, key=str) if is_attribute else []  # bytes, if not in UTF-8
    if is_attribute and not _holds(file, path, key):
        raise ValueError(f"{path} has no dataset {key!r}; it holds {names}.{_advice(key, names)}")
    if is_attribute:
        where = f"{path}: attribute {key!r}"
        with reading(where):
            values = np.asarray(file.attrs[key])
    elif key == CLASSES_KEY:
        values = read_names(file, key, where)
    else:
        values = find(file, key, where)
    CHECKS[key](where, values)
    if isinstance(values, h5py.Dataset):
        is_stored = is_lazy and key in IMAGE_KEYS
        values = StoredDataset(path, key, where, values) if is_stored else read_values(values, where)
    return where, values


def _holds(file, path, key):
    """Whether the file has the dataset, or the names as an attribute."""
    with reading(path):
        return file.id.links.exists(key.encode()) or (key == CLASSES_KEY and key in file.attrs)


def _read_two(path, test_path, is_lazy):
    """Return what `_read` does, of two files, which agree on the names of the classes."""
    first = _read(path, TRAIN_KEYS, is_lazy, optional=[CLASSES_KEY])
    second = _read(test_path, TEST_KEYS, is_lazy, optional=[CLASSES_KEY])
    names = [_class_names(*file[CLASSES_KEY]).tolist() for file in (first, second) if CLASSES_KEY in file]
    if not names:
        raise ValueError(f"Neither {path} nor {test_path} has a dataset {CLASSES_KEY!r}; expected it in one.")
    if names[0] != names[-1]:
        raise ValueError(
            f"{test_path}: dataset {CLASSES_KEY!r} is {names[1]}, expected {names[0]} as in {path}."
        )
    return first | second


def _as_dask(stored, chunks):
    """Return a `StoredDataset` as a Dask array of chunks of about so many images."""
    da = import_extra("dask.array", "dask", "read_hdf5(chunks=...)")
    n_images = rows_at_once(stored.shape[1:]) if chunks == "auto" else int(chunks)
    if chunks == "auto" or stored.is_filtered:  # whole chunks of the file, which are not read in parts
        n_images = max(n_images - n_images % stored.rows_of_chunk, stored.rows_of_chunk)
    sizes = (n_images, *stored.shape[1:])
    empty = np.empty((0,) * stored.ndim, stored.dtype)
    return da.from_array(stored, sizes, lock=False, inline_array=True, meta=empty)


def _advice(key, names):
    """Return advice on which files to pass in which order, if a file has only one set of images."""
    if key in TEST_KEYS and "train_set_x" in names:
        return " If another file has the test set, pass that second."
    if key in TRAIN_KEYS and "test_set_x" in names:
        return " Pass the file with the training set first, that with the test set second."
    return ""


# Checking


def checked_dataset(found):
    """Return {key: (where, array-like)} as an ImageDataset, or raise ValueError if it is none.

    `where` is the beginning of a message about the array, such as "photos.h5: dataset 'train_set_x'".
    """
    found = {key: (where, _as_array(where, key, value)) for key, (where, value) in found.items()}
    for key, (where, array) in found.items():
        CHECKS[key](where, array)
    classes = _class_names(*found[CLASSES_KEY])
    _refuse_reversed(found)
    (_, train_x), (where, test_x) = found["train_set_x"], found["test_set_x"]
    if test_x.shape[1:] != train_x.shape[1:]:
        raise ValueError(
            f"{where} has images of shape {test_x.shape[1:]}, expected {train_x.shape[1:]} as in train_set_x."
        )
    train_y = _labels(*found["train_set_y"], train_x.shape[0], classes.tolist())
    test_y = _labels(*found["test_set_y"], test_x.shape[0], classes.tolist())
    return ImageDataset(train_x, train_y, test_x, test_y, classes)


def _as_array(where, key, value):
    """Return the value as an array in the byte order of the machine; a `StoredDataset` as it is."""
    if isinstance(value, StoredDataset):
        return value
    try:
        # object keeps a NUL at the end of a name, which is then rejected
        array = np.asarray(value, object if key == CLASSES_KEY else None)
    except (TypeError, ValueError) as error:  # a ragged list
        raise ValueError(f"{where} is not an array: {one_line(error)}.") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_images(where, x):
    if x.dtype.kind not in "buif":
        raise ValueError(f"{where} has type {x.dtype}, expected images of real numbers.")
    if x.ndim < 2 or x.size == 0:
        raise ValueError(
            f"{where} has shape {x.shape}, expected at least one image, such as (m, height, width, 3)."
        )


def _check_labels(where, y):
    if y.dtype.kind not in "buifOSU":
        raise ValueError(f"{where} has type {y.dtype}, {WHOLE_LABELS}")


def _check_names(where, names):
    if names.ndim != 1 or names.size == 0:
        raise ValueError(f"{where} has shape {names.shape}, expected (n_classes,): one name per class.")
    if names.dtype.kind not in "OSiu":
        raise ValueError(f"{where} has type {names.dtype}, expected text in UTF-8 without NUL.")


# Of type and shape: in reading, before any value is read; in writing, of the arrays
CHECKS = dict(zip(KEYS, (_check_images, _check_labels) * 2 + (_check_names,), strict=True))


def _refuse_reversed(found):
    """Raise ValueError if the images lie along the last axis, as those of column-major programs do."""
    shapes = [found[key][1].shape for key in IMAGE_KEYS]
    suspects = []
    for (x_key, y_key), shape in zip((TRAIN_KEYS, TEST_KEYS), shapes, strict=True):
        y = found[y_key][1]
        if is_line(y.shape) and shape[-1] == y.size != shape[0]:
            suspects.append((found[x_key][0], shape, y.size))
    # Otherwise the labels may be wrong: three of them, for images of three colours.
    if len(suspects) == 2 or (suspects and shapes[0][1:] != shapes[1][1:]):
        where, shape, n = suspects[0]
        raise ValueError(
            f"{where} has shape {shape} for {n} labels: its axes are reversed, as MATLAB, Octave, R and "
            f"Julia write them; expected {shape[::-1]}. Reverse the axes of the images of both sets: in "
            "MATLAB and Octave permute(x, ndims(x):-1:1), in R aperm(x), in NumPy x.T (with the file open in "
            "h5py: x = file[key][()].T; del file[key]; file[key] = x, for keys such as 'train_set_x', and "
            "'train_set_x/value' of Octave). If only the images stand last, np.moveaxis(x, -1, 0)."
        )


def _labels(where, y, n_images, classes):
    if y.size != n_images or not is_line(y.shape):
        raise ValueError(
            f"{where} has shape {y.shape}, expected ({n_images},) or (1, {n_images}): one label per image."
        )
    y = _as_integers(where, y.ravel(), classes)
    lowest, highest = int(y.min()), int(y.max())
    if lowest < 0 or highest >= len(classes):
        is_from_one = (lowest, highest) == (1, len(classes))
        advice = " Subtract 1: the first class is 0." if is_from_one else ""
        raise ValueError(
            f"{where} has labels from {lowest} to {highest}, expected 0 to {len(classes) - 1}, since "
            f"{CLASSES_KEY} names {len(classes)} classes.{advice}"
        )
    return y.astype(np.int64)


def _as_integers(where, y, classes):
    """Return labels as integers, whatever type holds them; members of an enumeration by their names."""
    members = h5py.check_enum_dtype(y.dtype)
    if members:
        numbers = {members[name]: classes.index(name) for name in members if name in classes}
        return np.array([numbers[label] for label in y.tolist()]) if numbers.keys() >= {*y.tolist()} else y
    if y.dtype.kind in "bui":
        return y
    labels = y.tolist()
    numbers = [_as_integer(label, classes) for label in labels]
    if None in numbers:
        raise ValueError(f"{where} has the label {labels[numbers.index(None)]!r}, {WHOLE_LABELS}")
    return np.array(numbers)


def _as_integer(label, classes):
    """Return a label as an integer; None if it is not whole, or text that is the name of another class."""
    if isinstance(label, float | np.floating):
        return int(label) if label.is_integer() and abs(label) < 2**53 else None
    text = label.decode(errors="replace") if isinstance(label, bytes) else str(label)
    is_clear = text.isdecimal() and (text not in classes or classes.index(text) == int(text))
    return int(text) if is_clear else None


def _class_names(where, names):
    names = [_class_name(where, name) for name in names.tolist()]
    with reading(where):  # NumPy gives every name the space of the longest
        return np.array(names)


def _class_name(where, name):
    try:
        text = str(name, "utf-8") if isinstance(name, bytes) else str(name)
        text.encode()
    except UnicodeError:
        text = "\0"
    if "\0" in text or not isinstance(name, bytes | str | int):
        advice = " Of Latin-1, store name.decode('latin-1')." if isinstance(name, bytes) else ""
        raise ValueError(f"{where} has the name {name!r}, expected text in UTF-8 without NUL.{advice}")
    return text


# Writing


def _as_hdf5(dataset):
    """Return the content of the file, made in memory: HDF5 crashes the interpreter if a disk is full."""
    content = io.BytesIO()
    *arrays, classes = dataset
    arrays.append(np.array([name.encode() for name in classes.tolist()]))
    with h5py.File(content, "w", libver=LIBVER) as file:
        for key, array in zip(KEYS, arrays, strict=True):
            write_values(file, key, array)
    return content.getbuffer()
