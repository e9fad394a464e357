"""Image files as arrays of one size: one file, or a folder with a subfolder for each class."""

import os
import warnings
from contextlib import suppress
from math import inf
from numbers import Integral
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_scalar

from .._extras import import_extra
from .deep_images import as_bytes, described_tiff, load
from .text import printable

# Pillow decodes these itself, from the file alone. EPS is not among them, since Pillow runs Ghostscript for
# it; nor are IPTC, which may hold EPS, WMF, since Windows draws it, and what other packages register. TGA
# comes last, since it has no signature.
FORMATS = (
    *("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000"),
    *("PPM", "SGI", "DDS", "ICO", "ICNS", "PCX", "XBM", "TGA"),
)

# Threads that enter and leave catch_warnings at once would leave the filters of one of them behind, for good.
_WARNINGS_LOCK = Lock()


class _ThreeArrays(NamedTuple):
    images: np.ndarray
    labels: np.ndarray
    classes: np.ndarray


class ImageFolder(_ThreeArrays):
    """Images, their labels and the names of the classes, and as an attribute their `filenames`."""

    filenames = None  # of a tuple in which something was replaced


def read_image_folder(path, size=64, *, max_pixels=None):
    """Read images from a folder that has one subfolder for each class.

    A file is rotated by its EXIF orientation, converted to 8-bit RGB by Pillow, cropped to the central square
    and resized. Transparent pixels become white. Of several frames only the first is read. White is 65535 for
    16-bit grey, 255 for 32-bit integers, or 65535 if one exceeds 255, and 1 for floats, or 255 if one exceeds
    1.25; floats beyond black or white by up to a quarter are clipped. What Pillow would read wrongly is not
    read, such as a TIFF of signed integers of 8 or 16 bits; the message says what the file holds.

    The format is found from the content, whatever the name of the file: PNG, JPEG, GIF, BMP, TIFF, WebP,
    AVIF, HEIF, JPEG 2000, PPM, SGI, DDS, ICO, ICNS, PCX, XBM or TGA. No other is opened: for EPS, Pillow
    would run another program. HEIF or HEIC, the format of many phones, is read if pillow-heif is installed,
    whose opener is then registered with Pillow; AVIF by Pillow since version 11.3.

    Parameters
    ----------
    path : str or path-like
        The folder. Each subfolder is a class of that name; the files in it, at any depth, are the images.
        Names that begin with a dot are skipped, and so are files outside the subfolders: with a warning, if
        they have the suffix of an image.
    size : int, default=64
        Height and width of the images in pixels, in [1, inf).
    max_pixels : int, default=None
        The largest number of pixels (height times width) of a file, and of each image returned, in [1, inf):
        a file of half a megabyte can hold 169 million, and each takes 4 to 25 bytes while it is decoded. None
        stands for `PIL.Image.MAX_IMAGE_PIXELS`, 89,478,485 unless it was changed. Pillow itself opens no file
        of more than twice that, whatever `max_pixels` is: raise it too for a larger file.

    Returns
    -------
    dataset : ImageFolder
        A named tuple, which also unpacks as ``images, labels, classes``:

        * `images` (n_images, size, size, 3): uint8 RGB ndarray, sorted by class and by path;
        * `labels` (n_images,): int64 ndarray, each an index into `classes`;
        * `classes` (n_classes,): ndarray of str, the names of the subfolders, sorted.

        Beside the three, `dataset.filenames` (n_images,) is an ndarray of str: the path of each image, which
        begins with `path`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ImportError
        If Pillow is not installed: the extra `images`.
    MemoryError
        If there is not enough memory for an image, which the message names, or for all images.
    OSError
        If the folder cannot be listed.
    TypeError
        If size or max_pixels is not an integer.
    ValueError
        If size or max_pixels is below 1, or size squared above max_pixels; if the folder has no subfolders,
        or one of them has no image that can be read.

    Warns
    -----
    UserWarning
        If files or folders cannot be read: they are left out, and one warning names them all. If images lie
        beside the subfolders, as in the folder of one class: the warning says how many.

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
    ...     dataset = read_image_folder(folder, size=8)
    >>> images, labels, classes = dataset
    >>> images.shape, labels.tolist(), classes.tolist()
    ((2, 8, 8, 3), [0, 1], ['sea', 'wood'])
    >>> [Path(filename).parts[-2:] for filename in dataset.filenames]
    [('sea', '1.png'), ('wood', '1.png')]
    """
    size, max_pixels = _prepare("read_image_folder", size, max_pixels)
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is not a folder: expected one with a subfolder for each class.")
    folders, n_beside = _subfolders(path)
    if not folders:
        raise ValueError(
            f"{path} has no subfolders: expected one for each class, such as {path / 'cat'} with pictures."
        )
    if n_beside:
        warnings.warn(_beside(path, folders, n_beside), UserWarning, stacklevel=2)
    images, labels, filenames, left_out = [], [], [], {}
    for label, folder in enumerate(folders):
        files, errors = _files(folder)
        for error in errors:
            left_out.setdefault(error.strerror, []).append(error.filename)
        for file in files:
            try:
                images.append(_read(file, size, max_pixels))
                labels.append(label)
                filenames.append(str(file))
            except OSError as error:
                left_out.setdefault(str(error), []).append(file)
        if label not in labels[-1:]:
            raise ValueError(
                f"{folder} has no image that can be read: expected at least one for each class. "
                f"{_listed(left_out)}".rstrip()
            )
    if left_out:
        warnings.warn(_listed(left_out), UserWarning, stacklevel=2)
    names = np.array([folder.name for folder in folders])
    dataset = ImageFolder(np.stack(images), np.array(labels, np.int64), names)
    dataset.filenames = np.array(filenames)
    return dataset


