"""Chunks of HDF5 datasets, decoded here, since HDF5 trusts what a file says about them.

It returns the fill value for a chunk that is absent; and for one that decompresses to fewer bytes than it
should have, whatever the memory behind them holds.
"""

import zlib
from itertools import product
from math import prod
from operator import add

import numpy as np
from h5py import h5i, h5t, h5z

COMPRESSIONS = {h5z.FILTER_DEFLATE: "gzip", h5z.FILTER_LZF: "lzf"}
BLOCK = 2**15  # 16-bit words of a checksum that are summed up at once; their sums stay exact: below 2**53
WEIGHTS = np.stack([np.ones(BLOCK), np.arange(BLOCK, 0.0, -1)], axis=1)


def unknown_filters(dataset):
    """Return the names of filters that `read_chunks` cannot undo, and of compression after compression."""
    filters = _filters(dataset)
    unknown = [repr(name)[2:-1] or f"filter {code}" for code, _, name in filters if code not in UNDO]
    compressions = [COMPRESSIONS[code] for code, _, _ in filters if code in COMPRESSIONS]
    return unknown + compressions[1:]


def value_size(dataset):
    """Return how many bytes a value takes in the file."""
    kind = dataset.id.get_type()
    if isinstance(kind, h5t.TypeStringID) and kind.is_variable_str():
        size_of_address, _ = h5i.get_file_id(dataset.id).get_create_plist().get_sizes()
        return 8 + size_of_address  # the length of the text, the address of a heap, the number there
    if _n_bits(kind) > 8 * kind.get_size():
        raise ValueError("its type has bits beyond the end of a value")
    return kind.get_size()


def _n_bits(kind):
    """Return where the last bit of a number is, which HDF5 1.14 takes from there wherever that is."""
    if isinstance(kind, h5t.TypeEnumID):
        return _n_bits(kind.get_super())
    if isinstance(kind, h5t.TypeFloatID):
        sign, exponent, n_exponent, mantissa, n_mantissa = kind.get_fields()
        return max(sign + 1, exponent + n_exponent, mantissa + n_mantissa)
    return kind.get_offset() + kind.get_precision() if isinstance(kind, h5t.TypeIntegerID) else 0


