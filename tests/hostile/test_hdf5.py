"""Random damage to HDF5 files: what is read is what was written, or the file is refused.

Each seed damages files of `write_hdf5`, and of h5py in all layouts, and reads them in a process of its own,
since HDF5 may crash or hang. As a script: ``python test_hdf5.py FOLDER SEED``.
"""

import hashlib
import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec, module_from_spec
from itertools import chain
from pathlib import Path

import h5py
import numpy as np

if __name__ == "__main__":  # no more of the package than is needed: all of it takes longer than the test
    sys.modules["sknn_basic"] = module_from_spec(find_spec("sknn_basic"))

from sknn_basic._files import datasets
from sknn_basic._files.datasets import read_hdf5, write_hdf5

N_DAMAGES = 12  # of each file and seed, and four times as many of one of `write_hdf5`
STRIDE = 23  # every so many bits of a small file are flipped in turn; as many seeds flip all
SECONDS = 300  # for the process
KEYS = "train_set_x", "train_set_y", "test_set_x", "test_set_y", "list_classes"
DOCUMENTED = OSError, ValueError, MemoryError


# Files


def make_dataset(rng):
    """Two chunks of training images, and one of test images."""
    shape = (int(rng.integers(4, 9)), int(rng.integers(16, 33)), 32, 3)
    x = rng.integers(0, 40, shape, np.uint8)
    names = np.array([b"cat", b"dog", "Käuzchen".encode()])
    return x, rng.integers(0, 3, shape[0]), x[:2] + 1, rng.integers(0, 3, 2), names


def write_by_h5py(path, dataset, libver="earliest", **options):
    """Write as others do.

    But no texts of any length: HDF5 itself hangs on damaged ones (see SECURITY.md).
    """
    with h5py.File(path, "w", libver=libver) as file:
        for key, values in zip(KEYS, dataset, strict=True):
            chunks = {"chunks": (1, *values.shape[1:])} if options and values.ndim > 1 else {}
            file.create_dataset(key, data=values, **chunks, **(options if chunks else {}))


def write_cells(path, dataset):
    """Write names as MATLAB does, references to codes of characters, and the rest as variables of Octave."""
    *arrays, names = dataset
    with h5py.File(path, "w") as file:
        for key, values in zip(KEYS, arrays, strict=False):
            file[f"{key}/type"] = np.bytes_("matrix")
            file[f"{key}/value"] = values if values.ndim > 1 else values[:, np.newaxis].astype(float)
        codes = [np.frombuffer(name.decode().encode("utf-16-le"), np.uint16) for name in names]
        cells = [file.create_dataset(f"#refs#/{i}", data=text[:, np.newaxis]) for i, text in enumerate(codes)]
        file[KEYS[-1]] = np.array([[cell.ref] for cell in cells], h5py.ref_dtype)


OTHER_WRITERS = {
    "cells": write_cells,
    "contiguous": write_by_h5py,
    "newest": partial(write_by_h5py, libver="latest", compression="gzip"),
    "gzip": partial(write_by_h5py, compression="gzip"),
    "checksums": partial(write_by_h5py, compression="gzip", shuffle=True, fletcher32=True),
    "lzf": partial(write_by_h5py, compression="lzf"),
    "scale-offset": partial(write_by_h5py, scaleoffset=0),
    "chunks": partial(write_by_h5py, compression=None),
}


# Damages


def flip_bit(content, rng):
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)


def overwrite(content, rng):
    start, n = rng.integers(len(content)), rng.integers(1, rng.choice([33, 600]))
    n = min(n, len(content) - start)
    content[start : start + n] = rng.choice([bytes(n), b"\xff" * n, rng.bytes(n)])


