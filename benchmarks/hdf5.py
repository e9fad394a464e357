"""What the checks of `read_hdf5` cost: its time relative to that of plain h5py on the same files."""

import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from sknn_basic import load_photo_patches, read_hdf5, write_hdf5

from .report import Section, seconds, table, verdict
from .timing import in_turn

TRAIN, TEST = ["train_set_x", "train_set_y", "list_classes"], ["test_set_x", "test_set_y", "list_classes"]


def run(quick=False):
    rows, verdicts = [], []
    with TemporaryDirectory() as folder:
        for name, paths in files(Path(folder)).items():
            jobs = {"read_hdf5": partial(read_hdf5, *paths), "h5py": partial(read_plainly, *paths)}
            for job in jobs.values():
                job()
            times, results = in_turn(jobs, 7 if quick else 31)
            np.testing.assert_array_equal(results["read_hdf5"][0], results["h5py"][0])
            ours, plain = times["read_hdf5"], times["h5py"]
            rows.append([name, seconds(ours), seconds(plain), f"{ours / plain:.2f}"])
            verdicts.append(verdict(f"{name}: of the time of h5py", ours / plain, 1.15, at_least=False))
    lines = table(["", "read_hdf5", "h5py", "ratio"], rows)
    return Section("HDF5: what checks cost", [*lines, *verdicts, ""])


def read_plainly(*paths):
    """Return the arrays of one file or two as the notes' `load_dataset` reads them, but for a copy of each."""
    arrays = []
    for path, keys in zip(paths, [TRAIN, TEST] if len(paths) == 2 else [TRAIN + TEST[:2]], strict=True):
        with h5py.File(path, "r") as file:
            arrays += [file[key][:] for key in keys]
    return arrays


def files(folder):
    """Return {name: paths} of files of the notes, of `write_hdf5` and of h5py."""
    patches, small = folder / "patches.h5", folder / "small.h5"
    write_hdf5(patches, *load_photo_patches())
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8000, 28, 28), np.uint8) * (rng.random((8000, 28, 28)) < 0.2)
    labels = rng.integers(0, 10, 8000)
    write_hdf5(small, images[:7000], labels[:7000], images[7000:], labels[7000:], list("0123456789"))
    found = {"209 + 50 patches": (patches,), "7,000 + 1,000 images of 28 x 28": (small,)}
    if "SKNN_BASIC_CATS" in os.environ:
        cats = Path(os.environ["SKNN_BASIC_CATS"])
        found["the notes' cats"] = cats / "train_catvnoncat.h5", cats / "test_catvnoncat.h5"
    return found
