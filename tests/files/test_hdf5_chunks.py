"""Chunks are decoded as HDF5 does, and those that lie are refused."""

import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn_basic._files.hdf5_chunks import read_chunks

X = np.arange(24, dtype="<i2").reshape(4, 6) % 7
CHUNK = X[:1].tobytes()  # every test file has four of them


def filters(**options):
    return {"compression": None, "shuffle": False, "fletcher32": False} | options


@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    chunk=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    dtype=st.sampled_from(["?", "u1", "<i2", ">f4", "<f8", "f2", ">u8"]),
    compression=st.sampled_from([None, "gzip", "lzf"]),
    shuffle=st.booleans(),
    fletcher32=st.booleans(),
    libver=st.sampled_from(["earliest", "latest"]),
    n_values=st.sampled_from([1, 3, 250]),
)
def test_values_are_those_that_were_written(
    tmp_path_factory, shape, chunk, dtype, libver, n_values, **options
):
    """Of every type, in every layout, whether they can be compressed or not."""
    path = tmp_path_factory.mktemp("chunks") / "a.h5"
    values = np.random.default_rng(0).integers(0, n_values, shape).astype(dtype)
    chunks = tuple(min(pair) for pair in zip(shape, chunk, strict=False))
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("x", data=values, chunks=chunks, **options)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(read_chunks(file["x"]), values, strict=True)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
@pytest.mark.parametrize("n", [100, 2**16 + 1, 300_001])
@pytest.mark.parametrize("kind", ["zeros", "random", "ramp", "text"])
def test_long_chunks(tmp_path, compression, n, kind):
    """Also those that take more than one block of the checksum, and every kind of repetition of LZF."""
    rng = np.random.default_rng(n)
    values = {
        "zeros": np.zeros(n, np.uint8),
        "random": rng.integers(0, 256, n, np.uint8),
        "ramp": (np.arange(n) // 3 % 251).astype(np.uint8),
        "text": np.resize(rng.integers(97, 105, 700, np.uint8), n) ^ (rng.random(n) < 0.01),
    }[kind].astype(np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(n,), compression=compression, fletcher32=True)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(read_chunks(file["x"]), values, strict=True)


@pytest.mark.parametrize("text", [np.array([b"a", b"bcd"] * 3), np.array(["Käuzchen", "猫"] * 3, "O")])
def test_texts(tmp_path, text):
    """Texts of one length or any, which HDF5 converts."""
    kind = h5py.string_dtype() if text.dtype == object else None
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=text, dtype=kind, chunks=(4,), compression="gzip")
    with h5py.File(tmp_path / "a.h5") as file:
        expected = [name.encode() if isinstance(name, str) else name for name in text.tolist()]
        assert read_chunks(file["x"]).tolist() == expected


def test_types_that_numpy_lacks(tmp_path):
    """Integers of 12 bits and enumerations are converted by HDF5."""
    twelve = h5py.h5t.STD_I16LE.copy()
    twelve.set_precision(12)
    enumeration = h5py.h5t.py_create(h5py.enum_dtype({f"class {i}": i for i in range(7)}, "i2"), logical=True)
    space, properties = h5py.h5s.create_simple(X.shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3, 3))
    properties.set_deflate()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, kind in {b"twelve": twelve, b"enumeration": enumeration}.items():
            dataset = h5py.h5d.create(file.id, name, kind, space, properties)
            dataset.write(space, space, X, mtype=kind if name == b"enumeration" else None)
    with h5py.File(tmp_path / "a.h5") as file:
        for dataset in file.values():
            np.testing.assert_array_equal(read_chunks(dataset), X)


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}])
def test_filters_that_were_skipped(tmp_path, options):
    """A chunk may be stored as it is, and say so."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", data=X, chunks=(1, 6), **options)
        dataset.id.write_direct_chunk((2, 0), CHUNK, filter_mask=1)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(read_chunks(file["x"]), X[[0, 1, 0, 3]])


@pytest.mark.parametrize("present", [[], [0], [1, 2, 3], [0, 1, 2]])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_absent_chunks(tmp_path, present, compression):
    """HDF5 would return the fill value for them."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", X.shape, X.dtype, chunks=(1, 6), compression=compression)
        for row in present:
            dataset[row] = X[row]
    with h5py.File(tmp_path / "a.h5") as file:
        assert not file["x"][()][-1].any() or not file["x"][()][0].any()
        with pytest.raises(ValueError, match=f"{4 - len(present)} of its 4 chunks are absent"):
            read_chunks(file["x"])


