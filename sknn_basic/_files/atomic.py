"""Atomic writing of files."""

import errno
import os
import secrets
import stat
from functools import partial
from pathlib import Path

MAX_NAME = 200  # bytes of the name of the target in that of the temporary file; file systems take 255 in all


def write_atomically(path, content, *, overwrite):
    """Write bytes to a file atomically: an interruption leaves the old file or none.

    The bytes go to a temporary file in the same folder, named after the file (photos.h5.0f3a9c42.tmp), which
    is renamed when it is complete; only a killed process leaves it behind. An existing file keeps its
    permissions, which the temporary file never exceeds, and a symbolic link stays a link. Raises
    FileExistsError if the file exists (even if it appeared in the meantime) and `overwrite` is False, and
    OSError if it cannot be written.
    """
    temporary = None
    try:
        target = resolve(path)
        temporary = _temporary_name(target)
        replaced = overwrite and target.exists()
        mode = stat.S_IRWXU & target.stat().st_mode if replaced and os.name == "posix" else 0o666
        with open(temporary, "xb", opener=partial(os.open, mode=mode)) as file:
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
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def resolve(path):
    """Return the file that a path leads to through symbolic links; raise OSError if they form a loop."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


def _temporary_name(target):
    name = os.fsencode(target.name)[:MAX_NAME].decode(errors="ignore")  # no half letters
    return target.with_name(f"{name}.{secrets.token_hex(4)}.tmp")


def _rename(temporary, target, overwrite):
    """Rename the file in one step; raise FileExistsError if the target must not be overwritten."""
    if overwrite and target.exists() and os.name == "posix":  # Windows replaces no read-only file
        _copy_permissions(target, temporary)
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


def _copy_permissions(target, temporary):
    """Give the file the permissions of another; none to its group if that cannot become the same."""
    old = target.stat()
    mode = stat.S_IMODE(old.st_mode)
    if temporary.stat().st_gid != old.st_gid:
        try:
            os.chown(temporary, -1, old.st_gid)
        except OSError:
            mode &= ~stat.S_IRWXG
    temporary.chmod(mode)
