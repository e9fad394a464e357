"""Rows of HDF5 files read by path: those of h5py, from every layout; and errors that name the file."""

import os
import pickle
from itertools import product

import h5py
import numpy as np
import pytest

from sknn_basic import read_hdf5, write_hdf5
from sknn_basic._files import hdf5_rows as module
from sknn_basic._files.hdf5_rows import StoredDataset
from sknn_basic._lazy.memory import READ_BYTES

da = pytest.importorskip("dask.array")

IMAGES = np.random.RandomState(0).randint(0, 255, (50, 4, 5, 3)).astype(np.uint8)
LAYOUTS = {
    "in one piece": {},
    "chunks of 7 images": {"chunks": (7, 4, 5, 3)},
    "chunks of parts of images": {"chunks": (3, 2, 5, 1)},
    "compressed": {"chunks": (7, 4, 5, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def write(path, images, layout, **options):
    with h5py.File(path, "w", **options) as file:
        file.create_dataset("images", data=images, **layout)
    return stored(path)


def stored(path):
    with h5py.File(path, "r") as file:
        return StoredDataset(path, "images", f"{path}: dataset 'images'", file["images"])


@every_layout
@pytest.mark.parametrize("dtype", [np.uint8, ">i2", np.float32, bool])
@pytest.mark.parametrize("options", [{}, {"userblock_size": 512}, {"libver": "latest"}], ids=str)
def test_rows_are_those_of_the_file(layout, dtype, options, tmp_path):
    """In the byte order of the machine, also in another process."""
    images = IMAGES.astype(np.dtype(dtype).newbyteorder("="))
    dataset = write(tmp_path / "x.h5", IMAGES.astype(dtype), layout, **options)
    assert (dataset.shape, dataset.dtype, dataset.ndim) == (images.shape, images.dtype, 4)
    for first, end in product((0, 6, 7, 30), (7, 8, 50)):
        if first < end:
            np.testing.assert_array_equal(dataset[first:end], images[first:end], strict=True)
    for index in (
        (slice(3, 9), slice(1, 3), 2, slice(None)), (slice(None, None, 4),), ([5, 1, 1, 20],), (slice(4, 4),),
        (slice(40, None, -3), slice(None)),
    ):  # fmt: skip
        np.testing.assert_array_equal(dataset[index], images[index])
    assert dataset[7].shape == (4, 5, 3)
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again[:3], images[:3])


@pytest.mark.parametrize("dtype", [np.uint8, ">i2", np.float32])
def test_values_in_one_piece_are_read_without_the_lock_of_hdf5(dtype, tmp_path, monkeypatch):
    dataset = write(tmp_path / "x.h5", IMAGES.astype(dtype), {}, userblock_size=512)
    monkeypatch.setattr(h5py, "File", None)
    np.testing.assert_array_equal(dataset[3:5], IMAGES[3:5])


@every_layout
def test_a_file_that_is_cut_short_or_changed(layout, tmp_path):
    """Between two reads, or while one is under way: an OSError that names the file."""
    path = tmp_path / "x.h5"
    dataset = write(path, np.concatenate([IMAGES] * 20), layout)
    assert dataset[:2].shape[0] == 2
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(OSError, match=r"x.h5: dataset 'images'.*has changed"):
        dataset[900:]
    dataset.version = module._version(dataset.path)  # as if it had been cut after the file was looked at
    with pytest.raises(OSError, match=r"x.h5: dataset 'images' cannot be read"):
        dataset[900:]
    path.unlink()
    with pytest.raises(OSError, match=r"x.h5: dataset 'images' cannot be read"):
        dataset[:]


# Through the public function


@pytest.mark.parametrize("chunks", ["auto", 1, 7, np.int64(1000)])
def test_read_hdf5_in_chunks(chunks, tmp_path):
    """The images are those that are read at once; the 50 are one compressed chunk."""
    path, labels = tmp_path / "x.h5", np.arange(50) % 2
    write_hdf5(path, IMAGES, labels, IMAGES[:9], labels[:9], ["no", "yes"])
    eager, lazy = read_hdf5(path), read_hdf5(path, chunks=chunks)
    for name in ("train_set_x", "test_set_x"):
        assert isinstance(getattr(lazy, name), da.Array)
        assert getattr(lazy, name).dtype == np.uint8
        np.testing.assert_array_equal(getattr(lazy, name).compute(), getattr(eager, name))
    for name in ("train_set_y", "test_set_y", "classes"):
        np.testing.assert_array_equal(getattr(lazy, name), getattr(eager, name))
    assert lazy.train_set_x.chunks[0] == (50,)


@pytest.mark.parametrize(
    ("chunks", "layout", "expected"),
    [
        (10, {"chunks": (12, 4, 5, 3), "compression": "gzip"}, (12, 12, 12, 12, 2)),
        (30, {"chunks": (12, 4, 5, 3), "compression": "lzf"}, (24, 24, 2)),
        (1, {"chunks": (12, 2, 5, 3), "compression": "gzip"}, (12, 12, 12, 12, 2)),
        (12, {"chunks": (3, 4, 5, 3), "shuffle": True}, (12, 12, 12, 12, 2)),
        (10, {"chunks": (50, 4, 5, 3), "fletcher32": True}, (50,)),
        (10, {"chunks": (64, 4, 5, 3), "compression": "gzip", "maxshape": (None, 4, 5, 3)}, (50,)),
        (20, {"chunks": (12, 4, 5, 3)}, (20, 20, 10)),
        (20, {}, (20, 20, 10)),
    ],
)
def test_no_compressed_chunk_is_read_twice(chunks, layout, expected, tmp_path):
    """A block is whole chunks of the file where these are compressed, and as long as asked for elsewhere."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("train_set_x", data=IMAGES, **layout)
        file["test_set_x"], file["list_classes"] = IMAGES[:2], [b"a"]
        file["train_set_y"], file["test_set_y"] = np.zeros(50, int), np.zeros(2, int)
    lazy = read_hdf5(tmp_path / "x.h5", chunks=chunks).train_set_x
    assert lazy.chunks[0] == expected
    np.testing.assert_array_equal(lazy.compute(), IMAGES)


def test_a_filter_that_only_another_process_has(tmp_path, monkeypatch):
    """Such as that of a worker which has not imported hdf5plugin: named, and where to import it."""
    dataset = write(tmp_path / "x.h5", IMAGES, LAYOUTS["compressed"])
    monkeypatch.setattr("h5py.h5z.filter_avail", lambda code: code != h5py.h5z.FILTER_DEFLATE)
    with pytest.raises(ValueError, match=r"x.h5: dataset 'images' is compressed by filter 1 .*client\.run"):
        dataset[:3]


def test_a_damaged_chunk_is_noticed_when_it_is_read(tmp_path):
    path, labels = tmp_path / "x.h5", np.arange(500) % 2
    write_hdf5(path, np.resize(IMAGES, (500, 4, 5, 3)), labels, IMAGES[:9], labels[:9], ["no", "yes"])
    with h5py.File(path) as file:
        place = file["train_set_x"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 9] ^= 1
    path.write_bytes(content)
    images = read_hdf5(path, chunks=50).train_set_x
    np.testing.assert_array_equal(images[-50:].compute(), IMAGES)
    with pytest.raises(OSError, match=r"x.h5: dataset 'train_set_x' cannot be read"):
        images.compute()


@pytest.mark.parametrize("rows_of_chunk", [1, 100])
def test_the_automatic_size(rows_of_chunk, tmp_path):
    """About 16 MiB as floats, and whole chunks of the file, which would be read more than once."""
    images = np.zeros((600, 64, 64, 3), np.uint8)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("train_set_x", data=images, chunks=(rows_of_chunk, 64, 64, 3))
        file["test_set_x"], file["list_classes"] = images[:2], [b"a"]
        file["train_set_y"], file["test_set_y"] = np.zeros(600, int), np.zeros(2, int)
    n_images = READ_BYTES // (8 * images[0].size)
    expected = n_images - n_images % rows_of_chunk
    assert read_hdf5(tmp_path / "x.h5", chunks="auto").train_set_x.chunks[0][0] == expected


@pytest.mark.parametrize("chunks", [0, -1, True, 2.5, "all", [3]])
def test_other_sizes_are_refused(chunks):
    with pytest.raises(ValueError, match='chunks must be "auto" or a number of images'):
        read_hdf5("missing.h5", chunks=chunks)