def with_chunk(path, chunk, **options):
    """Write X with another content of its third chunk."""
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", data=X, chunks=(1, 6), **options)
        dataset.id.write_direct_chunk((2, 0), chunk)


BAD_CHUNKS = {
    "inflates too short": (filters(compression="gzip"), zlib.compress(CHUNK[:-1])),
    "inflates to nothing": (filters(compression="gzip"), zlib.compress(b"")),
    "inflates too long": (filters(compression="gzip"), zlib.compress(CHUNK + b"\0")),
    "inflates to a gigabyte": (filters(compression="gzip"), zlib.compress(bytes(2**24))),
    "a stream that is cut": (filters(compression="gzip"), zlib.compress(CHUNK)[:-1]),
    "a stream of other content": (filters(compression="gzip"), zlib.compress(CHUNK)[:-1] + b"\0"),
    "no stream": (filters(compression="gzip"), CHUNK),
    "shuffled, too short": (filters(compression="gzip", shuffle=True), zlib.compress(CHUNK[:7])),
    "copies too little": (filters(compression="lzf"), b"\x0a" + CHUNK[:-1]),
    "copies what is not there": (filters(compression="lzf"), b"\x1f" + CHUNK),
    "repeats what is not there": (filters(compression="lzf"), b"\x20\x05"),
    "repeats too much": (filters(compression="lzf"), b"\x00a" + b"\xe0\xff\x00" * 1000),
    "a cut repetition": (filters(compression="lzf"), b"\x00a\xe0"),
    "a wrong checksum": (filters(fletcher32=True), CHUNK + b"\x01\0\0\0"),
    "no checksum": (filters(fletcher32=True), CHUNK),
    "not even a checksum": (filters(fletcher32=True), b"\x01\x02"),
}


@pytest.mark.parametrize(("options", "chunk"), BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_bad_chunks(tmp_path, options, chunk):
    """A chunk of any other size or content than it should have is named."""
    with_chunk(tmp_path / "a.h5", chunk, **options)
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(ValueError, match=r"the chunk at \(2, 0\): "):
        read_chunks(file["x"])


def test_bytes_shuffled_by_another_size(tmp_path):
    """HDF5 shuffles by the size of a value, whatever else the file says."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=X, chunks=(1, 6), shuffle=True)
    content = path.read_bytes()
    arguments = content.index(b"shuffle\0") + 8
    assert content[arguments : arguments + 4] == b"\2\0\0\0"
    path.write_bytes(content[:arguments] + b"\3" + content[arguments + 1 :])
    with h5py.File(path) as file, pytest.raises(ValueError, match="shuffled by another size"):
        read_chunks(file["x"])


def test_chunks_at_one_place(tmp_path):
    """A small file cannot make up more by repeating the place of a chunk than by all of its bytes."""
    path = tmp_path / "a.h5"
    rows = np.zeros((9, 5000), np.uint8)
    rows[0] = np.random.default_rng(0).integers(0, 256, 5000)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", data=rows, chunks=(1, 5000), compression="gzip")
        chunks = [dataset.id.get_chunk_info(i) for i in range(9)]
    content = path.read_bytes()
    for chunk in chunks[1:]:  # each a size of 4 bytes, a mask, 3 offsets and the place
        place = content.index(chunk.byte_offset.to_bytes(8, "little"))
        content = bytearray(content)
        content[place : place + 8] = chunks[0].byte_offset.to_bytes(8, "little")
        content[place - 32 : place - 28] = chunks[0].size.to_bytes(4, "little")
    path.write_bytes(content)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["x"][()], rows[[0] * 9])
        with pytest.raises(ValueError, match="its chunks are larger than the file"):
            read_chunks(file["x"])
