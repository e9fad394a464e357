"""Files are written whole or not at all, whatever happens meanwhile."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sknn_basic._files import atomic
from sknn_basic._files.atomic import write_atomically


def contents(folder):
    return [file.read_bytes() for file in folder.iterdir()]


def test_an_existing_file_is_replaced_only_if_asked(tmp_path):
    """A symbolic link stays a link, also to a file that does not exist yet."""
    path, link = tmp_path / "a", tmp_path / "link"
    link.symlink_to("a")
    write_atomically(link, b"old", overwrite=False)
    for name in (path, link):
        with pytest.raises(FileExistsError, match="in the meantime: pass overwrite=True") as error:
            write_atomically(name, b"new", overwrite=False)
        assert str(error.value).startswith(str(name))
        assert path.read_bytes() == b"old"
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [path, link]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o400, 0o666, None])
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions(tmp_path, monkeypatch, mode, umask):
    """A replaced file keeps its own, a new one (None) gets what the umask leaves; no one else looks in."""
    path, seen = tmp_path / "a", []
    if mode is not None:
        path.touch(mode)
        path.chmod(mode)
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(map(Path.stat, tmp_path.glob("a.*.tmp"))))
    before = os.umask(umask)
    try:
        write_atomically(path, b"new", overwrite=mode is not None)
    finally:
        os.umask(before)
    assert [stat.filemode(found.st_mode) for found in seen] == ["drwx------"]
    assert stat.S_IMODE(path.stat().st_mode) == (0o666 & ~umask if mode is None else mode)


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
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space")], ids=["Ctrl-C", "full disk"])
def test_what_an_interruption_leaves(tmp_path, monkeypatch, where, error):
    """The old file or none, and nothing else."""

    def fail(*args):
        raise error

    (tmp_path / "old").write_bytes(b"old")
    monkeypatch.setattr(*where, fail)
    for name in ("old", "new"):
        with pytest.raises(type(error)) as raised:
            write_atomically(tmp_path / name, b"new", overwrite=True)
        assert str(raised.value) in ("", f"{tmp_path / name} cannot be written: [Errno 28] No space.")
    assert contents(tmp_path) == [b"old"]


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
