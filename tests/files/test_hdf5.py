"""Datasets of HDF5 files: how they are written, what of them is read, and where they are looked for."""

import h5py
import numpy as np
import pytest
from hdf5_files import KEYS, assert_equal, assert_names, small_dataset, write_raw

from sknn_basic import read_hdf5, write_hdf5
from sknn_basic._files.hdf5 import write_values

# Writing


@pytest.mark.parametrize(
    ("shape", "n"), [((64, 64, 3), 1), ((150, 150, 3), 1), ((28, 28), 20), ((1, 5), 90), ((), 90)]
)
def test_values_are_compressed_with_checksums(tmp_path, shape, n):
    """Whole images, of small ones as many as 16 KiB hold, if there are so many; labels and names alike."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_values(file, "x", np.zeros((90, *shape), np.uint8))
        write_values(file, "names", np.array([b"", b"cat"]))
        assert file["x"].chunks == (n, *shape)
        for dataset in file.values():
            assert (dataset.compression, dataset.shuffle, dataset.fletcher32) == ("gzip", True, True)
            assert not dataset.attrs


@pytest.mark.parametrize("key", KEYS)
def test_chunks_of_zeros_are_damaged(tmp_path, key):
    """Zero is the checksum of zeros; compressed data are never zeros."""
    path = tmp_path / "a.h5"
    write_hdf5(path, *small_dataset().values())
    with h5py.File(path) as file:
        chunk = file[key].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with pytest.raises(OSError, match="expected a complete HDF5 file") as error:
        read_hdf5(path)
    assert_names(error, path, repr(key))


def test_every_structure_has_a_checksum(tmp_path):
    """The signatures of HDF5's format of 1.10 are there, those of the format without checksums are not."""
    path = tmp_path / "a.h5"
    write_hdf5(path, *small_dataset().values())
    content = path.read_bytes()
    assert content[8] == 3  # the version of the superblock
    assert content.count(b"OHDR") == 1 + len(KEYS)
    assert not any(old in content for old in (b"TREE", b"HEAP", b"SNOD"))


# What HDF5 would read


@pytest.mark.parametrize("key", KEYS)
def test_values_that_were_never_written(tmp_path, key):
    """HDF5 would return zeros for them."""
    path = write_raw(tmp_path / "a.h5", small_dataset(**{key: None}))
    values = small_dataset()[key]
    with h5py.File(path, "a") as file:
        file.create_dataset(key, values.shape, values.dtype)
    with pytest.raises(OSError, match="its values were never written") as error:
        read_hdf5(path)
    assert_names(error, path, key)


@pytest.mark.parametrize("present", [[0], [1, 2, 3], [0, 1, 2]])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"maxshape": (None, 4, 3, 2)}], ids=str)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_chunks_that_were_never_written(tmp_path, present, options, libver):
    """Whatever lists the chunks."""
    images, path = small_dataset()["train_set_x"], tmp_path / "a.h5"
    with h5py.File(path, "w", libver=libver) as file:
        dataset = file.create_dataset("train_set_x", images.shape, "u1", chunks=(1, 4, 3, 2), **options)
        dataset[present] = images[present]
        for key, values in small_dataset(train_set_x=None).items():
            file[key] = values
    with pytest.raises(OSError, match=f"{4 - len(present)} of its 4 chunks are absent") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_x")


@pytest.mark.parametrize("key", ["train_set_y", "test_set_x"])
def test_booleans_that_are_neither(tmp_path, key):
    """A byte of 2 is no boolean; NumPy would take it for one that equals neither True nor False."""
    values = np.ones(small_dataset()[key].shape, bool)
    path = write_raw(tmp_path / "a.h5", small_dataset(**{key: values}))
    with h5py.File(path) as file:
        place = file[key].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place + 1] = 2
    path.write_bytes(content)
    with pytest.raises(OSError, match="neither 0 nor 1") as error:
        read_hdf5(path)
    assert_names(error, path, key)


def write_filtered(file, key, values, *filters):
    """Write values in a chunk behind (code, arguments) of filters, skipped where HDF5 does not have them.

    Without filters the values stand in the header of their dataset.
    """
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if filters:
        properties.set_chunk(values.shape)
    else:
        properties.set_layout(h5py.h5d.COMPACT)
    for code, arguments in filters:
        properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL, arguments)
    kind, space = h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(file.id, key.encode(), kind, space, properties).write(space, space, values)


def with_images(path, write):
    """A file of h5py whose test images are written by write(file, key, values)."""
    with h5py.File(write_raw(path, small_dataset(test_set_x=None)), "a") as file:
        write(file, "test_set_x", small_dataset()["test_set_x"])
    return path


STORED = {
    "compact": write_filtered,
    "gzip twice": lambda *x: write_filtered(*x, (h5py.h5z.FILTER_DEFLATE, (4,)), (1, (9,))),
    "nbit": lambda *x: write_filtered(*x, (h5py.h5z.FILTER_NBIT, ())),
}
for name in ("gzip", "lzf", "szip"):
    STORED[name] = lambda file, key, x, name=name: file.create_dataset(key, data=x, compression=name)
for name in ("scaleoffset", "fletcher32", "shuffle"):
    STORED[name] = lambda file, key, x, name=name: file.create_dataset(key, data=x, **{name: True})


