"""Images of the user's own: any format and mode, upright, square, on white."""

import copy
import os
import pickle
import re
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import numpy as np
import pytest

from sknn_basic import read_image, read_image_folder
from sknn_basic._files.image_folders import FORMATS, _as_rgb

Image = pytest.importorskip("PIL.Image", reason="the extra images is not installed")


@pytest.fixture
def photos(tmp_path):
    """A folder with two classes, red and blue, of three images each."""
    rng = np.random.RandomState(0)
    for name, channel in ("red", 0), ("blue", 2):
        (tmp_path / name).mkdir()
        for i in range(3):
            pixels = rng.randint(0, 60, (40, 50, 3), dtype=np.uint8)
            pixels[..., channel] += 150
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_folders_are_classes(photos):
    """Sorted by class and path, at any depth; labels are indices of the names."""
    images, labels, classes = read_image_folder(photos, size=8)
    assert classes.tolist() == ["blue", "red"]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert labels.dtype == np.int64
    assert (images.shape, images.dtype) == ((6, 8, 8, 3), np.uint8)
    assert read_image(photos / "red" / "0.png", 8).flags.writeable
    assert (images[:3, ..., 2] > images[:3, ..., 0]).all()
    assert (images[3:, ..., 0] > images[3:, ..., 2]).all()
    assert read_image_folder(str(photos)).images.shape == (6, 64, 64, 3)
    for i, file in enumerate(sorted(photos.rglob("*.png"))):
        np.testing.assert_array_equal(images[i], read_image(file, 8))
    (photos / "red" / "more" / "yet").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(photos / "red" / "more" / "yet" / "a.png")
    assert read_image_folder(photos, 4).labels.tolist() == [0] * 3 + [1] * 4


def test_each_image_has_the_name_of_its_file(photos, monkeypatch):
    """At any depth, without the files that are left out; relative if the folder's path is."""
    (photos / "blue" / "1.png").write_bytes(b"damaged")
    (photos / "blue" / "0").mkdir()
    Image.new("RGB", (9, 9), "white").save(photos / "blue" / "0" / "Zoë.png")
    with pytest.warns(UserWarning, match="Left out 1 path"):
        dataset = read_image_folder(photos, size=8)
    assert len(dataset) == 3
    for again in (dataset, copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert again.filenames.shape == again.labels.shape == (6,)
        for image, label, filename in zip(again.images, again.labels, again.filenames, strict=True):
            assert dataset.classes[label] == Path(filename).relative_to(photos).parts[0]
            np.testing.assert_array_equal(image, read_image(filename, 8))
    monkeypatch.chdir(photos.parent)
    with pytest.warns(UserWarning, match="Left out 1 path"):
        names = read_image_folder(photos.name, size=8).filenames
    assert names[0] == str(Path(photos.name, "blue", "0", "Zoë.png"))
    assert dataset._replace(labels=dataset.labels[::-1]).filenames is None


def test_images_beside_the_classes_are_warned_of(photos, recwarn):
    """They are those of a class whose folder was passed; other files are not counted."""
    (photos / "red" / "2024").mkdir()
    (photos / "red" / "2025").mkdir()
    for year in "2024", "2025":
        Image.new("RGB", (9, 9)).save(photos / "red" / year / "a.png")
    assert len(read_image_folder(photos, 4).labels) == 8
    (photos / "notes.txt").write_text("text")
    (photos / ".hidden.png").write_text("text")
    read_image_folder(photos, 4)
    assert not recwarn
    above = re.escape(str(photos))
    expected = rf"^Left out 3 images directly in .*red, .*: '2024', '2025'\. .* above it, {above};"
    with pytest.warns(UserWarning, match=expected) as caught:
        assert read_image_folder(photos / "red", 4).classes.tolist() == ["2024", "2025"]
    assert caught[0].filename == __file__
    for name in "3", "4":
        (photos / name).mkdir()
        Image.new("RGB", (9, 9)).save(photos / name / "a.png")
    (photos / "PHOTO.JPG").write_text("not opened")
    with pytest.warns(UserWarning, match=r"^Left out 1 image directly .*: '3', '4', 'blue', \.\.\.\. "):
        read_image_folder(photos, 4)


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


def as_mode(mode):
    """An image of the ramp from black to white in a colour mode."""
    if mode == "F":
        return Image.fromarray(RAMP.astype(np.float32))
    if mode == "I":
        return Image.fromarray((RAMP * 65535).astype(np.int32))
    if mode.startswith("I;16"):
        return Image.frombytes(
            mode, (8, 8), (RAMP * 65535).astype(">u2" if mode == "I;16B" else "<u2").tobytes()
        )
    grey = Image.fromarray((RAMP * 255).round().astype(np.uint8))
    return grey.convert("RGB").convert(mode) if mode in ("YCbCr", "CMYK", "LAB") else grey.convert(mode)


@pytest.mark.parametrize("mode", "L P RGB RGBA CMYK YCbCr LAB LA I F I;16 I;16B".split())
def test_every_mode_becomes_the_same_rgb(mode):
    """The ramp from black to white comes out the same, whatever holds it."""
    rgb = np.asarray(_as_rgb(as_mode(mode)))
    np.testing.assert_allclose(rgb, np.repeat(255 * RAMP[..., np.newaxis], 3, axis=2), atol=4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RAMP > 0.5, 255 * (RAMP > 0.5)),
        ((255 * RAMP).astype(np.int32), (255 * RAMP).astype(int)),
        ((300 * RAMP - 20).astype(np.float32), np.clip(300 * RAMP - 20, 0, 255)),
    ],
    ids=["black and white", "integers up to 255", "floats up to 280"],
)
def test_ranges_of_values(values, expected):
    np.testing.assert_allclose(np.asarray(_as_rgb(Image.fromarray(values)))[..., 0], expected, atol=0.51)


