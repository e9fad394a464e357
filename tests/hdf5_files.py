"""HDF5 files in the notes' layout, written with h5py alone, and what is asserted of reading them."""

import h5py
import numpy as np

KEYS = "train_set_x", "train_set_y", "test_set_x", "test_set_y", "list_classes"


def small_dataset(**changes):
    """Six images of 4 x 3 x 2 and three names, with some of the five keys changed (None: without it)."""
    rng = np.random.RandomState(0)
    arrays = {
        "train_set_x": rng.randint(0, 256, (4, 4, 3, 2), np.uint8),
        "train_set_y": np.array([0, 1, 2, 1]),
        "test_set_x": rng.randint(0, 256, (2, 4, 3, 2), np.uint8),
        "test_set_y": np.array([2, 0]),
        "list_classes": np.array([b"cat", b"dog", "Käuzchen".encode()]),
    }
    return {key: value for key, value in {**arrays, **changes}.items() if value is not None}


def write_raw(path, arrays):
    """Write with h5py alone, so that reading is not checked against the writer."""
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            file.create_dataset(key, data=value)
    return path


def assert_equal(dataset, arrays):
    for value, key in zip(dataset[:4], KEYS, strict=False):
        np.testing.assert_array_equal(value, arrays[key], strict=True)
    assert dataset.classes.tolist() == [name.decode() for name in arrays["list_classes"]]


def assert_names(error, *parts):
    """A message is one line that holds all parts."""
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message