def overwrite_number(content, rng):
    """Put a number where HDF5 may expect a size, a count or an address."""
    size = int(rng.choice([1, 2, 4, 8]))
    start = int(rng.integers(len(content) // size)) * size
    number = int(rng.choice([0, 1, 255, 2**16, 2**31, len(content), rng.integers(len(content))]))
    content[start : start + size] = (number % 2 ** (8 * size)).to_bytes(size, "little")


def truncate(content, rng):
    del content[rng.integers(len(content)) :]


def move_block(content, rng):
    """Exchange two blocks, or copy one to the place of another."""
    size = int(rng.choice([8, 64, 512, 4096]))
    a, b = (int(start) * size for start in rng.integers(0, max(1, len(content) // size), 2))
    n = min(size, len(content) - a, len(content) - b)
    first, second = content[a : a + n], content[b : b + n]
    content[a : a + n] = second
    if rng.random() < 0.5:
        content[b : b + n] = first


def remove_block(content, rng):
    start = int(rng.integers(len(content)))
    del content[start : start + int(rng.integers(1, 600))]


DAMAGES = (*[flip_bit] * 3, overwrite, overwrite_number, truncate, *[move_block] * 2, remove_block)


# Reading in a process of its own


def digest(dataset):
    """A word for all that a dataset is: types, shapes and values."""
    found = hashlib.sha256()
    for values in dataset:
        values = np.ascontiguousarray(values)
        found.update(f"{values.dtype.str} {values.shape}".encode() + values.tobytes())
    return found.hexdigest()[:16]


def outcome(path):
    try:
        return digest(read_hdf5(path))
    except DOCUMENTED as error:
        return type(error).__name__
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def damaged_files(folder, rng):
    """Write and yield (what it is, path) of files of `write_hdf5` and others, damaged at random."""
    dataset, path = make_dataset(rng), folder / "damaged.h5"
    writers = {"write_hdf5": lambda path, dataset: write_hdf5(path, *dataset), **OTHER_WRITERS}
    for name, write in writers.items():
        original = folder / f"{name}.h5"
        write(original, dataset)
        yield f"{name}: not damaged", original
        for i in range(N_DAMAGES * (4 if name == "write_hdf5" else 1)):
            content = bytearray(original.read_bytes())
            damages = rng.choice(DAMAGES, 1 if rng.random() < 0.8 else 2)
            for damage in damages:
                damage(content, rng)
            path.write_bytes(content)
            yield f"{name}: {i}, {' and '.join(damage.__name__ for damage in damages)}", path


def flipped_files(folder, seed):
    """Write and yield (what it is, path) of a small file of `write_hdf5`, each with another bit flipped."""
    x, path = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3), folder / "flipped.h5"
    write_hdf5(folder / "small.h5", x, [0, 1], x + 1, [1, 0], ["cat", "dog"])
    yield "small: not damaged", folder / "small.h5"
    content = bytearray((folder / "small.h5").read_bytes())
    for bit in range(seed % STRIDE, 8 * len(content), STRIDE):
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        content[bit // 8] ^= 1 << bit % 8
        yield f"small: bit {bit}", path


def main(folder, seed):
    folder, seed = Path(folder), int(seed)
    for what, path in chain(damaged_files(folder, np.random.default_rng(seed)), flipped_files(folder, seed)):
        print(what, end=" -> ", flush=True)
        print(outcome(path), flush=True)


def test_damaged_files(tmp_path, hostile_seed):
    """What `write_hdf5` wrote is read as it was or refused.

    Of these and of other files, none crashes, hangs, or raises another error than the documentation names.
    """
    folder = str(Path(datasets.__file__).parents[2])
    command = [sys.executable, __file__, str(tmp_path), str(hostile_seed)]
    environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, ""), f"{lines[-1:]} of {command}: {done.stderr}"
    original, refusals = {}, {error.__name__ for error in DOCUMENTED}
    for line in lines:
        what, found = line.split(" -> ")
        name, _, damage = what.partition(": ")
        if damage == "not damaged":
            assert len(found) == 16, line
            original[name] = found
        elif found not in refusals:
            assert found == original[name] or (name in OTHER_WRITERS and len(found) == 16), line
    assert {original[name] for name in OTHER_WRITERS} == {original["write_hdf5"]}


if __name__ == "__main__":
    main(*sys.argv[1:])