@pytest.mark.parametrize(
    "suffix",
    "png jpg jpeg gif bmp tiff webp ppm pgm tga ico pcx jp2 dds sgi xbm avif icns".split(),
)
def test_every_format(suffix, tmp_path):
    """Whatever Pillow writes here is read again, nearly as it was."""
    grey = np.kron(RAMP.round(), np.full((8, 8), 255)).astype(np.uint8)
    image = Image.fromarray(grey)
    if suffix == "xbm":
        image = image.convert("1")
    elif suffix not in ("pgm", "pcx"):
        image = image.convert("RGBA" if suffix in ("ico", "icns", "dds") else "RGB")
    path = tmp_path / f"image.{suffix}"
    try:
        image.save(path)
    except (KeyError, OSError, ValueError) as error:
        pytest.skip(f"this Pillow does not write {suffix}: {error}")
    difference = np.abs(read_image(path, 64)[..., 0].astype(int) - grey)
    assert np.quantile(difference, 0.9) < 30


def test_transparent_pixels_are_white(tmp_path):
    """Alpha, a transparent palette entry and a transparent colour alike."""
    half = np.zeros((4, 4, 4), np.uint8)
    half[:2, :, 3] = 255  # black above, transparent black below
    image = Image.fromarray(half)
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.paste(0, (0, 0, 4, 2))
    image.save(tmp_path / "alpha.png")
    palette.save(tmp_path / "palette.png", transparency=1)
    palette.save(tmp_path / "palette.gif", transparency=1)
    grey = Image.fromarray(np.repeat([[0], [0], [7], [7]], 4, axis=1).astype(np.uint8))
    grey.save(tmp_path / "colour.png", transparency=7)
    deep = Image.frombytes("I;16", (4, 4), np.repeat([0, 0, 7, 7], 4).astype("<u2").tobytes())
    deep.save(tmp_path / "deep.png", transparency=7)
    for file in tmp_path.iterdir():
        pixels = read_image(file, 4)
        assert (pixels[0] < 3).all(), file
        assert (pixels[3] > 252).all(), file