@pytest.mark.parametrize("write", STORED.values(), ids=STORED)
def test_all_that_h5py_reads_is_read(tmp_path, write):
    """Every layout, and every filter that HDF5 has here."""
    if not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP) and write is STORED["szip"]:
        pytest.skip("HDF5 without szip")
    assert_equal(read_hdf5(with_images(tmp_path / "a.h5", write)), small_dataset())


def test_filters_of_hdf5plugin(tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")

    def write(file, key, x):
        file.create_dataset(key, data=x, compression=hdf5plugin.Blosc())

    assert_equal(read_hdf5(with_images(tmp_path / "a.h5", write)), small_dataset())


@pytest.mark.parametrize("chunks", [None, "auto"])
def test_a_filter_that_is_missing_is_named(tmp_path, chunks):
    """With advice where to find it."""
    pytest.importorskip("dask.array")
    path = with_images(tmp_path / "a.h5", lambda *x: write_filtered(*x, (300, ())))
    with pytest.raises(ValueError, match="is compressed by filter 300") as error:
        read_hdf5(path, chunks=chunks)
    assert_names(error, path, "test_set_x", "pip install hdf5plugin", "import hdf5plugin")


def create_virtual(file, key):
    layout = h5py.VirtualLayout((3,), "S3")
    layout[:] = h5py.VirtualSource("other.h5", key, (3,))
    file.create_virtual_dataset(key, layout)


def create_date(file, key):
    h5py.h5d.create(file.id, key.encode(), h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((3,)))


def create_external(file, key):
    file.create_dataset(key, (3,), "S3", external=[("secret.bin", 0, 9)])


NO_VALUES = {
    "a group": (h5py.Group.create_group, "is a group, expected a dataset"),
    "a type": (lambda file, key: file.update({key: np.dtype("f8")}), "is a type, expected a dataset"),
    "no shape": (lambda file, key: file.update({key: h5py.Empty("S3")}), "has no values"),
    "references": (lambda *x: h5py.Group.create_dataset(*x, (3,), h5py.ref_dtype), "holds references"),
    "regions": (lambda *x: h5py.Group.create_dataset(*x, (3,), h5py.regionref_dtype), "holds references"),
    "lists": (lambda *x: h5py.Group.create_dataset(*x, (3,), h5py.vlen_dtype("u1")), "or lists"),
    "a type that NumPy lacks": (create_date, "cannot be read"),
    "values of other files": (create_virtual, "expected them in the file itself"),
    "values in another file": (create_external, "expected them in the file itself"),
}


@pytest.mark.parametrize(("create", "expected"), NO_VALUES.values(), ids=NO_VALUES)
def test_what_holds_no_names_is_refused(tmp_path, create, expected):
    """Where names are expected, nothing else is read, and no other file is opened."""
    path = write_raw(tmp_path / "a.h5", small_dataset(list_classes=None))
    with h5py.File(path, "a") as file:
        create(file, "list_classes")
    with pytest.raises((ValueError, OSError), match=expected) as error:
        read_hdf5(path)
    assert_names(error, path, "list_classes")


# Links


def test_soft_links_within_the_file(tmp_path):
    """Soft links are followed within the file: absolute, relative to their group, and through a link."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    with h5py.File(path, "a") as file:
        file["pixels"] = small_dataset()["train_set_x"]
        file["sets/train/images"] = h5py.SoftLink("/pixels")
        file["sets/current"] = h5py.SoftLink("./train")
        file["sets/images"] = h5py.SoftLink("current/images")
        file["train_set_x"] = h5py.SoftLink("/sets/images")
    assert_equal(read_hdf5(path), small_dataset())


@pytest.mark.parametrize("target", ["/absent", "absent/too", "/train_set_y", "/test_set_x/deeper"])
def test_soft_link_that_leads_nowhere(tmp_path, target):
    """A soft link to nothing, through a dataset or in a circle is refused."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_y=None))
    with h5py.File(path, "a") as file:
        file["train_set_y"] = h5py.SoftLink(target)
    with pytest.raises(ValueError, match="is a broken or circular link, expected a dataset") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_y")


@pytest.mark.parametrize("way", ["direct", "behind a soft link", "on the way"])
def test_links_to_other_files_are_not_followed(tmp_path, way):
    """An external link is refused wherever it stands; the file that it names is not even opened."""
    arrays = small_dataset()
    other = write_raw(tmp_path / "other.h5", {"images": arrays["train_set_x"]})
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    with h5py.File(path, "a") as file:
        if way == "direct":
            file["train_set_x"] = h5py.ExternalLink(str(other), "images")
        elif way == "behind a soft link":
            file["elsewhere"] = h5py.ExternalLink(str(other), "images")
            file["train_set_x"] = h5py.SoftLink("/elsewhere")
        else:
            file["elsewhere"] = h5py.ExternalLink(str(other), "/")
            file["train_set_x"] = h5py.SoftLink("/elsewhere/images")
    with h5py.File(path) as file:  # HDF5 itself would follow it
        np.testing.assert_array_equal(file["train_set_x"], arrays["train_set_x"])
    other.unlink()  # nor is it missed
    with pytest.raises(ValueError, match="expected the data in the file itself") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_x", other)