def check_chunks(dataset):
    """Raise ValueError if a chunk is absent."""
    n_chunks = prod(-(-length // n) for length, n in zip(dataset.shape, dataset.chunks, strict=True))
    n_absent = n_chunks - dataset.id.get_num_chunks()
    if n_absent > 0:
        raise ValueError(f"{n_absent} of its {n_chunks} chunks are absent")


def read_chunks(dataset, first=0, end=None):
    """Return the rows from `first` to `end` of a chunked dataset; raise ValueError for a damaged chunk."""
    if end is None:
        check_chunks(dataset)
    step, dataset_id = dataset.chunks, dataset.id
    shape = ((dataset.shape[0] if end is None else end) - first, *dataset.shape[1:])
    size = value_size(dataset)
    n_bytes = prod(step) * size
    filters = [(UNDO[code], arguments, 1 << i) for i, (code, arguments, _) in enumerate(_filters(dataset))]
    if any(undo is _unshuffle and arguments != (size,) for undo, arguments, _ in filters):
        raise ValueError("its bytes are shuffled by another size than that of its values")
    # Other values, such as texts, are left to HDF5, which converts them, once their chunks are checked.
    is_plain = dataset.dtype.kind in "buif" and dataset_id.get_type().equal(h5t.py_create(dataset.dtype))
    values = np.empty(shape, dataset.dtype) if is_plain else None
    n_left = h5i.get_file_id(dataset_id).get_filesize()
    starts = [range(first - first % step[0], first + shape[0], step[0])]
    starts += [range(0, length, n) for length, n in zip(shape[1:], step[1:], strict=True)]
    for start in product(*starts):
        try:
            mask, stored = dataset_id.read_direct_chunk(start)
            n_left -= len(stored)
            chunk = _decode(stored, mask, filters[::-1], n_bytes)
        except (IndexError, OSError, RuntimeError, ValueError, zlib.error) as error:
            raise ValueError(f"the chunk at {start}: {error}") from error
        if n_left < 0:
            raise ValueError("its chunks are larger than the file")
        if is_plain:
            skipped = max(first - start[0], 0)  # rows of the chunk that are before the first
            corner = start[0] + skipped - first, *start[1:]
            ends = start[0] + step[0] - first, *map(add, start[1:], step[1:])
            part = values[tuple(map(slice, corner, ends))]
            block = np.frombuffer(chunk, values.dtype).reshape(step)[skipped:]
            part[...] = block[tuple(map(slice, part.shape))]  # a chunk may extend beyond the border
    return values if is_plain else dataset[first:end]


def _filters(dataset):
    """Return (code, arguments, name) of each filter, in the order of writing."""
    properties = dataset.id.get_create_plist()
    found = [properties.get_filter(i) for i in range(properties.get_nfilters())]
    return [(code, arguments, name) for code, _, arguments, name in found]


def _decode(chunk, mask, filters, n_bytes):
    """Undo the filters, except those whose bit is in the mask, which were skipped in writing."""
    for undo, arguments, bit in filters:
        if not mask & bit:
            chunk = undo(chunk, arguments, n_bytes + 4)  # 4 of a checksum before the compression
    if len(chunk) != n_bytes:
        raise ValueError(f"it has {len(chunk)} bytes, expected {n_bytes}")
    return chunk


def _inflate(chunk, _, limit):
    stream = zlib.decompressobj()
    inflated = stream.decompress(chunk, limit + 1)
    if not stream.eof:
        raise ValueError(f"it is cut short, or has more than {limit} bytes")
    return inflated


def _undo_lzf(chunk, _, limit):
    """Undo the compression of LZF: bytes to copy, and repetitions of earlier ones."""
    content, i = bytearray(), 0
    while i < len(chunk) and len(content) <= limit:
        control, i = chunk[i], i + 1
        if control < 32:
            content += chunk[i : i + control + 1]
            i += control + 1
            continue
        length = (control >> 5) + 2
        if length == 9:
            length, i = length + chunk[i], i + 1
        start, i = len(content) - ((control & 31) << 8) - chunk[i] - 1, i + 1
        if start < 0:
            raise ValueError("it repeats what is not there")
        repeated = content[start : start + length]
        content += (repeated * -(-length // len(repeated)))[:length]
    if i > len(chunk):
        raise ValueError("it is cut short")
    return content


def _unshuffle(chunk, arguments, _):
    """Put the bytes of each value together again: shuffled, all first bytes come first."""
    (size,) = arguments
    n = len(chunk) // size
    values = np.frombuffer(chunk, np.uint8, n * size).reshape(size, n)
    return chunk if size == 1 else values.T.tobytes() + chunk[n * size :]


def _check_fletcher32(chunk, *_):
    """Return the chunk without the checksum at its end, if that is the right one."""
    content, stored = chunk[:-4], int.from_bytes(chunk[-4:], "little")
    words = np.frombuffer(content + bytes(len(content) % 2), ">u2").astype(np.float64)
    first = second = 0
    for start in range(0, len(words), BLOCK):
        block = words[start : start + BLOCK]
        sums = block @ WEIGHTS[-len(block) :]
        second += first * len(block) + int(sums[1])
        first += int(sums[0])
    if (first - (stored & 0xFFFF)) % 65535 or (second - (stored >> 16)) % 65535:
        raise ValueError("its checksum is wrong")
    return content


UNDO = {
    h5z.FILTER_DEFLATE: _inflate,
    h5z.FILTER_LZF: _undo_lzf,
    h5z.FILTER_SHUFFLE: _unshuffle,
    h5z.FILTER_FLETCHER32: _check_fletcher32,
}