def test_images_are_turned_upright(tmp_path):
    """EXIF says which way the camera was held."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: white, above as stored, is to the right
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    image = read_image(tmp_path / "turned.png", 4)
    assert (image[:, 3] > 250).all()
    assert (image[:, 0] < 5).all()


def test_the_square_in_the_middle_is_read(tmp_path):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 200
    for name, array in ("wide", pixels), ("high", pixels.transpose(1, 0, 2)):
        Image.fromarray(np.ascontiguousarray(array)).save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_image(tmp_path / f"{name}.png", 20), np.full((20, 20, 3), 200))


def test_large_jpeg(tmp_path):
    """A photograph of 12 megapixels is read as what it shows."""
    ramp = np.linspace(0, 255, 3000).astype(np.uint8)
    Image.fromarray(np.broadcast_to(ramp, (4000, 3000))).save(tmp_path / "large.jpg")
    expected = np.linspace(0, 255, 64, endpoint=False) + 2
    np.testing.assert_allclose(read_image(tmp_path / "large.jpg", 64)[10, :, 0], expected, atol=3)


def test_first_frame(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (250, 0)]
    for suffix in ("gif", "tiff", "webp"):
        frames[0].save(tmp_path / f"film.{suffix}", save_all=True, append_images=frames[1:])
        assert (read_image(tmp_path / f"film.{suffix}", 8) > 245).all()


def test_unreadable_files_are_named_in_one_warning(photos):
    """A text, an empty file, a damaged image, a pipe; and not the hidden ones."""
    (photos / "red" / "notes.txt").write_text("not an image")
    (photos / "red" / "empty.png").touch()
    whole = (photos / "red" / "0.png").read_bytes()
    (photos / "blue" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "red" / ".hidden").write_text("passed over")
    (photos / ".cache").mkdir()
    (photos / "beside.txt").write_text("passed over")
    expected = ["blue/cut.png", "red/empty.png", "red/notes.txt"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(photos / "red" / "pipe.png")
        expected.append("red/pipe.png")
    with pytest.warns(UserWarning, match=f"Left out {len(expected)} paths") as caught:
        dataset = read_image_folder(photos, size=8)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1]
    named = re.findall(r"\w+/[\w]+\.\w+", str(caught[0].message).replace(os.sep, "/"))
    assert sorted(named) == expected


@pytest.fixture
def pillow_heif(monkeypatch):
    """A stand-in for pillow_heif, which after registration opens every file in HEIC as a grey square."""
    Image.init()
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    monkeypatch.setattr(Image, "OPEN", {**Image.OPEN})
    module = ModuleType("pillow_heif")

    def register_heif_opener():
        Image.register_open(
            "HEIF", lambda file, name: Image.new("L", (9, 9), 77), lambda head: head[4:8] == b"ftyp"
        )

    module.register_heif_opener = register_heif_opener
    monkeypatch.setitem(sys.modules, "pillow_heif", module)


HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1miaf" + bytes(100)
HEIC_ADVICE = r"for HEIC run python -m pip install pillow-heif, or convert the file to JPEG"


def test_heic_says_what_to_install(photos, monkeypatch):
    """In a folder and alone; in the folder, once for all such files."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("a.heic", "b.jpg"):
        (photos / "red" / name).write_bytes(HEIC)
    with pytest.raises(OSError, match=rf"b.jpg cannot be read as an image: .*{HEIC_ADVICE}$"):
        read_image(photos / "red" / "b.jpg")
    with pytest.warns(UserWarning, match=rf"Left out 2 paths .*a.heic, .*b.jpg \(.*{HEIC_ADVICE}\)\.$"):
        assert len(read_image_folder(photos, 4).images) == 6


def test_heic_is_read_if_pillow_heif_is_there(photos, pillow_heif):
    (photos / "red" / "a.heic").write_bytes(HEIC)
    np.testing.assert_array_equal(read_image(photos / "red" / "a.heic", 4), np.full((4, 4, 3), 77))
    assert read_image_folder(photos, 4).labels.tolist() == [0] * 3 + [1] * 4
    (photos / "cut.heic").write_bytes(b"text")
    with pytest.raises(OSError, match=r"cut.heic cannot be read as an image: cannot identify .* reads$"):
        read_image(photos / "cut.heic")


def test_lack_of_memory_is_no_damaged_file(photos, monkeypatch):
    """It is raised: to leave such images out would change the training set from machine to machine."""
    monkeypatch.setattr("PIL.ImageOps.exif_transpose", Mock(side_effect=MemoryError))
    for read, path in ((read_image, photos / "red" / "0.png"), (read_image_folder, photos)):
        with pytest.raises(MemoryError, match=r"\d.png cannot be read .* 64 x 64 pixels for lack of mem"):
            read(path)


