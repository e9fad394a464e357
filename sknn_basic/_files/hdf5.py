"""Datasets of an HDF5 file that may be damaged or not what it says: found, read and checked; and written."""

import hashlib
from contextlib import contextmanager
from math import prod

import h5py
import numpy as np

from .hdf5_chunks import read_chunks, unknown_filters, value_size
from .text import printable

MAX_SOFT_LINKS = 16  # HDF5's own limit, against circular links
DIGEST_KEY = "sknn_basic_digest"  # the attribute of a dataset with the digest of its values
CHUNK_BYTES = 2**14  # of small images, several make a chunk, which takes time and space of its own


# Reading


@contextmanager
def reading(where):
    """Turn any exception of h5py about a damaged file (KeyError, RuntimeError, ...) into an OSError.

    A MemoryError stays a MemoryError. Both messages name what was read.
    """
    try:
        yield
    except MemoryError as error:
        reason = one_line(error) or type(error).__name__
        raise MemoryError(f"{where} cannot be read for lack of memory: {reason}.") from error
    except Exception as error:
        raise OSError(
            f"{where} cannot be read ({one_line(error)}), expected a complete HDF5 file."
        ) from error


def one_line(error):
    """Return a message in one line, without what a name in a damaged file could do to a terminal."""
    return printable(" ".join(str(error).split()).rstrip("."))


def find(file, key, where):
    """Return the dataset; links are resolved one by one, since HDF5 itself would open other files."""
    item, names, n_links = file, [key], 0
    while names:
        name = names.pop(0)
        with reading(where):
            link = item.get(name, getlink=True) if isinstance(item, h5py.Group) else None
        if isinstance(link, h5py.HardLink):
            with reading(where):
                item = item[name]
        elif isinstance(link, h5py.SoftLink) and n_links < MAX_SOFT_LINKS:
            n_links += 1
            item = file if link.path.startswith("/") else item
            names = [part for part in link.path.split("/") if part not in ("", ".")] + names
        elif isinstance(link, h5py.ExternalLink):
            raise ValueError(f"{where} is a link to {link.filename!r}, expected the data in the file itself.")
        else:
            raise ValueError(f"{where} is a broken or circular link, expected a dataset.")
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"{where} is a {type(item).__name__.lower()}, expected a dataset.")
    with reading(where):
        is_null = item.shape is None or item.dtype is None  # a type that NumPy lacks raises an error
    if is_null:
        raise ValueError(f"{where} has no values, not even a shape, expected an array.")
    return item


def read_values(dataset, key, where):
    """Return the values of a dataset, and whether a digest in the file vouches for them."""
    check_storage(dataset, where)
    with reading(where):
        values = _values(dataset)
        return values, _has_digest(dataset, key, values)


def check_storage(dataset, where):
    """Raise an error for values that are not in the file itself, or stored in a way that is not read."""
    with reading(where):
        outside = dataset.is_virtual or dataset.external
        filters = unknown_filters(dataset)
    if dataset.dtype.kind == "O" and not h5py.check_string_dtype(dataset.dtype):
        raise ValueError(f"{where} holds references or lists, expected numbers or text.")
    if outside:
        raise ValueError(f"{where} keeps its values in other files, expected them in the file itself.")
    if filters:
        raise ValueError(
            f"{where} is stored with {', '.join(filters)}, expected gzip, lzf or no compression. Read it "
            "with h5py and write it with write_hdf5."
        )


def _values(dataset):
    """Return the values of a dataset; raise MemoryError if memory does not suffice for them.

    HDF5 may report a lack of memory like damage, such as "filter returned failure during read". So after any
    error but ValueError, check whether NumPy can allocate as much memory as reading takes.
    """
    try:
        values = read_chunks(dataset) if dataset.chunks else _read_unchunked(dataset)
    except ValueError:
        raise
    except Exception as error:
        n_bytes = dataset.nbytes + 2 * prod(dataset.chunks or [0]) * dataset.dtype.itemsize
        try:
            np.empty(n_bytes, np.uint8)
        except (MemoryError, ValueError):  # ValueError: more than the address space
            raise MemoryError(
                f"{n_bytes / 2**30:,.1f} GiB are needed for values of shape {dataset.shape} and type "
                f"{dataset.dtype}"
            ) from error
        raise
    return checked_values(values)


def checked_values(values):
    if values.dtype == bool and values.view(np.uint8).max(initial=0) > 1:
        raise ValueError("it has booleans that are neither 0 nor 1")
    return values


def _read_unchunked(dataset):
    """Return the values of a dataset in one piece."""
    check_unchunked(dataset)
    return np.asarray(dataset[()])


def check_unchunked(dataset):
    """Raise ValueError if values are absent, for which HDF5 would return the fill value."""
    expected = prod(dataset.shape) * value_size(dataset)
    stored, in_all = dataset.id.get_storage_size(), h5py.h5i.get_file_id(dataset.id).get_filesize()
    if stored != expected or stored > in_all:
        raise ValueError(f"{stored} bytes of its values are in a file of {in_all}, expected {expected}")


# Digests


def _has_digest(dataset, key, values):
    """Return whether a dataset has a digest; raise ValueError if that is not the digest of its values."""
    if DIGEST_KEY not in dataset.attrs:
        return False
    attribute = dataset.attrs.get_id(DIGEST_KEY)
    is_text = attribute.shape == () and attribute.dtype.kind == "S" and attribute.dtype.itemsize < 100
    stored = bytes(dataset.attrs[DIGEST_KEY]) if is_text else b""
    if not stored.startswith(b"1:"):
        raise ValueError("its digest is damaged, or of a kind that only a newer version knows")
    if stored != _digest(key, values):
        raise ValueError(
            "its values do not match their digest: they are damaged, or were changed without write_hdf5; if "
            "the change is right, read it with h5py and write it with write_hdf5"
        )
    return True


def _digest(key, values):
    """Return the digest of values under the name of their dataset, as the attribute has it.

    That is the version of this definition, and the SHA-256 of name, type and shape in a line such as
    "train_set_y <i8 (209,)", and of the values, C-contiguous.
    """
    digest = hashlib.sha256(f"{key} {values.dtype.str} {values.shape}\n".encode())
    digest.update(values)
    return b"1:" + digest.hexdigest().encode()


# Writing


def write_values(file, key, values):
    """Write a dataset with checksums and a digest, compressed if it has two or more axes."""
    values, options = np.ascontiguousarray(values), {}
    if values.ndim > 1:
        n_images = min(len(values), max(1, CHUNK_BYTES // values[0].nbytes))
        options = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        options["chunks"] = (n_images, *values.shape[1:])
    dataset = file.create_dataset(key, data=values, **options)
    dataset.attrs[DIGEST_KEY] = np.bytes_(_digest(key, values))
