"""Random hostile image files, folders and names: an image or a documented error, and nothing else happens."""

import faulthandler
import io
import os
import re
import sys
import warnings
import zlib

import numpy as np
import pytest

from sknn_basic import ConfusionImagesDisplay, LossCurveDisplay, read_image, read_image_folder, write_hdf5
from sknn_basic.__main__ import main

Image = pytest.importorskip("PIL.Image", reason="the extra images is not installed")

FORMATS = "PNG JPEG GIF BMP TIFF WEBP AVIF JPEG2000 PPM SGI DDS ICO ICNS PCX XBM TGA".split()  # all but HEIF
MAX_PIXELS = 2 * 10**6  # so that a damaged header asks for little memory; Pillow writes ICNS of 10**6
N_FILES = 100
EDGES = [0, 1, 0x7F, 0x80, 0xFF, 1000, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


@pytest.fixture(autouse=True)
def end_of_patience():
    """End the process with a traceback if a test hangs."""
    faulthandler.dump_traceback_later(300, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def programs(monkeypatch):
    """The calls that would start another program."""
    calls = []
    for name in ("subprocess.Popen", "os.system", "os.popen"):
        monkeypatch.setattr(name, lambda *args, **options: calls.append(args))
    return calls


def random_image(rng):
    """A picture of random size and mode, smooth or noisy, with metadata, and options for each format."""
    size = rng.integers(1, 60, 2)
    noise = rng.integers(0, 256, (*size, 4)).astype(np.uint8)
    if rng.random() < 0.5:
        noise[:] = noise[0, 0]
    mode = rng.choice(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F"])
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = int(rng.integers(0, 10)), "a picture"
    if mode in ("I;16", "F"):
        return Image.fromarray(noise[..., 0].astype(np.uint16 if mode == "I;16" else np.float32)), exif
    return Image.fromarray(noise).convert(mode), exif


def encode(rng, name):
    """A whole file of a format, or None if this Pillow does not write one that it reads."""
    image, exif = random_image(rng)
    options = {
        "PNG": {"exif": exif, "icc_profile": b"profile" * 9, "bits": 8},
        "JPEG": {"exif": exif, "progressive": bool(rng.integers(2)), "icc_profile": b"profile" * 9},
        "TIFF": {"compression": rng.choice("raw tiff_lzw tiff_deflate packbits jpeg group4".split())},
        "GIF": {"save_all": True, "append_images": [image], "transparency": 3},
        "WEBP": {"exif": exif, "lossless": bool(rng.integers(2)), "save_all": bool(rng.integers(2))},
        "AVIF": {"exif": exif, "speed": 10},
        "JPEG2000": {"num_resolutions": int(rng.integers(1, 4)), "irreversible": bool(rng.integers(2))},
        "TGA": {"compression": rng.choice([None, "tga_rle"])},
        "SGI": {"rle": bool(rng.integers(2))},
        "DDS": {"pixel_format": rng.choice([None, "DXT1", "DXT5", "BC5"])},
    }
    file = io.BytesIO()
    for picture in (image, image.convert("RGB"), image.convert("1")):
        try:
            picture.save(file, name, **options.get(name, {}))
            Image.open(file, formats=[name]).load()
            return file.getvalue()
        except (KeyError, OSError, ValueError, TypeError, RuntimeError):
            file = io.BytesIO()
    return None


def mutate(rng, content, other):
    """Damage a file in one to three places, mostly near its beginning, where sizes and offsets stand."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        n = len(data)
        at = int(n * rng.random() ** rng.choice([1, 4]))
        match rng.integers(7):
            case 0:
                data[at : at + 1] = bytes([rng.integers(256)])
            case 1:
                width, order = int(rng.choice([1, 2, 4])), str(rng.choice(["big", "little"]))
                edge = EDGES[rng.integers(len(EDGES))] % 256**width
                data[at : at + width] = edge.to_bytes(width, order)
            case 2:
                data = data[: at + 1]
            case 3:
                del data[at : at + int(rng.integers(1, 20))]
            case 4:
                data[at:at] = data[at : at + int(rng.integers(1, 50))] * int(rng.integers(1, 4))
            case 5:
                start = int(rng.integers(len(other)))
                data[at:] = other[start:]
            case _:
                data[at : at + 1] = bytes([(data[at] if at < n else 0) ^ (1 << int(rng.integers(8)))])
    return with_checksums(data) if rng.random() < 0.7 else bytes(data)


def with_checksums(data):
    """Return the file; in a PNG, with the right checksum of each chunk, so that the damage is decoded."""
    at = 8 if data[:4] == b"\x89PNG" else len(data)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(data)


def test_damaged_files_give_an_image_or_an_error(hostile_seed, tmp_path, programs):
    """Of every format that Pillow writes, whatever is damaged, and however the file is called."""
    rng = np.random.default_rng(hostile_seed)
    Image.init()
    formats = [name for name in FORMATS if name in Image.SAVE and name in Image.OPEN]
    whole = [(name, content) for name in formats if (content := encode(rng, name))]
    assert len(whole) >= 12
    peak = memory_peak()
    for i in range(N_FILES):
        name, content = whole[i % len(whole)]
        if i >= len(whole):
            content = mutate(rng, content, whole[rng.integers(len(whole))][1])
        path = tmp_path / f"{hostile_seed}-{i}-{name}.{rng.choice(['jpg', 'png', 'tif', 'eps', 'heic', 'x'])}"
        path.write_bytes(content)
        try:
            image = read_image(path, 8, max_pixels=MAX_PIXELS)
        except OSError as error:
            reason = str(error)
            assert i >= len(whole), reason
            assert re.fullmatch(rf"{path} cannot be read as an image: \S.*", reason)
            assert reason.isprintable()
        else:
            assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
        path.unlink()
    assert not programs
    assert memory_peak() - peak < 300 * 2**20


def memory_peak():
    """The largest memory in use so far, in bytes, where the system tells it."""
    if sys.platform != "linux":
        return 0
    import resource

    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def random_name(rng, n_letters=8):
    """A name of letters from all over Unicode, often of those that control a terminal or a formula."""
    odd = "\x1b[2J\r\n\t\x07\x9b\u202e\u2066\u200b\u2028$\\{}^_%`'\"&;|*?<>:, ."
    others = [(1, 0x250), (1, 0xD800), (0xE000, 0x110000)]
    return "".join(
        odd[rng.integers(len(odd))] if rng.random() < 0.6 else chr(rng.integers(*rng.choice(others)))
        for _ in range(rng.integers(1, n_letters + 1))
    )


def file_name(rng):
    if os.name == "nt":
        return f"file{rng.integers(10**9)}"
    name = random_name(rng).replace("/", "").strip(".")
    return f"{rng.integers(10**9)}{name}"


def test_damaged_folders(hostile_seed, tmp_path, monkeypatch):
    """Every file of a class is an image of the result or named in the warning, and so is a locked folder."""
    rng = np.random.default_rng(hostile_seed)
    locked, scandir = set(), os.scandir

    def scan(path="."):
        if str(path) in locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", scan)
    n_whole, left_out = [], []
    for _ in range(rng.integers(1, 4)):
        folder = tmp_path / "all" / file_name(rng)
        inside = folder / file_name(rng)
        inside.mkdir(parents=True)
        if rng.random() < 0.5:
            (inside / "unseen").mkdir()
            locked.add(str(inside / "unseen"))
            left_out.append(inside / "unseen")
        n_whole.append(0)
        for _ in range(rng.integers(1, 7)):
            path = (folder, inside)[rng.integers(2)] / file_name(rng)
            content = encode(rng, "PNG")
            if is_whole := rng.random() < 0.7:
                n_whole[-1] += 1
            else:
                left_out.append(path)
            path.write_bytes(content if is_whole else content[: rng.integers(len(content) // 2)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if 0 in n_whole:
            with pytest.raises(ValueError, match="has no image that can be read"):
                read_image_folder(tmp_path / "all", 4)
            return
        images, labels, classes = read_image_folder(tmp_path / "all", 4)
    assert len(images) == len(labels) == sum(n_whole)
    assert len(classes) == len(n_whole)
    assert len(caught) == (left_out != [])
    for warning in caught:
        text = str(warning.message)
        assert text.isprintable()
        assert all(escaped(path) in text for path in left_out)
        assert sum(map(int, re.findall(r"Left out (\d+) path", text))) == len(left_out)


def escaped(text):
    """As Python writes it in a string."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))


def is_one_line(text):
    return text.endswith("\n") and text[:-1].isprintable()


@pytest.mark.filterwarnings("default")
def test_command_on_files_with_hostile_names(hostile_seed, tmp_path, capsys):
    """It prints lines of visible characters, and ends well, or in one line with code 2."""
    rng = np.random.default_rng(hostile_seed)
    for _ in range(4):
        n_classes = int(rng.choice([2, 3, 30]))
        y = np.arange(2 * n_classes) % n_classes
        X = rng.integers(0, 256, (len(y), 3, 3)).astype(np.uint8)
        names = [random_name(rng, rng.choice([8, 8, 2000])) for _ in range(n_classes)]
        path = tmp_path / file_name(rng)
        write_hdf5(path, X, y, X, y, names)
        if not (is_whole := rng.random() < 0.7):
            path.write_bytes(path.read_bytes()[: rng.integers(path.stat().st_size)])
        model, code = str(rng.choice(["logistic", "shallow"])), 0
        try:
            main([str(path), "--max-iter", "2", "--model", model, "--hidden-layer-size", "2"])
        except SystemExit as exit_:
            code = exit_.code
        out, error = capsys.readouterr()
        assert code == (0 if is_whole else 2), error
        assert is_one_line(error) or (is_whole and error == "")
        assert all(line.isprintable() and len(line) < 5000 for line in out.split("\n"))


@pytest.mark.filterwarnings("ignore:Glyph|Matplotlib currently does not support")
def test_hostile_names_are_drawn(hostile_seed):
    """Letter by letter, on their line, none of them long."""
    pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
    rng = np.random.default_rng(hostile_seed)
    names = [random_name(rng, rng.choice([8, 2000])) for _ in range(3)]
    X, y = rng.random((6, 2, 2)), np.arange(6) % 3
    display = ConfusionImagesDisplay.from_predictions(X, y, np.eye(3)[(y + 1) % 3], class_names=names)
    titles = [axes.get_title() for axes in display.axes_]
    curve = LossCurveDisplay(iterations=[0, 1], loss=[1, 0], name=names[0]).plot()
    (legend,) = curve.ax_.get_legend().get_texts()
    assert len(titles) == 6
    for shown in [*titles, legend.get_text().replace(",\ntraining", ", training")]:
        assert len(shown) < 200
        assert shown.count("\n") == (shown in titles)
        assert shown.replace("\n", "").isprintable()
    for name, title in zip(names * 2, titles, strict=True):
        start = re.escape(escaped(name)[:30])
        assert re.search(rf"\n\(is {start}", title), (name, title)
    display.figure_.canvas.draw()
    curve.figure_.canvas.draw()
