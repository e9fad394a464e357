"""Atomic writing of files."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory


def write_atomically(path, content, *, overwrite):
    """Write bytes to a file atomically: an interruption leaves the old file or none.

    It is written in a temporary folder beside it, named after it (photos.h5.0f3a9c42.tmp), that no one else
    may enter, and moved when it is complete; only a killed process leaves the folder behind. A file that is
    replaced keeps its permissions, and a symbolic link stays a link. Raises FileExistsError if the file
    exists, even if only now, and `overwrite` is False, and OSError if it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        # At most 160 bytes of the name, of the 255 that file systems take.
        with TemporaryDirectory(prefix=f"{target.name[:40]}.", suffix=".tmp", dir=target.parent) as folder:
            temporary = Path(folder, target.name)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                if not overwrite:
                    raise FileExistsError
                shutil.copymode(target, temporary)
            temporary.replace(target)
    except FileExistsError:
        raise FileExistsError(
            f"{path} has appeared in the meantime: pass overwrite=True to replace it."
        ) from None
    except OSError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise OSError(f"{path} cannot be written: {reason}.") from error