def test_no_other_program_is_run(photos, monkeypatch):
    """PostScript, whatever it is called, alone or inside another file: Pillow would call Ghostscript."""
    opened = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *args, **options: opened.append(args))
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n"
    fields = [(3, 60, b"\1\0"), (3, 20, b"(\0"), (3, 30, b"(\0"), (3, 120, b"\1"), (8, 10, script)]
    records = (b"\x1c" + bytes(field) + len(data).to_bytes(2, "big") + data for *field, data in fields)
    inside = b"".join(records)  # IPTC
    for name, content in ("a.jpg", script), ("b.eps", script), ("c", script), ("d.png", inside):
        (photos / "red" / name).write_bytes(content)
        with pytest.raises(OSError, match=r"cannot identify the image: damaged, or none of PNG, JPEG, "):
            read_image(photos / "red" / name)
    with pytest.warns(UserWarning, match=r"Left out 4 paths .* \(cannot identify"):
        assert len(read_image_folder(photos, 4).images) == 6
    assert not opened


def test_formats_are_those_that_the_documentation_names():
    """And each of them, but for HEIF, is one that this Pillow opens, or lacks a library for."""
    Image.init()
    listed = re.search(r"whatever the name of the file: (.*?)\.", read_image_folder.__doc__, re.DOTALL)[1]
    named = re.split(r",\s+|\s+or\s+", listed.replace("JPEG 2000", "JPEG2000"))
    assert [name.upper() for name in named] == list(FORMATS)
    unknown = set(FORMATS) - set(Image.OPEN) - {"HEIF"}
    assert unknown == (set() if "AVIF" in Image.OPEN else {"AVIF"})


