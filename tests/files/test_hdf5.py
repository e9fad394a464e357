"""Datasets of HDF5 files: their digests, what of them is refused, and where they are looked for."""

import hashlib
import os

import h5py
import numpy as np
import pytest
from hdf5_files import KEYS, assert_equal, assert_names, small_dataset, write_raw

from sknn_basic import read_hdf5, write_hdf5

DIGEST = "sknn_basic_digest"


@pytest.fixture
def written(tmp_path):
    """A file of `write_hdf5`."""
    write_hdf5(tmp_path / "a.h5", *small_dataset().values())
    return tmp_path / "a.h5"


def replace(path, key, values, *, keeps_digest):
    with h5py.File(path, "a") as file:
        digest = file[key].attrs[DIGEST]
        del file[key]
        file[key] = values
        if keeps_digest:
            file[key].attrs[DIGEST] = digest


# Digests


def test_digest_is_that_of_the_values(written):
    """The first letters are the version; then follows the SHA-256 of name, type, shape and bytes."""
    with h5py.File(written) as file:
        for key, values in small_dataset().items():
            start = f"{key} {values.dtype.str} {values.shape}\n".encode()
            expected = "1:" + hashlib.sha256(start + values.tobytes()).hexdigest()
            assert file[key].attrs[DIGEST] == expected.encode()


OTHER_VALUES = {
    "another pixel": ("train_set_x", lambda x: x ^ (np.arange(x.size).reshape(x.shape) == 5)),
    "another type": ("train_set_x", lambda x: x.astype("i2")),
    "another sign": ("test_set_x", lambda x: (x // 2).view("i1")),
    "another shape": ("test_set_x", lambda x: x.reshape(2, 4, 6)),
    "axes exchanged": ("train_set_x", lambda x: x.reshape(4, 3, 4, 2)),
    "another label": ("train_set_y", lambda y: y[::-1]),
    "labels as a row": ("train_set_y", lambda y: y[None]),
    "labels of another type": ("test_set_y", lambda y: y.astype("i4")),
    "another name": ("list_classes", lambda names: np.array([b"cat", b"dog", b"cow"])),
    "names exchanged": ("list_classes", lambda names: names[::-1]),
    "one name more": ("list_classes", lambda names: np.append(names, b"cow")),
    "names of any length": ("list_classes", lambda names: names.astype(h5py.string_dtype())),
}


@pytest.mark.parametrize(("key", "change"), OTHER_VALUES.values(), ids=OTHER_VALUES)
@pytest.mark.parametrize("keeps_digest", [True, False])
def test_other_values_are_refused(written, key, change, keeps_digest):
    """A change by another program is an OSError that says so, whether it keeps the digest or not."""
    replace(written, key, change(small_dataset()[key]), keeps_digest=keeps_digest)
    with pytest.raises(OSError, match="without write_hdf5") as error:
        read_hdf5(written)
    assert_names(error, written, key, "digest", "damaged", "read it with h5py and write it with write_hdf5")


def test_exchanged_datasets_are_refused(tmp_path):
    """Values are those of their own name, though the others' type and shape are the same."""
    x, y = small_dataset()["train_set_x"], [0, 1, 1, 0]
    write_hdf5(tmp_path / "a.h5", x, y, x[::-1], y, ["a", "b"])
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.move("train_set_x", "other")
        file.move("test_set_x", "train_set_x")
        file.move("other", "test_set_x")
    with pytest.raises(OSError, match="do not match their digest"):
        read_hdf5(tmp_path / "a.h5")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("digest", [None, b"2:ab", b"", "1:ab", 7, np.zeros(3), [b"1:"], b"1:" + b"a" * 9000])
def test_digests_that_are_none(written, key, digest):
    """A digest that is gone, of an unknown kind or no text does not turn the check off."""
    with h5py.File(written, "a") as file:
        del file[key].attrs[DIGEST]
        if digest is not None:
            file[key].attrs[DIGEST] = digest
    with pytest.raises(OSError, match="digest") as error:
        read_hdf5(written)
    assert_names(error, written, key)


def test_digests_in_two_files(written, tmp_path):
    """Each dataset has its own, so a file of them all and its parts are checked in the same way."""
    for name, keys in (("train.h5", KEYS[:2]), ("test.h5", KEYS[2:])):
        with h5py.File(written) as source, h5py.File(tmp_path / name, "w") as file:
            for key in keys:
                source.copy(key, file)
    paths = tmp_path / "train.h5", tmp_path / "test.h5"
    assert_equal(read_hdf5(*paths), small_dataset())
    assert_equal(read_hdf5(written, paths[1]), small_dataset())
    for path, key in zip(paths, ("train_set_y", "test_set_y"), strict=True):
        with h5py.File(path, "a") as file:
            file[key][0] ^= 1
        with pytest.raises(OSError, match="do not match their digest") as error:
            read_hdf5(*paths)
        assert_names(error, path, key)
        with h5py.File(path, "a") as file:
            file[key][0] ^= 1


def test_a_file_without_digests_is_read(written):
    """As files of other programs are: who removes all digests can also make others."""
    with h5py.File(written, "a") as file:
        for key in KEYS:
            del file[key].attrs[DIGEST]
    assert_equal(read_hdf5(written), small_dataset())


# What HDF5 would read


@pytest.mark.parametrize("key", KEYS)
def test_values_that_were_never_written(tmp_path, key):
    """HDF5 would return zeros for them."""
    path = write_raw(tmp_path / "a.h5", small_dataset(**{key: None}))
    values = small_dataset()[key]
    with h5py.File(path, "a") as file:
        file.create_dataset(key, values.shape, values.dtype)
    with pytest.raises(OSError, match="0 bytes of its values are in a file of") as error:
        read_hdf5(path)
    assert_names(error, path, key)


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


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"scaleoffset": 0}, "scaleoffset"), ({"compression": "szip"}, "szip"), ("gzip twice", "gzip")],
)
def test_other_filters_are_refused(tmp_path, options, expected):
    """The size of what they unpack to cannot be checked before HDF5 trusts it."""
    path = write_raw(tmp_path / "a.h5", small_dataset(test_set_x=None))
    images = small_dataset()["test_set_x"]
    with h5py.File(path, "a") as file:
        if options == "gzip twice":
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_chunk(images.shape)
            properties.set_deflate()
            properties.set_deflate()
            kind, space = h5py.h5t.NATIVE_UINT8, h5py.h5s.create_simple(images.shape)
            h5py.h5d.create(file.id, b"test_set_x", kind, space, properties).write(space, space, images)
        else:
            if expected == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
                pytest.skip("HDF5 without szip")
            file.create_dataset("test_set_x", data=images, **options)
    with pytest.raises(ValueError, match="expected gzip, lzf or no compression") as error:
        read_hdf5(path)
    assert_names(error, path, "test_set_x", f"is stored with {expected}", "write_hdf5")


