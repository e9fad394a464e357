"""What Pillow opens but reads wrongly, most of it of more than 8 bits a sample: mended here, or refused."""

from contextlib import suppress

import numpy as np

WRONG = "which Pillow does not read right"
ADVICE = "Save the picture as a PNG of 8 or 16 bits."
# Tags of TIFF, and what its samples are
BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES = 258, 259, 262, 266, 277
PLANAR, COLORMAP, SAMPLE_FORMAT, SUBSAMPLING = 284, 320, 339, 530
KINDS = {1: "integers", 2: "signed integers", 3: "floats", 5: "complex integers", 6: "complex numbers"}
NATIVE = {"F": "F;32NF", "I": "I;32NS"}  # how libtiff returns numbers: with the bytes in this machine's order
OVERSHOOT = 0.25  # how far floats may be beyond black and white, such as at edges that were sharpened


def load(image):
    """Decode an image that Pillow has opened; raise ValueError for a form that it reads wrongly."""
    prepare = {"JPEG2000": _check_jpeg2000, "PNG": _mend_png, "TIFF": _mend_tiff}.get(image.format)
    if prepare:
        prepare(image)
    try:
        image.load()
    except (OSError, ValueError) as error:
        if image.format != "TIFF":
            raise
        raise ValueError(f"{error}: damaged, or {_described(image.tag_v2)}") from error


def _check_jpeg2000(image):
    """Refuse signed integers, and more bits that Pillow rounds to 8, since it rounds white to 256, thus 0."""
    image.fp.seek(0)
    _, _, header = image.fp.read().partition(b"\xff\x4f\xff\x51")  # start of the code, size of the image
    n_samples = int.from_bytes(header[36:38], "big")
    samples = header[38 : 38 + 3 * n_samples : 3]  # a byte for each: is it signed, and its bits less 1
    bits = 1 + max((sample & 127 for sample in samples), default=0)
    sign = "signed " * any(sample & 128 for sample in samples)
    if sign or (bits > 8 and image.mode != "I;16"):
        raise ValueError(f"a JPEG 2000 of {bits}-bit {sign}integers, {WRONG}. {ADVICE}")


def _mend_png(image):
    """Give the transparent colour the scale that Pillow gives to the pixels."""
    transparent = image.info.get("transparency")
    rawmode = image.tile[0][3] if image.tile else None  # without pixels
    if isinstance(transparent, int):
        image.info["transparency"] = transparent * {"L;2": 85, "L;4": 17}.get(rawmode, 1)
    elif isinstance(transparent, tuple) and rawmode == "RGB;16B":
        raise ValueError(
            f"a PNG of 16 bits with a transparent colour, {WRONG}. Save it with an alpha channel."
        )


def _mend_tiff(image):
    from PIL import ImageFile, ImagePalette

    tags = image.tag_v2
    is_raw, is_planar = image.info["compression"] == "raw", tags.get(PLANAR) == 2
    if _is_misread(image, tags, is_raw, is_planar):
        raise ValueError(_described(tags))
    if is_planar and is_raw and _bits(tags) == 16:  # which Pillow takes for 8 bits
        order = ";16L" if tags.prefix == b"II" else ";16B"
        image.tile = [ImageFile._Tile(*tile, (band + order, *args)) for *tile, (band, *args) in image.tile]
    if not is_raw and image.mode in NATIVE:
        *tile, (_, *args) = image.tile[0]
        image.tile = [ImageFile._Tile(*tile, (NATIVE[image.mode], *args))]
    if image.mode in ("P", "PA") and max(tags[COLORMAP]) < 256:  # of 8 bits, where TIFF has 16
        image.palette = ImagePalette.raw("RGB;L", bytes(tags[COLORMAP]))


def _is_misread(image, tags, is_raw, is_planar):
    if tags.get(SAMPLE_FORMAT, (1,))[0] == 2 and _bits(tags) < 32:  # signed: which value is white?
        return True
    if is_planar and (image.mode in ("LA", "La", "PA", "LAB") or (is_raw and tags.get(FILL_ORDER) == 2)):
        return True
    if is_raw and tags.get(PHOTOMETRIC) == 6 and image.mode != "L":  # YCbCr
        return (image.mode, tags.get(SUBSAMPLING, (2, 2))) != ("YCbCr", (1, 1))
    return False


def described_tiff(file):
    """Return what a file holds that Pillow does not open, if it is a TIFF, else None."""
    from PIL.TiffImagePlugin import PREFIXES, ImageFileDirectory_v2

    file.seek(0)
    head = file.read(16)
    if not head.startswith(tuple(PREFIXES)):
        return None
    with suppress(Exception):  # of whatever a damaged file may hold
        tags = ImageFileDirectory_v2(head[: 16 if head[2] == 43 else 8])  # 43: BigTIFF
        file.seek(tags.next)
        tags.load(file)
        if len(tags):
            return _described(tags)
    return f"a damaged TIFF, or one {WRONG}. {ADVICE}"


def _bits(tags):
    return tags.get(BITS, (1,))[0]


def _described(tags):
    from PIL import TiffTags

    names = {value: name for name, value in TiffTags.lookup(PHOTOMETRIC).enum.items()}
    kind = KINDS.get(tags.get(SAMPLE_FORMAT, (1,))[0], "samples")
    planes = ", a plane for each" if tags.get(PLANAR) == 2 else ""
    colours = names.get(tags.get(PHOTOMETRIC, 0), tags.get(PHOTOMETRIC))
    return (
        f"a TIFF of {_bits(tags)}-bit {kind} ({tags.get(SAMPLES, 1)} a pixel{planes}, {colours}, "
        f"compression {tags.get(COMPRESSION, 1)}), {WRONG}. {ADVICE}"
    )


def as_bytes(image):
    """Return the pixels of an image of integers or floats as uint8, transparent ones white."""
    values = np.asarray(image, np.float32)  # exact where it matters: integers of 16 bits, or up to 255
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise ValueError("pixels that are not finite. Replace them.")
    tags = getattr(image, "tag_v2", {})
    white = _white(image, tags, lowest, highest)
    grey = np.clip(values, 0, white)
    grey *= np.float32(255 / white)
    grey = np.rint(grey, out=grey).astype(np.uint8)
    if tags and tags.get(PHOTOMETRIC, 0) == 0:  # in which 0 is white
        np.subtract(255, grey, out=grey)
    if image.mode.startswith("I") and isinstance(image.info.get("transparency"), int):
        grey[values == image.info["transparency"]] = 255
    return grey


def _white(image, tags, lowest, highest):
    """Return which value is white, or raise ValueError if that is not clear."""
    if image.mode == "F":
        white = 1 if highest <= 1 + OVERSHOOT else 255
        if lowest < -OVERSHOOT * white or highest > (1 + OVERSHOOT) * white:
            raise ValueError(
                f"floats from {lowest:g} to {highest:g}. Scale them to the range 0 to 1, or 0 to 255."
            )
        return white
    if image.mode.startswith("I;16"):
        return 2 ** (_bits(tags) if tags else 16) - 1  # Pillow leaves 12 bits as they are
    if lowest < 0 or highest > 65535:
        raise ValueError("32-bit integers below 0 or above 65535. Scale them to the range 0 to 65535.")
    return 65535 if highest > 255 or image.format == "PPM" else 255