def bomb(width, height):
    """A PNG of zeros, which takes a thousandth of its pixels."""
    rows = zlib.compress(bytes((1 + width) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def test_images_of_too_many_pixels_are_refused_before_they_are_decoded(photos, monkeypatch):
    """By the limit of Pillow, at once and not at twice that, or by another; the message says what to pass."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    path = photos / "red" / "bomb.png"
    path.write_bytes(bomb(200, 51))
    advice = r"Image size \(10200 pixels\) exceeds limit of 10000 pixels.* pass a larger max_pixels, .*"
    with monkeypatch.context() as context:
        context.setattr("PIL.ImageFile.ImageFile.load", None)
        with pytest.raises(OSError, match=rf"bomb.png cannot be read as an image: {advice}$"):
            read_image(path, 8)
    with pytest.warns(UserWarning, match=rf"bomb.png \({advice}"):
        assert len(read_image_folder(photos, 8).images) == 6
    assert read_image(path, 8, max_pixels=10_200).max() == 0
    assert len(read_image_folder(photos, 8, max_pixels=10_200).images) == 7
    with pytest.raises(OSError, match=r"\(2000 pixels\) exceeds limit of 1999 pixels.* a larger max_pixels"):
        read_image(photos / "red" / "0.png", 8, max_pixels=1999)
    path.write_bytes(bomb(200, 101))
    with pytest.raises(OSError, match=r"20200 pixels.* raise PIL.Image.MAX_IMAGE_PIXELS\.$"):
        read_image(path, 8, max_pixels=20_200)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_image(path, 8).max() == 0


def test_a_large_image_inside_an_icon_is_refused(tmp_path, monkeypatch):
    """An icon holds an image of its own, of another size than it declares: nothing of it is decoded."""
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load_prepare", None)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    image = bomb(200, 51)
    ico = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 8, len(image), 22)
    icns = struct.pack(">4sI4sI", b"icns", 16 + len(image), b"icp4", 8 + len(image))
    (tmp_path / "a.ico").write_bytes(ico + image)
    (tmp_path / "a.icns").write_bytes(icns + image)
    for path in tmp_path.iterdir():
        with pytest.raises(OSError, match=r"\(10200 pixels\) exceeds limit of 10000 pixels"):
            read_image(path, 8)


def test_limits_and_filters_of_others_stay_as_they_were(photos):
    """Threads that read at once leave no filter of warnings behind."""
    before = warnings.filters[:], Image.MAX_IMAGE_PIXELS
    files = [*photos.rglob("*.png")] * 30
    with ThreadPoolExecutor(8) as pool:
        images = [*pool.map(lambda path: read_image(path, 8, max_pixels=10**6), files)]
    assert (warnings.filters[:], Image.MAX_IMAGE_PIXELS) == before
    for image, path in zip(images, files, strict=True):
        np.testing.assert_array_equal(image, read_image(path, 8))


def memory(field):
    """A number of bytes that Linux tells of this process: VmRSS, in use, or VmHWM, the peak."""
    return 1024 * int(re.search(rf"{field}:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak of memory cannot be reset"
)
@pytest.mark.parametrize(("mode", "n_bytes"), [("RGB", 4), ("RGBA", 8), ("I", 13), ("F", 13)])
def test_memory_is_that_of_few_copies(mode, n_bytes, tmp_path):
    """Bytes per pixel: RGB as Pillow decodes it; another on white; numbers and their copy in range."""
    side = 2000
    Image.new(mode, (side, side)).save(tmp_path / "image.tiff", compression="tiff_deflate")
    read_image(tmp_path / "image.tiff", 8)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    read_image(tmp_path / "image.tiff", 8)
    assert memory("VmHWM") - before < 1.25 * n_bytes * side**2


@pytest.fixture
def locked(monkeypatch):
    """A set of names of folders that cannot be listed, not even by root."""
    names, scandir = set(), os.scandir

    def scan(path="."):
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", scan)
    return names


def test_folders_that_cannot_be_listed_are_named(photos, locked):
    """Inside a class they are left out with a warning; a class of nothing else is an error."""
    (photos / "red" / "more").mkdir()
    Image.new("RGB", (9, 9)).save(photos / "red" / "more" / "a.png")
    (photos / "red" / "a.txt").write_text("text")
    locked.add("more")
    expected = r"^Left out 2 paths .*: .*more \(Permission denied\); .*a.txt \(cannot .*\)\.$"
    with pytest.warns(UserWarning, match=expected) as caught:
        assert read_image_folder(photos, 4).labels.tolist() == [0] * 3 + [1] * 3
    assert len(caught) == 1
    locked.add("blue")
    with pytest.raises(ValueError, match=r"blue has no image .*: .*blue \(Permission denied\)"):
        read_image_folder(photos, 4)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_of_files_do_not_reach_the_terminal_as_commands(photos):
    (photos / "red" / "\x1b[2J\n\u202etxt.png").write_text("text")
    with pytest.warns(UserWarning, match=r"red/\\x1b\[2J\\n\\u202etxt.png \("):
        read_image_folder(photos, 4)


def test_bad_folders_are_refused(photos, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        read_image_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no subfolders: expected one for each class"):
        read_image_folder(photos / "red")
    (photos / "green").mkdir()
    with pytest.raises(ValueError, match="green has no image that can be read"):
        read_image_folder(photos)
    (photos / "green" / "a.txt").write_text("text")
    with pytest.raises(ValueError, match=r"green has no image .* 1 path .*a.txt \(cannot identify"):
        read_image_folder(photos)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"size": 0}, ValueError, "size"),
        ({"size": 2.5}, TypeError, "size"),
        ({"size": 10**20}, ValueError, r"asks for images of .* at most 89,478,485"),
        ({"size": np.int32(10**5)}, ValueError, "size=100000 asks for images of 10,000,000,000 pixels"),
        ({"max_pixels": 0}, ValueError, "max_pixels"),
        ({"max_pixels": 1e6}, TypeError, "max_pixels"),
        ({"size": 8, "max_pixels": 63}, ValueError, "more max_pixels"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(options, error, match, photos):
    for read, path in ((read_image, photos / "red" / "0.png"), (read_image_folder, photos)):
        with pytest.raises(error, match=match):
            read(path, **options)


def test_bad_files_are_refused(photos):
    with pytest.raises(FileNotFoundError, match=r"none.jpg does not exist"):
        read_image(photos / "none.jpg")
    with pytest.raises(OSError, match="red cannot be read as an image"):
        read_image(photos / "red")
