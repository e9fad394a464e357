"""Forms of pictures: what was written by hand is read, or refused with its form and what to do."""

import re
import struct
import zlib
from itertools import product

import numpy as np
import pytest

from sknn_basic import read_image, read_image_folder

Image = pytest.importorskip("PIL.Image", reason="the extra images is not installed")

SIDE = 24
Y, X = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
COLOURS = np.stack([X, Y, 1 - X, (X + Y) / 2], axis=-1)  # in [0, 1]; the last is also alpha
GREY = COLOURS[..., :1]
UNTOUCHED = {"endian": "<", "planes": False, "deflate": False, "tile": None, "kind": 1, "bits": None}


def scaled(colours, bits):
    """Numbers of the unit interval as integers of so many bits."""
    return np.rint(colours * (2**bits - 1)).astype("u1" if bits <= 8 else "u2" if bits <= 16 else "u4")


def in_strips(pixels, bits, endian, tile):
    """The pixels as bytes, one piece for all or for each tile."""
    if tile:
        padding = -len(pixels) % tile
        pixels = np.pad(pixels, ((0, padding), (0, padding), (0, 0)))
        starts = product(range(0, len(pixels), tile), repeat=2)
        return [in_strips(pixels[y : y + tile, x : x + tile], bits, endian, 0)[0] for y, x in starts]
    if bits in (1, 2, 4, 12):
        places = np.arange(bits)[::-1]
        ones = pixels.reshape(len(pixels), -1, 1).astype(int) >> places & 1
        return [np.packbits(ones.reshape(len(pixels), -1), axis=1).tobytes()]
    return [pixels.astype(pixels.dtype.newbyteorder(endian)).tobytes()]


def tiff(pixels, photometric, extra=(), more=None, **options):
    """A TIFF of an array (height, width, samples), by its specification."""
    options = UNTOUCHED | options
    endian, tile = options["endian"], options["tile"]
    height, width, n_samples = pixels.shape
    bits = options["bits"] or 8 * pixels.dtype.itemsize
    planes = np.split(pixels, n_samples, axis=2) if options["planes"] else [pixels]
    pieces = [piece for plane in planes for piece in in_strips(plane, bits, endian, tile)]
    pieces = [zlib.compress(piece) for piece in pieces] if options["deflate"] else pieces
    offsets = np.cumsum([8] + [len(piece) for piece in pieces])[:-1].tolist()
    sizes = [len(piece) for piece in pieces]
    tags = {
        **{256: [width], 257: [height], 258: [bits] * n_samples, 259: [8 if options["deflate"] else 1]},
        **{262: [photometric], 277: [n_samples], 284: [1 + options["planes"]], 338: extra},
        339: [options["kind"]] * n_samples,
        **({322: [tile], 323: [tile], 324: offsets, 325: sizes} if tile else {273: offsets, 279: sizes}),
        **(more or {}),
    }
    tags = {tag: values for tag, values in sorted(tags.items()) if len(values)}
    end = 8 + sum(sizes)
    directory = struct.pack(endian + "H", len(tags))
    values_at, behind = end + 2 + 12 * len(tags) + 4, b""
    for tag, values in tags.items():
        data = struct.pack(f"{endian}{len(values)}I", *values)
        if len(values) > 1:
            behind, data = behind + data, struct.pack(endian + "I", values_at + len(behind))
        directory += struct.pack(endian + "HHI", tag, 4, len(values)) + data
    head = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", end)
    return head + b"".join(pieces) + directory + bytes(4) + behind


