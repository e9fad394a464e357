"""Files are written whole or not at all, whatever happens meanwhile."""

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import sknn_basic
from sknn_basic._files import write_atomically


def raising(error):
    """A function that raises the error whatever it is called with."""

    def function(*args, **kwargs):
        raise error

    return function


def test_an_existing_file_is_replaced_only_if_asked(tmp_path):
    """A symbolic link to it stays a link."""
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(FileExistsError, match="overwrite=True") as error:
            write_atomically(name, b"new", overwrite=False)
        assert str(error.value).startswith(f"{name} has appeared")
        assert path.read_bytes() == b"old"
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [path, link]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions(tmp_path):
    """A new file has the permissions that the umask leaves; a replaced one keeps its own."""
    plain, path = tmp_path / "plain", tmp_path / "a"
    plain.write_bytes(b"")
    write_atomically(path, b"new", overwrite=False)
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o600)
    write_atomically(path, b"newer", overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.interrupts
@pytest.mark.parametrize(
    ("where", "old"),
    [((os, "fsync"), None), ((os, "fsync"), b"old"), ((os, "link"), None), ((Path, "replace"), b"old")],
)
def test_interruption(tmp_path, monkeypatch, where, old):
    """An interruption at any point leaves the old file or none, and no temporary file."""
    path = tmp_path / "a"
    if old:
        path.write_bytes(old)
    monkeypatch.setattr(*where, raising(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new", overwrite=bool(old))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([old] if old else [])


@pytest.mark.parametrize("links", [True, False])
def test_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch, links):
    """Without overwrite, a file that another program makes during writing is not replaced."""
    path = tmp_path / "a"
    monkeypatch.setattr(os, "fsync", lambda descriptor: path.write_bytes(b"another's"))
    if not links:
        monkeypatch.setattr(os, "link", raising(OSError(errno.EPERM, "no links here")))
    with pytest.raises(FileExistsError, match="overwrite=True") as error:
        write_atomically(path, b"new", overwrite=False)
    assert str(path) in str(error.value)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"another's"]


def test_file_system_without_links(tmp_path, monkeypatch):
    """Where a file system has no hard links, the file is written all the same."""
    monkeypatch.setattr(os, "link", raising(OSError(errno.EPERM, "no links here")))
    write_atomically(tmp_path / "a", b"new", overwrite=False)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"]


FULL_DISK = """
    import resource, signal, sys
    from sknn_basic._files import write_atomically
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        write_atomically(sys.argv[1], bytes(200_000), overwrite=True)
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_full_disk(tmp_path):
    """A file that cannot grow is an OSError that names it, never a crash, and leaves the old file."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(path)]
    python_path = str(Path(sknn_basic.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"{path} cannot be written")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]
