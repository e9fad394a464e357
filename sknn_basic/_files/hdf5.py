"""Datasets of an HDF5 file that may be damaged or not what it says: found, checked and read; and written."""

from contextlib import contextmanager
from math import prod

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5z

from .text import printable, short_name

MAX_SOFT_LINKS = 16  # HDF5's own limit, against circular links
# Attributes of data whose values are only their shape, or numbers of objects that MATLAB keeps elsewhere
MATLAB_EMPTY, OCTAVE_EMPTY, MATLAB_OBJECT = b"MATLAB_empty", b"OCTAVE_EMPTY_MATRIX", b"MATLAB_object_decode"
CHUNK_BYTES = 2**14  # several small images share a chunk, since each chunk takes time and space of its own


# Reading


@contextmanager
def reading(where):
    """Turn any exception of h5py into an OSError that names what was read, or into a MemoryError."""
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
    """Return the dataset of this name, or the one in the group of this name."""
    item = resolve(file, key, where)
    with reading(where):
        item = content(item)
    return as_dataset(item, where)


def resolve(file, key, where):
    """Return the object of this name; links are resolved one by one, since HDF5 would open other files."""
    item, names, n_links = file.id, [key.encode()], 0
    while names:
        name = names.pop(0)
        with reading(where):
            kind, target = _link(item, name)
            item = h5o.open(item, name) if kind == h5l.TYPE_HARD else item
        if kind == h5l.TYPE_SOFT and n_links < MAX_SOFT_LINKS:
            n_links += 1
            item = file.id if target.startswith(b"/") else item
            names = [part for part in target.split(b"/") if part not in (b"", b".")] + names
        elif kind == h5l.TYPE_EXTERNAL:
            name = target[0].decode(errors="replace")
            raise ValueError(f"{where} is a link to {name!r}, expected the data in the file itself.")
        elif kind != h5l.TYPE_HARD:
            raise ValueError(f"{where} is a broken or circular link, expected a dataset.")
    return item


def _link(item, name):
    """Return the type of a link, None if there is none, and the target of a link that is not hard."""
    if not isinstance(item, h5g.GroupID) or not item.links.exists(name):
        return None, None
    kind = item.links.get_info(name).type
    return kind, None if kind == h5l.TYPE_HARD else item.links.get_val(name)


def content(item):
    """Return the only thing that a group holds beside its "type", as Octave writes it; else the item."""
    if not isinstance(item, h5g.GroupID) or h5a.exists(item, OCTAVE_EMPTY):
        return item
    names = [name for name in item if name != b"type"]
    return member(item, names[0]) if len(names) == 1 else item


def member(group, name):
    """Return the object of this name in a group, not through a link."""
    if _link(group, name)[0] != h5l.TYPE_HARD:
        raise ValueError(f"its member {name.decode(errors='replace')!r} is a link")
    return h5o.open(group, name)


def as_dataset(item, where):
    """Return an object as a dataset, or raise an error that says what it is instead."""
    with reading(where):
        is_empty = h5a.exists(item, MATLAB_EMPTY) or h5a.exists(item, OCTAVE_EMPTY)
        is_object = h5a.exists(item, MATLAB_OBJECT)
        is_group, is_dataset = (isinstance(item, kind) for kind in (h5g.GroupID, h5d.DatasetID))
        names = [name.decode(errors="replace") for name in item] if is_group else []
        dataset = h5py.Dataset(item, readonly=True) if is_dataset else None
        # A type that NumPy lacks raises an error.
        is_null = is_dataset and (dataset.shape is None or dataset.dtype is None)
    if is_empty or is_null:
        raise ValueError(f"{where} has no values, expected an array.")
    if is_object:
        raise ValueError(
            f"{where} is an object that only MATLAB can read, expected an array: save labels as "
            "double(labels) - 1, and names as cellstr(names)."
        )
    if not is_dataset:
        members = f" of {', '.join(map(short_name, names[:9]))}" if names else ""
        raise ValueError(f"{where} is a {'group' if is_group else 'type'}{members}, expected a dataset.")
    return dataset


def read_values(dataset, where):
    """Return the values of a dataset, or raise an error that names it."""
    if dataset.dtype.kind == "O" and not h5py.check_string_dtype(dataset.dtype):
        raise ValueError(f"{where} holds references or lists, expected numbers or text.")
    check_storage(dataset, where)
    with reading(where):
        return checked_values(_values(dataset))


def check_storage(dataset, where):
    """Raise an error for values that are not in the file itself, not all there, or that h5py cannot read."""
    with reading(where):
        if dataset.id.get_offset() is not None:  # in one piece in this file, therefore without filters
            return
        properties = dataset.id.get_create_plist()
        is_outside = properties.get_layout() == h5d.VIRTUAL or properties.get_external_count() > 0
    if is_outside:
        raise ValueError(f"{where} keeps its values in other files, expected them in the file itself.")
    check_filters(dataset, where)
    with reading(where):
        _check_presence(dataset)


def check_filters(dataset, where):
    """Raise ValueError that names filters which HDF5 does not have in this process."""
    with reading(where):
        properties = dataset.id.get_create_plist()
        filters = [properties.get_filter(i) for i in range(properties.get_nfilters())]
        missing = [(code, name) for code, _, _, name in filters if not h5z.filter_avail(code)]
    if missing:
        names = [
            f"filter {code} {short_name(name.decode(errors='replace').partition(';')[0])}".rstrip()
            for code, name in missing
        ]
        raise ValueError(
            f"{where} is compressed by {', '.join(names)}, which HDF5 cannot undo here. Run python -m pip "
            "install hdf5plugin, and import hdf5plugin before reading; on a cluster of Dask also "
            "client.run(__import__, 'hdf5plugin'). If that lacks the filter, open the file with the library "
            "that wrote it, and read images block by block through dask.array.from_array."
        )


def _check_presence(dataset):
    """Raise ValueError if values are absent, since HDF5 would return the fill value for them."""
    if dataset.chunks:
        n_chunks = prod(-(-length // n) for length, n in zip(dataset.shape, dataset.chunks, strict=True))
        n_absent = n_chunks - dataset.id.get_num_chunks()
        if n_absent > 0:
            raise ValueError(f"{n_absent} of its {n_chunks} chunks are absent")
    elif dataset.size and not dataset.id.get_storage_size():
        raise ValueError("its values were never written")


def _values(dataset):
    """Return the values of a dataset; raise MemoryError if memory does not suffice for them.

    HDF5 may report a lack of memory like damage, such as "filter returned failure during read". So after an
    error, check whether NumPy can allocate as much memory as reading takes.
    """
    try:
        if dataset.dtype.kind == "O":
            return np.asarray(dataset[()], dataset.dtype)  # of a single text: bytes
        values = np.zeros(dataset.shape, dataset.dtype)
        dataset.id.read(h5s.ALL, h5s.ALL, values)  # in less time than dataset[()]
        return values
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


def checked_values(values):
    """Return the values; raise ValueError for booleans that equal neither True nor False."""
    if values.dtype == bool and values.view(np.uint8).max(initial=0) > 1:
        raise ValueError("it has booleans that are neither 0 nor 1")
    return values


# Writing


def write_values(file, key, values):
    """Write a dataset in compressed chunks with checksums.

    A chunk of zeros would have the right checksum, zero, if it were not compressed.
    """
    chunks = min(len(values), max(1, CHUNK_BYTES // values[:1].nbytes)), *values.shape[1:]
    options = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    file.create_dataset(key, data=values, chunks=chunks, **options)