def png(pixels, bits, colour_type, transparent=()):
    """A PNG of an array (height, width, samples)."""
    height, width, _ = pixels.shape
    rows = [b"\0" + in_strips(row[np.newaxis], bits, ">", 0)[0] for row in pixels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))]
    if len(transparent):
        chunks.append((b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    chunks += [(b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def on_white(colours, alpha):
    return colours * alpha + 1 - alpha


def assert_read(tmp_path, content, expected, atol=1.6):
    """The file is read as these numbers of the unit interval, grey or RGB."""
    (tmp_path / "picture").write_bytes(content)
    image = read_image(tmp_path / "picture", SIDE)
    np.testing.assert_allclose(image, 255 * expected + np.zeros((SIDE, SIDE, 3)), atol=atol)


def assert_refused(tmp_path, content, match):
    """The message names the file and its form, and says what to do."""
    (tmp_path / "picture").write_bytes(content)
    with pytest.raises(OSError, match=f"picture cannot be read as an image: {match}") as error:
        read_image(tmp_path / "picture", SIDE)
    assert re.search(r"(Save|Scale|Replace) [^.]*\.$", str(error.value))


WAYS = [
    {"endian": endian, "deflate": deflate, "tile": tile}
    for endian, deflate, tile in product("<>", (False, True), (None, 16))
]
FORMS = {  # pixels, and what they are
    "1 bit": (scaled(GREY, 1), {"photometric": 1, "bits": 1}, GREY > 0.5),
    "1 bit, 0 is white": (scaled(GREY, 1), {"photometric": 0, "bits": 1}, GREY <= 0.5),
    "8 bits, 0 is white": (scaled(GREY, 8), {"photometric": 0}, 1 - GREY),
    "16 bits": (scaled(GREY, 16), {"photometric": 1}, GREY),
    "dark 16 bits": (scaled(GREY, 7).astype("u2"), {"photometric": 1}, GREY * 127 / 65535),
    "32 bits up to 255": (scaled(GREY, 8).astype("i4"), {"photometric": 1, "kind": 2}, GREY),
    "32 bits up to 65535": (scaled(GREY, 16).astype("i4"), {"photometric": 1, "kind": 2}, GREY),
    "floats": (GREY.astype("f4"), {"photometric": 1, "kind": 3}, GREY),
    "floats up to 255": (255 * GREY.astype("f4"), {"photometric": 1, "kind": 3}, GREY),
    "sharpened": (np.float32(1.2 * GREY - 0.1), {"photometric": 1, "kind": 3}, (1.2 * GREY - 0.1).clip(0, 1)),
    "floats, 0 is white": (GREY.astype("f4"), {"photometric": 0, "kind": 3}, 1 - GREY),
    "RGB": (scaled(COLOURS[..., :3], 16), {"photometric": 2}, COLOURS[..., :3]),
    "planes of 8 bits": (scaled(COLOURS[..., :3], 8), {"photometric": 2, "planes": True}, COLOURS[..., :3]),
    "planes": (scaled(COLOURS[..., :3], 16), {"photometric": 2, "planes": True}, COLOURS[..., :3]),
    "planes with alpha": (
        scaled(COLOURS, 16),
        {"photometric": 2, "planes": True, "extra": [2]},
        on_white(COLOURS[..., :3], COLOURS[..., 3:]),
    ),
}
NOT_ALWAYS = {  # opened by some versions of Pillow only, or in one order of bytes
    "CMYK": (scaled(COLOURS, 16), {"photometric": 5}, (1 - COLOURS[..., :3]) * (1 - COLOURS[..., 3:])),
    "grey times alpha": (
        scaled(COLOURS[..., [0, 3]] * COLOURS[..., [3, 3]] ** [1, 0], 8),
        {"photometric": 1, "extra": [1]},
        on_white(GREY, COLOURS[..., 3:]),
    ),
    "12 bits": (scaled(GREY, 12), {"photometric": 1, "bits": 12}, GREY),
    "16 bits, 0 is white": (scaled(GREY, 16), {"photometric": 0}, 1 - GREY),
    "32 bits without sign": (scaled(GREY, 16).astype("u4"), {"photometric": 1}, GREY),
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(map(str, way.values())))
@pytest.mark.parametrize("form", [*FORMS, *NOT_ALWAYS])
def test_forms_of_tiff(form, way, tmp_path):
    """White is white and black is black, whatever the order of bytes, the compression and the tiles."""
    pixels, options, expected = (FORMS | NOT_ALWAYS)[form]
    content = tiff(pixels, **options, **way)
    try:
        assert_read(tmp_path, content, expected, 4 if 1 in options.get("extra", ()) else 1.6)
    except OSError:
        if form in FORMS:
            raise
        assert_refused(tmp_path, content, rf"a TIFF of {options.get('bits') or 8 * pixels.itemsize}-bit int")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiffs_are_turned_upright(orientation, tmp_path):
    turned = [lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud, lambda a: a.swapaxes(0, 1)]
    turned += [lambda a: np.rot90(a, -1), lambda a: np.rot90(a, 2).swapaxes(0, 1), np.rot90]
    for pixels, options, expected in (FORMS["planes"], NOT_ALWAYS["16 bits, 0 is white"], FORMS["floats"]):
        content = tiff(pixels, **options, more={274: [orientation]})
        assert_read(tmp_path, content, turned[orientation - 1](expected))


REFUSED = {
    "64-bit floats": (GREY, {"photometric": 1, "kind": 3}),
    "32-bit floats .3 a pixel, RGB": (COLOURS[..., :3].astype("f4"), {"photometric": 2, "kind": 3}),
    "64-bit floats .3 a pixel, a plane for each, RGB": (
        COLOURS[..., :3],
        {"photometric": 2, "kind": 3, "planes": True},
    ),
    "16-bit floats": (GREY.astype("f2"), {"photometric": 1, "kind": 3}),
    "64-bit complex numbers": (GREY.astype("c8"), {"photometric": 1, "kind": 6}),
    "8-bit signed integers": ((100 * GREY).astype("i1"), {"photometric": 1, "kind": 2}),
    "16-bit signed integers": ((9999 * GREY).astype("i2"), {"photometric": 1, "kind": 2}),
    "32-bit integers .3 a pixel, RGB": (scaled(COLOURS[..., :3], 32), {"photometric": 2}),
    "64-bit integers": (scaled(GREY, 16).astype("u8"), {"photometric": 1}),
    "16-bit integers .2 a pixel": (scaled(COLOURS[..., [0, 3]], 16), {"photometric": 1, "extra": [2]}),
    "16-bit integers .1 a pixel, RGB Palette": (
        scaled(GREY, 16),
        {"photometric": 3, "more": {320: range(3 * 2**16)}},
    ),
    "8-bit integers .2 a pixel, a plane for each": (
        scaled(COLOURS[..., [0, 3]], 8),
        {"photometric": 1, "extra": [2], "planes": True},
    ),
    "8-bit integers .3 a pixel, a plane for each, CieLAB": (
        scaled(COLOURS[..., :3], 8),
        {"photometric": 8, "planes": True},
    ),
    "8-bit integers .3 a pixel, YCbCr": (scaled(COLOURS[..., :3], 8), {"photometric": 6}),  # 2 x 2 by default
    "8-bit integers .3 a pixel, RGB, compression 34887": (
        scaled(COLOURS[..., :3], 8),
        {"photometric": 2, "more": {259: [34887]}},
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_other_forms_are_refused_by_name(form, tmp_path):
    pixels, options = REFUSED[form]
    is_compressible = "YCbCr" not in form and "compression" not in form
    for endian, deflate in product("<>", (False, True)[: 1 + is_compressible]):
        content = tiff(pixels, **options, deflate=deflate, endian=endian)
        assert_refused(tmp_path, content, f"a TIFF of {form}.*, which Pillow does not read right")


@pytest.mark.parametrize(
    ("pixels", "kind", "match"),
    [
        (np.int32([[-1, 9]]), 2, "32-bit integers below 0 or above 65535"),
        (np.int32([[0, 65536]]), 2, "32-bit integers below 0 or above 65535"),
        (np.uint32([[0, 2**32 - 1]]), 1, "32-bit integers below 0 or above 65535"),
        (np.float32([[0, 4095]]), 3, "floats from 0 to 4095"),
        (np.float32([[-1, 1]]), 3, "floats from -1 to 1"),
        (np.float32([[0, np.nan]]), 3, "pixels that are not finite"),
        (np.float32([[0, -np.inf]]), 3, "pixels that are not finite"),
    ],
)
def test_numbers_without_a_known_white_are_refused(pixels, kind, match, tmp_path):
    assert_refused(tmp_path, tiff(pixels[..., np.newaxis], 1, kind=kind), match)


def test_colours_of_palettes_have_16_bits_or_8(tmp_path):
    """By the specification 16; old files have 8."""
    palette = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 77)])
    expected = palette.T[scaled(GREY, 8)[..., 0]] / 255
    for factor, deflate in product((1, 257), (False, True)):
        content = tiff(scaled(GREY, 8), 3, more={320: (factor * palette).ravel().tolist()}, deflate=deflate)
        assert_read(tmp_path, content, expected)


def test_a_damaged_tiff_is_refused(tmp_path):
    """As damaged, or by its form, if that is still known; in a folder, beside others."""
    content = tiff(scaled(COLOURS[..., :3], 8), 2, deflate=True)
    assert_refused(tmp_path, content[:200], "a damaged TIFF, or one which Pillow does not read right")
    broken = content[:30] + bytes(60) + content[90:]
    assert_refused(tmp_path, broken, r".*: damaged, or a TIFF of 8-bit integers \(3 a pixel, RGB, .*")
    (tmp_path / "a").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "a" / "good.png")
    (tmp_path / "a" / "floats.tif").write_bytes(tiff(GREY, 1, kind=3))
    with pytest.warns(UserWarning, match=r"Left out 1 path .*floats.tif \(a TIFF of 64-bit floats .*\)\.$"):
        assert len(read_image_folder(tmp_path, 8).images) == 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png(bits, tmp_path):
    """All pixels of that grey are white, and no others."""
    pixels = scaled(GREY, bits)
    for transparent in (0, int(pixels[0, 9, 0])):
        expected = np.where(pixels == transparent, 1, pixels / (2**bits - 1))
        assert_read(tmp_path, png(pixels, bits, 0, [transparent]), expected)


def test_png_of_16_bits(tmp_path):
    """Grey, RGB, with and without alpha; a transparent colour cannot be told from those near it."""
    pixels, alpha = scaled(COLOURS, 16), COLOURS[..., 3:]
    assert_read(tmp_path, png(pixels[..., :1], 16, 0), GREY)
    assert_read(tmp_path, png(scaled(GREY, 7).astype("u2"), 16, 0), GREY * 127 / 65535)
    assert_read(tmp_path, png(pixels[..., :3], 16, 2), COLOURS[..., :3])
    assert_read(tmp_path, png(pixels[..., [0, 3]], 16, 4), on_white(GREY, alpha))
    assert_read(tmp_path, png(pixels, 16, 6), on_white(COLOURS[..., :3], alpha))
    refused = png(pixels[..., :3], 16, 2, pixels[3, 4, :3])
    assert_refused(tmp_path, refused, "a PNG of 16 bits with a transparent colour.* Save it with an alpha")


@pytest.mark.parametrize("largest", [1, 100, 255, 256, 1023, 65535])
def test_netpbm(largest, tmp_path):
    """White is what the file says, also of pictures that are dark."""
    head = b"%d %d\n%d\n" % (SIDE, SIDE, largest)
    dtype = "u1" if largest < 256 else ">u2"
    for brightness in (1, 1 / 300):
        pixels = np.rint(COLOURS[..., :3] * brightness * largest).astype(dtype)
        for grey, rgb, data in (b"P5", b"P6", np.ndarray.tobytes), (b"P2", b"P3", as_text):
            assert_read(tmp_path, rgb + b"\n" + head + data(pixels), pixels / largest)
            assert_read(tmp_path, grey + b"\n" + head + data(pixels[..., :1]), pixels[..., :1] / largest)


def as_text(pixels):
    return " ".join(map(str, pixels.ravel())).encode() + b"\n"


@pytest.mark.parametrize("bits", [9, 12, 16])
@pytest.mark.parametrize("codec", ["jp2", "j2k"])
def test_deep_jpeg2000(bits, codec, tmp_path):
    """16-bit grey is read; the bits of a colour, which Pillow does not write, are edited into its size."""
    path = tmp_path / f"a.{codec}"
    try:
        Image.fromarray(scaled(GREY, 16)[..., 0]).save(path)
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow does not write JPEG 2000: {error}")
    assert_read(tmp_path, path.read_bytes(), GREY)
    Image.fromarray(scaled(COLOURS[..., :3], 8)).save(path)
    assert_read(tmp_path, path.read_bytes(), COLOURS[..., :3])
    head, marker, size = path.read_bytes().partition(b"\xff\x4f\xff\x51")
    for first in (bits - 1, 128 + 7):
        edited = bytes([first]) + size[39:]
        sign = "" if first < 128 else "signed "
        name = f"a JPEG 2000 of {bits if first < 128 else 8}-bit {sign}integers"
        assert_refused(tmp_path, head + marker + size[:38] + edited, name)
