"""Datasets of HDF5 files: where they are looked for, and what is refused."""

import os

import h5py
import numpy as np
import pytest
from hdf5_files import assert_equal, assert_names, small_dataset, write_raw

from sknn_basic import read_hdf5


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
