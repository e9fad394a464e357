"""Atomic writing of files."""

import os
import secrets
import shutil
from pathlib import Path


def write_atomically(path, content, *, overwrite):
    """Write bytes to a file atomically: an interruption leaves the old file or none.

    The bytes go to a temporary file in the same folder, which is renamed when it is complete. An existing
    file keeps its permissions, and a symbolic link stays a link. Raises FileExistsError if the file exists
    (even if it appeared in the meantime) and `overwrite` is False, and OSError if it cannot be written.
    """
    target = Path(path).resolve()
    temporary = target.with_name(f".sknn_basic-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(temporary, target, overwrite)
    except FileExistsError:
        raise FileExistsError(
            f"{path} has appeared in the meantime: pass overwrite=True to replace it."
        ) from None
    except OSError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise OSError(f"{path} cannot be written: {reason}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _rename(temporary, target, overwrite):
    """Rename the file in one step; raise FileExistsError if the target must not be overwritten."""
    if overwrite and target.exists():
        shutil.copymode(target, temporary)
    if not overwrite:
        try:
            os.link(temporary, target)  # unlike a rename, fails if the target exists
            return
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if target.exists():
                raise FileExistsError from None
    temporary.replace(target)
