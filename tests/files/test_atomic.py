"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rfav_cli.files import atomic
from rfav_cli.files.atomic import PREFIX, check_writable, is_full, remove_abandoned, replacing, write_whole
from rfav_cli.files.locks import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="no such locks, signals or files")


def test_all_are_written_in_place_of_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_whole({tmp_path / "a": [b"1"], tmp_path / "b": [b"2"]})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_none_is_written_where_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="No such file") as error:
        write_whole({tmp_path / "a": [b"1"], tmp_path / "nowhere" / "b": [b"2"]})
    assert error.value.filename == str(tmp_path / "nowhere" / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
    with pytest.raises(OSError, match="directory"):
        write_whole({tmp_path: [b""]})


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    write_whole({tmp_path / "link": [b"1"]})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("there", [{}, {"a": b"old"}, {"a": b"old", "b": b"old, too"}])
def test_all_are_as_they_were_where_a_later_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: dict[str, bytes], links: bool, lasting: bool
) -> None:
    if lasting and not links:
        pytest.skip("nothing is left to put a file back by")
    real, calls = os.replace, []

    def replace(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2 or (lasting and len(calls) > 2):
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    for name, content in there.items():
        (tmp_path / name).write_bytes(content)
    inodes = {name: (tmp_path / name).stat().st_ino for name in there}
    monkeypatch.setattr(os, "replace", replace)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="Input/output") as caught:
        write_whole({tmp_path / "a": [b"1"], tmp_path / "b": [b"2"]})
    assert caught.value.filename == str(tmp_path / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == there
    assert not links or {name: (tmp_path / name).stat().st_ino for name in there} == inodes


def test_nothing_is_left_of_what_was_there_when_all_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for links in (True, False):
        if not links:
            monkeypatch.setattr(atomic, "_NO_LINKS", {errno.EXDEV})
            monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "no links")))
        write_whole({tmp_path / "a": [b"1"], tmp_path / "b": [b"2"]})
        write_whole({tmp_path / "a": [b"3"], tmp_path / "b": [b"4"]})
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"3", "b": b"4"}


def test_what_fails_while_it_is_made_leaves_what_was_there(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("broken")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="broken"):
        write_whole({tmp_path / "a": pieces()})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


KILLED = """
import os, pathlib, signal, sys
from rfav_cli.files import atomic

def pieces():
    yield b"half"
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("writing", flush=True)
    input()
    yield b", whole"

atomic.write_whole({pathlib.Path(sys.argv[1]): pieces()})
"""


def writer(path: Path, end: str) -> subprocess.Popen[str]:
    """A process that stands still, or is killed, in the middle of writing a file."""
    command = [sys.executable, "-c", KILLED, str(path), end]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def temporaries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@posix
def test_what_a_killed_writer_leaves_is_removed_by_the_next_whatever_it_writes(tmp_path: Path) -> None:
    with writer(tmp_path / "a", "killed") as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert [path.name.startswith(PREFIX) for path in tmp_path.iterdir()] == [True]
    write_whole({tmp_path / "b": [b"2"]})
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@posix
def test_what_a_live_writer_writes_is_left_to_it(tmp_path: Path) -> None:
    with writer(tmp_path / "a", "live") as live:
        assert live.stdout
        assert live.stdout.readline() == "writing\n"
        (temporary,) = temporaries(tmp_path)
        write_whole({tmp_path / "a": [b"other"], tmp_path / "b": [b"2"]})
        remove_abandoned(tmp_path)
        assert temporaries(tmp_path) == [temporary]
        live.communicate("\n", timeout=60)
    assert live.returncode == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"half, whole", "b": b"2"}


@posix
def test_only_files_with_our_names_are_removed(tmp_path: Path) -> None:
    others = [".tmp-1234", ".tmp-rfav", "tmp-rfav-1", ".tmpx"]
    for name in (*others, f"{PREFIX}0", f"{PREFIX}1234.h5"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / ".tmp-1234")
    (tmp_path / f"{PREFIX}folder").mkdir()
    os.mkfifo(tmp_path / f"{PREFIX}pipe")
    remove_abandoned(tmp_path)
    kept = {*others, f"{PREFIX}link", f"{PREFIX}folder", f"{PREFIX}pipe"}
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / ".tmp-1234").read_bytes() == b"half"
    remove_abandoned(tmp_path / "nowhere")  # which is no error


def test_without_locks_a_temporary_counts_as_left_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "lock", lambda *_, **__: None)
    old, new = tmp_path / f"{PREFIX}old", tmp_path / f"{PREFIX}new"
    for path, hours in ((old, 25), (new, 23)):
        path.write_bytes(b"half")
        then = time.time() - 3600 * hours
        os.utime(path, (then, then))
    write_whole({tmp_path / "a": [b"1"]})
    assert temporaries(tmp_path) == [new]


def test_a_temporary_that_was_taken_for_abandoned_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lock_too_late(descriptor: int, *, wait: bool) -> bool | None:
        if wait and not removed:
            (temporary,) = temporaries(tmp_path)
            temporary.unlink()
            removed.append(temporary)
        return lock(descriptor, wait=wait)

    removed: list[Path] = []
    monkeypatch.setattr(atomic, "lock", lock_too_late)
    write_whole({tmp_path / "a": [b"1"]})
    assert removed
    assert (tmp_path / "a").read_bytes() == b"1"
    assert temporaries(tmp_path) == []


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    write_whole({path: [b"1"]})
    assert path.read_bytes() == b"1"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "elsewhere")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole({tmp_path / "a": [b"1"]})
    assert caught.value.filename == str(tmp_path / "a")
    assert is_full(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


@posix
def test_a_special_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    write_whole({Path(os.devnull): [b"1"], tmp_path / "a": [b"1"]})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_replacement_keeps_its_first_error_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")

    def write() -> None:
        with replacing(tmp_path / "a") as file:
            monkeypatch.setattr(os, "write", refuse)
            assert file.write(b"12") == 2
            monkeypatch.undo()
            assert file.write(b"34") == 2
            assert file.truncate(9) == 9

    with pytest.raises(OSError, match="No space left"):
        write()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_a_write_that_takes_a_part_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with replacing(tmp_path / "a") as file:
        monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:2]))
        assert file.write(b"abcdefg") == 7
        monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"abcdefg"


@posix
def test_a_file_is_on_disk_before_it_has_its_name_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    real = os.fsync

    def see(descriptor: int) -> None:
        is_folder = os.path.samestat(os.fstat(descriptor), tmp_path.stat())
        seen.append((is_folder, (tmp_path / "a").exists()))
        real(descriptor)

    def replace_a() -> None:
        with replacing(tmp_path / "a") as file:
            file.write(b"1")

    monkeypatch.setattr(os, "fsync", see)
    for write in (lambda: write_whole({tmp_path / "a": [b"1"]}), replace_a):
        seen.clear()
        (tmp_path / "a").unlink(missing_ok=True)
        write()
        assert seen == [(False, False), (True, True)]


def test_a_folder_is_tried_out_and_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        check_writable(tmp_path / "nowhere" / "a")
