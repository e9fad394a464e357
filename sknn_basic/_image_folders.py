"""Image files as arrays of one size: one file, or a folder with a subfolder for each class."""

import os
import warnings
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_scalar

from ._extras import import_extra


class ImageFolder(NamedTuple):
    """Images, their labels and the names of the classes."""

    images: np.ndarray
    labels: np.ndarray
    classes: np.ndarray


def read_image_folder(path, size=64):
    """Read images from a folder that has one subfolder for each class.

    A file may be of any format and colour mode that Pillow reads. It is rotated by its EXIF orientation,
    converted to 8-bit RGB, cropped to the central square and resized. Transparent pixels become white; 16-bit
    grey is divided by 257, and so are 32-bit integers if one exceeds 255; floats are taken to range up to 1,
    or up to 255 if one exceeds 1. Of several frames only the first is read. HEIC, the format of many phones,
    is read if pillow-heif is installed; its opener is then registered with Pillow.

    Parameters
    ----------
    path : str or path-like
        The folder. Each subfolder is a class of that name; the files in it, at any depth, are the images.
        Names that begin with a dot are skipped, and so are files outside the subfolders.
    size : int, default=64
        Height and width of the images in pixels, in [1, inf).

    Returns
    -------
    dataset : ImageFolder
        A named tuple, which also unpacks as ``images, labels, classes``:

        * `images` (n_images, size, size, 3): uint8 RGB ndarray, sorted by class and by path;
        * `labels` (n_images,): int64 ndarray, each an index into `classes`;
        * `classes` (n_classes,): ndarray of str, the names of the subfolders, sorted.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ImportError
        If Pillow is not installed: the extra `images`.
    MemoryError
        If there is not enough memory for an image, which the message names, or for all images.
    TypeError
        If size is not an integer.
    ValueError
        If size is below 1, if the folder has no subfolders, or one of them has no image that can be read.

    Warns
    -----
    UserWarning
        If files cannot be read as images: they are left out, and one warning names them all.

    See Also
    --------
    read_image : One image, such as one to predict the class of.
    write_hdf5 : Save the images in one file, once they are split into training and test set.
    sklearn.model_selection.train_test_split : Split them.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: images of shape (num_px, num_px, 3).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from sknn_basic import read_image_folder
    >>> with TemporaryDirectory() as folder:
    ...     for name, colour in ("sea", "blue"), ("wood", "green"):
    ...         (Path(folder) / name).mkdir()
    ...         Image.new("RGB", (120, 90), colour).save(Path(folder) / name / "1.png")
    ...     images, labels, classes = read_image_folder(folder, size=8)
    >>> images.shape, labels.tolist(), classes.tolist()
    ((2, 8, 8, 3), [0, 1], ['sea', 'wood'])
    """
    check_scalar(size, "size", Integral, min_val=1)
    import_extra("PIL.Image", "images", "read_image_folder")
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is not a folder: expected one with a subfolder for each class.")
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and _is_visible(entry.name))
    if not folders:
        raise ValueError(
            f"{path} has no subfolders: expected one for each class, such as {path / 'cat'} with images of "
            "cats."
        )
    images, labels, skipped = [], [], {}
    for label, folder in enumerate(folders):
        for file in _files(folder):
            try:
                images.append(_read(file, size))
                labels.append(label)
            except OSError as error:
                skipped.setdefault(str(error), []).append(str(file))
        if label not in labels[-1:]:
            raise ValueError(
                f"{folder} has no image that can be read: expected at least one for each class. "
                f"{_list_skipped(skipped)}".rstrip()
            )
    if skipped:
        warnings.warn(_list_skipped(skipped), UserWarning, stacklevel=2)
    names = np.array([folder.name for folder in folders])
    return ImageFolder(np.stack(images), np.array(labels, np.int64), names)