def read_image(path, size=64, *, max_pixels=None):
    """Read one image as `read_image_folder` reads each of its files.

    Parameters
    ----------
    path : str or path-like
        The file, in one of the formats that `read_image_folder` lists.
    size : int, default=64
        Height and width of the image in pixels, in [1, inf): as for the images that the model was fitted on.
    max_pixels : int, default=None
        The largest number of pixels of the file, and of the image returned, as in `read_image_folder`.

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
        If the file cannot be read as an image, or has more pixels than max_pixels.
    TypeError
        If size or max_pixels is not an integer.
    ValueError
        If size or max_pixels is below 1, or size squared above max_pixels.

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
    size, max_pixels = _prepare("read_image", size, max_pixels)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected an image.")
    try:
        return _read(path, size, max_pixels)
    except OSError as error:
        raise OSError(f"{path} cannot be read as an image: {error}") from error


def _prepare(function, size, max_pixels):
    """Prepare Pillow; check both arguments and return them; max_pixels is infinite if there is no limit."""
    Image = import_extra("PIL.Image", "images", function)
    Image.init()
    with suppress(ImportError):  # through which alone Pillow reads HEIC, a kind of HEIF
        from pillow_heif import register_heif_opener

        register_heif_opener()
    check_scalar(size, "size", Integral, min_val=1)
    size = int(size)
    if max_pixels is None:
        max_pixels = Image.MAX_IMAGE_PIXELS or inf
    else:
        check_scalar(max_pixels, "max_pixels", Integral, min_val=1)
    if size * size > max_pixels:
        raise ValueError(
            f"size={size} asks for images of {size * size:,} pixels, but at most {max_pixels:,} are allowed: "
            "pass a smaller size, or more max_pixels."
        )
    return size, max_pixels


def _is_visible(name):
    return not name.startswith(".")


def _subfolders(path):
    """Return the visible folders in a folder, sorted, and how many images lie beside them, by suffix."""
    from PIL import Image

    suffixes = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}
    folders, n_images = [], 0
    for entry in path.iterdir():
        if _is_visible(entry.name):
            if entry.is_dir():
                folders.append(entry)
            else:
                n_images += entry.suffix.lower() in suffixes
    return sorted(folders), n_images


def _beside(path, folders, n_images):
    """Return a sentence on images that lie beside the folders of the classes, and what to do."""
    names = [repr(printable(folder.name)) for folder in folders[:3]] + ["..."] * (len(folders) > 3)
    name, above = printable(path), printable(path.absolute().parent)
    return (
        f"Left out {n_images} image{'s' * (n_images > 1)} directly in {name}, since only its subfolders are "
        f"classes: {', '.join(names)}. If {name} is a class itself, pass the folder above it, {above}; else "
        "move images into a subfolder."
    )


def _files(folder):
    """Return all files in a folder, at any depth, sorted by path, and an OSError for each folder unread."""
    found, errors = [], []
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = filter(_is_visible, folders)
        found += [Path(parent, name) for name in filter(_is_visible, files)]
    return sorted(found), errors


def _listed(left_out):
    """Return a sentence on {reason: paths}, or "" if none was left out."""
    listed = [f"{', '.join(map(printable, paths))} ({reason})" for reason, paths in left_out.items()]
    n = sum(map(len, left_out.values()))
    return f"Left out {n} path{'s' * (n > 1)} that cannot be read: {'; '.join(listed)}." if n else ""


def _read(path, size, max_pixels):
    """Return the image, or raise an OSError that gives the reason in one line."""
    from PIL import Image

    if not path.is_file():
        raise OSError("not a file")
    try:
        # Opened here: Pillow may map to memory what it opens itself, and the process would die if another cut
        # the file short.
        with path.open("rb") as file, _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata
            if max_pixels <= (Image.MAX_IMAGE_PIXELS or inf):
                # Also of an image inside another: an ICO file decodes what it holds when it is opened.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read_with_pillow(file, size, max_pixels)
    except MemoryError as error:
        message = f"{path} cannot be read as an image of {size} x {size} pixels for lack of memory."
        raise MemoryError(message) from error
    except Exception as error:  # Pillow raises many types for damaged files and other than images
        reason = printable(" ".join(str(error).split())) or type(error).__name__
        if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
            reason += " If you trust the file, pass a larger max_pixels, or raise PIL.Image.MAX_IMAGE_PIXELS."
        raise OSError(reason) from error


def _read_with_pillow(file, size, max_pixels):
    from PIL import Image, ImageOps

    with _open(file) as image:
        n_pixels = image.width * image.height
        if n_pixels > max_pixels:
            raise Image.DecompressionBombWarning(
                f"Image size ({n_pixels} pixels) exceeds limit of {max_pixels} pixels."
            )
        image.draft(None, (2 * size, 2 * size))  # decodes a large JPEG at reduced size
        load(image)
        ImageOps.exif_transpose(image, in_place=True)
        return np.array(ImageOps.fit(_as_rgb(image), (size, size), Image.Resampling.BICUBIC))


def _open(file):
    """Open an image of one of the FORMATS, or raise UnidentifiedImageError."""
    from PIL import Image, UnidentifiedImageError

    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        return Image.open(file, formats=formats)
    except (UnidentifiedImageError, KeyError) as error:  # KeyError: the compression of a TIFF
        if form := described_tiff(file):
            raise UnidentifiedImageError(form) from error
        advice = "; for HEIC run python -m pip install pillow-heif, or convert the file to JPEG"
        raise UnidentifiedImageError(
            f"cannot identify the image: damaged, or none of {', '.join(formats)}, which this Pillow reads"
            f"{'' if 'HEIF' in formats else advice}"
        ) from error


def _as_rgb(image):
    """Return the image in 8-bit RGB, on white."""
    from PIL import Image

    if image.mode == "La":  # which Pillow converts to LA alone
        image = image.convert("LA")
    if image.mode.startswith(("I", "F")):  # Pillow would clip them at 255
        image = Image.fromarray(as_bytes(image))
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white