@pytest.mark.parametrize("kind", [h5py.ref_dtype, h5py.regionref_dtype, h5py.vlen_dtype("u1")])
def test_references_and_lists_are_refused(tmp_path, kind):
    """Where names are expected, nothing else is read."""
    path = write_raw(tmp_path / "a.h5", small_dataset(list_classes=None))
    with h5py.File(path, "a") as file:
        file.create_dataset("list_classes", (3,), kind)
    with pytest.raises(ValueError, match="holds references or lists") as error:
        read_hdf5(path)
    assert_names(error, path, "list_classes")


@pytest.mark.parametrize("chunks", [None, (2, 4, 3, 2)])
@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_a_type_of_bits_beyond_its_value(tmp_path, dtype, chunks):
    """HDF5 1.14 would take them from the memory behind the values."""
    path = write_raw(tmp_path / "a.h5", small_dataset(test_set_x=None))
    images = small_dataset()["test_set_x"].astype(dtype)
    with h5py.File(path, "a") as file:
        file.create_dataset("test_set_x", data=images, chunks=chunks)
    content = path.read_bytes()
    place, other = {  # size, offset, precision; for floats the place of the exponent too
        "u1": (b"\1\0\0\0\0\0\x08\0", b"\1\0\0\0\0\1\x08\0"),
        "f4": (b"\4\0\0\0\0\0\x20\0\x17", b"\4\0\0\0\0\0\x20\0\xb7"),
    }[dtype]
    assert place in content
    path.write_bytes(content.replace(place, other))
    with pytest.raises(OSError, match="cannot be read") as error:
        read_hdf5(path)
    assert_names(error, path, "_set_x")


def test_a_type_that_numpy_lacks(tmp_path):
    """A dataset of dates of HDF5 is an OSError that names it."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_y=None))
    with h5py.File(path, "a") as file:
        h5py.h5d.create(file.id, b"train_set_y", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((4,)))
    with pytest.raises(OSError, match="cannot be read") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_y")


# Links


def test_soft_links_within_the_file(tmp_path):
    """Soft links are followed within the file: absolute, relative to their group, and through a link."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    with h5py.File(path, "a") as file:
        images = small_dataset()["train_set_x"]
        file["pixels"] = images
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


def test_external_storage_is_not_read(tmp_path):
    """A dataset whose bytes are in another file is refused."""
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(96))
    with h5py.File(path, "a") as file:
        storage = [(os.fsencode(secret), 0, 96)]
        file.create_dataset("train_set_x", (4, 4, 3, 2), np.uint8, external=storage)
    with pytest.raises(ValueError, match="expected them in the file itself") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_x")


def test_virtual_dataset_is_not_read(tmp_path):
    """A dataset that is put together from other files is refused."""
    images = small_dataset()["train_set_x"]
    other = write_raw(tmp_path / "other.h5", {"images": images})
    path = write_raw(tmp_path / "a.h5", small_dataset(train_set_x=None))
    layout = h5py.VirtualLayout(images.shape, images.dtype)
    layout[:] = h5py.VirtualSource(other, "images", images.shape)
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("train_set_x", layout)
    with pytest.raises(ValueError, match="expected them in the file itself") as error:
        read_hdf5(path)
    assert_names(error, path, "train_set_x")
