"""Files are written whole or not at all, whatever happens meanwhile."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sknn_basic._files import atomic
from sknn_basic._files.atomic import write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="limits and permissions of POSIX")


def raising(error):
    """A function that raises the error whatever it is called with."""

    def function(*args, **kwargs):
        raise error

    return function


def contents(folder):
    return [file.read_bytes() for file in folder.iterdir()]


def test_an_existing_file_is_replaced_only_if_asked(tmp_path):
    """A symbolic link stays a link, also to a file that does not exist yet."""
    path, link = tmp_path / "a", tmp_path / "link"
    link.symlink_to("a")
    write_atomically(link, b"old", overwrite=False)
    for name in (path, link):
        with pytest.raises(FileExistsError, match="overwrite=True") as error:
            write_atomically(name, b"new", overwrite=False)
        assert str(error.value).startswith(f"{name} has appeared")
        assert path.read_bytes() == b"old"
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [path, link]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o666, None])
@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_permissions(tmp_path, monkeypatch, mode, umask):
    """A replaced file keeps its own, a new one (None) gets what the umask leaves; no one else may look in."""
    path, seen = tmp_path / "a", []
    if mode is not None:
        path.write_bytes(b"old")
        path.chmod(mode)
    monkeypatch.setattr(
        os, "fsync", lambda _: seen.extend(f.stat().st_mode for f in tmp_path.glob("a.*.tmp"))
    )
    before = os.umask(umask)
    try:
        write_atomically(path, b"new", overwrite=mode is not None)
    finally:
        os.umask(before)
    assert [stat.filemode(found) for found in seen] == ["drwx------"]
    assert stat.S_IMODE(path.stat().st_mode) == (0o666 & ~umask if mode is None else mode)
    assert contents(tmp_path) == [b"new"]


@pytest.mark.parametrize("name", ["a" * 255, "猫" * 85, "😀" * 63 + "abc", os.fsdecode(b"K\xe4uzchen")])
def test_names(tmp_path, name):
    """Of as many bytes as file systems take, and of bytes that are no text."""
    try:
        (tmp_path / name).touch()
    except (OSError, UnicodeError):
        pytest.skip("the file system does not take the name")
    write_atomically(tmp_path / name, b"new", overwrite=True)
    assert contents(tmp_path) == [b"new"]


@pytest.mark.interrupts
@pytest.mark.parametrize("where", [(os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("old", [[], [b"old"]])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space")])
def test_interruption(tmp_path, monkeypatch, where, old, error):
    """An interruption or error at any point leaves the old file or none, and nothing else."""
    for content in old:
        (tmp_path / "a").write_bytes(content)
    monkeypatch.setattr(*where, raising(error))
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else OSError) as raised:
        write_atomically(tmp_path / "a", b"new", overwrite=True)
    assert error is KeyboardInterrupt or str(raised.value).startswith(f"{tmp_path / 'a'} cannot be written")
    assert contents(tmp_path) == old


def test_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch):
    """Without overwrite, a file that another program makes during writing is not replaced."""
    monkeypatch.setattr(os, "fsync", lambda _: (tmp_path / "a").write_bytes(b"another's"))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write_atomically(tmp_path / "a", b"new", overwrite=False)
    assert contents(tmp_path) == [b"another's"]


def test_what_a_killed_process_leaves(tmp_path):
    """The old file, and beside it a temporary folder that begins with its name and ends with .tmp."""
    path = tmp_path / "photos.h5"
    path.write_bytes(b"old")
    code = f"{Path(atomic.__file__).read_text()}\nos.fsync = lambda _: os._exit(9)\n"
    code += f"write_atomically({str(path)!r}, b'new', overwrite=True)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert (left.name[:10], left.suffix) == ("photos.h5.", ".tmp")
