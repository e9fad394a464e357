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
from sknn_basic._files.atomic import write_atomically


def raising(error):
    """A function that raises the error whatever it is called with."""

    def function(*args, **kwargs):
        raise error

    return function


def run_python(code, path):
    """Run code in a Python of its own, with the path as its argument."""
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    python_path = str(Path(sknn_basic.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


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


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o666, None])
@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_temporary_file_is_never_wider(tmp_path, monkeypatch, mode, umask):
    """Whenever the file is written, synchronised or renamed, no one has a right to it that the target denies.

    A new file (None) gets what the umask leaves.
    """
    path, seen = tmp_path / "a", []
    if mode is not None:
        path.write_bytes(b"old")
        path.chmod(mode)
    allowed = 0o666 & ~umask if mode is None else mode
    for where, name in ((os, "fsync"), (os, "chmod"), (Path, "replace"), (os, "link")):
        monkeypatch.setattr(where, name, watched(getattr(where, name), tmp_path, seen))
    before = os.umask(umask)
    try:
        write_atomically(path, b"new", overwrite=mode is not None)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(found) & ~allowed for found in seen} == {0}
    assert stat.S_IMODE(path.stat().st_mode) == allowed
    assert path.read_bytes() == b"new"


def watched(function, folder, seen):
    """The function, which first notes the permissions of the temporary files."""

    def watching(*args, **kwargs):
        seen.extend(file.stat().st_mode for file in folder.glob("*.tmp"))
        return function(*args, **kwargs)

    return watching


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may change any group")
def test_group_of_a_replaced_file(tmp_path, monkeypatch):
    """It stays; where that is not possible, another group does not get its rights."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, -1, 12345)
    path.chmod(0o664)
    write_atomically(path, b"new", overwrite=True)
    assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (12345, 0o664)
    monkeypatch.setattr(os, "chown", raising(PermissionError(errno.EPERM, "not yours")))
    write_atomically(path, b"newer", overwrite=True)
    assert path.stat().st_gid != 12345
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


KILLED = """
    import os, sys
    from sknn_basic._files.atomic import write_atomically
    os.fsync = lambda descriptor: os._exit(9)
    write_atomically(sys.argv[1], b"new", overwrite=True)
"""


def test_what_a_killed_process_leaves(tmp_path):
    """The old file, and beside it a temporary one that begins with its name and ends with .tmp."""
    path = tmp_path / "photos.h5"
    path.write_bytes(b"old")
    assert run_python(KILLED, path).returncode == 9
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert left.name.startswith("photos.h5.")
    assert left.suffix == ".tmp"


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "猫" * 85, "😀" * 63 + "abc"])
def test_the_longest_names(tmp_path, name):
    """A name of as many bytes as file systems take is written: the temporary one is no longer than that."""
    path = tmp_path / name
    try:
        path.touch()
    except OSError:
        pytest.skip("the file system does not take the name")
    write_atomically(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_not_text(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/K\xe4uzchen"))
    write_atomically(path, b"new", overwrite=False)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("overwrite", [False, True])
def test_loop_of_links(tmp_path, overwrite):
    """Links that lead to each other are an OSError that names the path, and stay as they are."""
    path, other = tmp_path / "a", tmp_path / "b"
    path.symlink_to(other)
    other.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link") as error:
        write_atomically(path, b"new", overwrite=overwrite)
    assert str(error.value).startswith(f"{path} cannot be written")
    assert path.is_symlink()
    assert other.is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("overwrite", [False, True])
def test_link_to_a_new_file(tmp_path, overwrite):
    """A link to a file that does not exist yet stays a link to the file, which is written."""
    link = tmp_path / "link"
    link.symlink_to("a")
    write_atomically(link, b"new", overwrite=overwrite)
    assert link.is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"


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
    from sknn_basic._files.atomic import write_atomically
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
    run = run_python(FULL_DISK, path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"{path} cannot be written")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]