def read_image(path, size=64):
    """Read one image as `read_image_folder` reads each of its files.

    Parameters
    ----------
    path : str or path-like
        The file, of any format and colour mode that Pillow reads; HEIC if pillow-heif is installed.
    size : int, default=64
        Height and width of the image in pixels, in [1, inf): as for the images that the model was fitted on.

    Returns
    -------
    image : ndarray of shape (size, size, 3)
        uint8, RGB. For a prediction pass ``[image]``: X is an array of images.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If Pillow is not installed: the extra `images`.
    MemoryError
        If there is not enough memory for the image.
    OSError
        If the file cannot be read as an image.
    TypeError
        If size is not an integer.
    ValueError
        If size is below 1.

    See Also
    --------
    read_image_folder : Many images and their classes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from sknn_basic import read_image
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("L", (30, 20), 255).save(Path(folder) / "white.png")
    ...     image = read_image(Path(folder) / "white.png", size=2)
    >>> image.shape, int(image.min())
    ((2, 2, 3), 255)
    """
    check_scalar(size, "size", Integral, min_val=1)
    import_extra("PIL.Image", "images", "read_image")
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected an image.")
    try:
        return _read(path, size)
    except OSError as error:
        raise OSError(f"{path} cannot be read as an image: {error}") from error


def _is_visible(name):
    return not name.startswith(".")


def _files(folder):
    """Return all files in a folder, at any depth, sorted by path."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = filter(_is_visible, folders)
        found += [Path(parent, name) for name in filter(_is_visible, files)]
    return sorted(found)


def _list_skipped(skipped):
    """Return a sentence on {reason: files}, or "" if no file was left out."""
    if not skipped:
        return ""
    n_files = sum(map(len, skipped.values()))
    listed = "; ".join(f"{', '.join(files)} ({reason})" for reason, files in skipped.items())
    return f"Left out {n_files} file{'s' * (n_files > 1)} that cannot be read as images: {listed}."


def _read(path, size):
    """Return the image, or raise an OSError that gives the reason in one line."""
    if not path.is_file():
        raise OSError("not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, or many pixels
            return _read_with_pillow(path, size)
    except MemoryError as error:
        raise MemoryError(f"{path} cannot be read for lack of memory.") from error
    except Exception as error:  # Pillow raises many types for damaged files and other than images
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from error


def _read_with_pillow(path, size):
    from PIL import Image, ImageOps

    with _open(path) as image:
        image.draft(None, (2 * size, 2 * size))  # decodes a large JPEG at reduced size
        upright = ImageOps.exif_transpose(image)
        return np.array(ImageOps.fit(_as_rgb(upright), (size, size), Image.Resampling.BICUBIC))


def _open(path):
    """Open an image with Pillow, which reads HEIC through pillow_heif only, and AVIF since version 11.3."""
    from PIL import Image, UnidentifiedImageError, features

    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        advice = (
            "this Pillow version does not read {}; run python -m pip install {}, or convert the file to JPEG"
        )
        kind = _heif_kind(path)
        if kind == "AVIF" and not features.check("avif"):
            raise OSError(advice.format(kind, "--upgrade pillow")) from error
        if kind != "HEIC":
            raise
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise OSError(advice.format(kind, "pillow-heif")) from error
    register_heif_opener()
    return Image.open(path)


def _heif_kind(path):
    """Return "HEIC" or "AVIF", the two kinds of HEIF, or None for any other file."""
    with path.open("rb") as file:
        head = file.read(64)
    brands = {head[i : i + 4] for i in range(8, 64, 4)} if head[4:8] == b"ftyp" else set()
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    if path.suffix.lower() in (".heic", ".heif") or brands & {b"heic", b"heix", b"hevc", b"mif1", b"msf1"}:
        return "HEIC"
    return None


def _as_rgb(image):
    """Return the image in 8-bit RGB, on white."""
    from PIL import Image, ImageCms

    if image.mode.startswith(("I", "F")):  # Pillow would clip them at 255
        values = np.asarray(image, np.float64)
        if not np.isfinite(values).all():
            raise ValueError("pixels that are not finite")
        if image.mode.startswith("I"):
            scale = 1 / 257 if image.mode != "I" or values.max() > 255 else 1
        else:
            scale = 255 if values.max() <= 1 else 1
        if image.mode.startswith("I") and isinstance(image.info.get("transparency"), int):
            values = np.where(values == image.info["transparency"], 65535, values)
        image = Image.fromarray((values * scale).round().clip(0, 255).astype(np.uint8))
    if image.mode == "LAB":
        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    if image.mode in ("La", "RGBa"):  # premultiplied
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
