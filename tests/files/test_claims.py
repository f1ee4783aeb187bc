"""Claims on folders of file systems without locks: one holds, and what is left by the dead is taken over."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from rfav_cli.files import claims
from rfav_cli.files.claims import NAME, Claimant, claimed

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no /proc")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_SETTLED", 0.02)


def ended() -> int:
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def leave(folder: Path, claimant: Claimant) -> None:
    (folder / NAME).write_text(json.dumps(asdict(claimant)))


def holder_of(folder: Path) -> str:
    with claimed(folder) as holder:
        return holder


def test_one_holds_a_folder_and_nothing_is_left(tmp_path: Path) -> None:
    with claimed(tmp_path) as first:
        assert first == ""
        second = holder_of(tmp_path)
        assert second.startswith(f"process {os.getpid()} on ")
        assert second.endswith(f"if that has ended, remove {tmp_path / NAME}")
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []
    assert holder_of(tmp_path) == ""


@linux
def test_the_claim_of_a_process_that_has_ended_is_taken_over(tmp_path: Path) -> None:
    own = Claimant.own()
    for left in (replace(own, pid=ended()), replace(own, started="1"), replace(own, pid=os.getppid())):
        leave(tmp_path, left)
        assert holder_of(tmp_path) == ""
        assert list(tmp_path.iterdir()) == []


@linux
def test_that_of_a_live_process_is_not(tmp_path: Path) -> None:
    leave(tmp_path, replace(Claimant.own(), pid=os.getppid(), started=claims._start_of(os.getppid())))
    assert f"process {os.getppid()} on " in holder_of(tmp_path)


@linux
@pytest.mark.parametrize("change", ["host", "namespace"])
def test_what_cannot_be_seen_from_here_is_taken_for_live(tmp_path: Path, change: str) -> None:
    own, pid = Claimant.own(), ended()
    kernel = own.boot.partition(" ")[0]
    other = replace(own, host="elsewhere 1f") if change == "host" else replace(own, boot=f"{kernel} pid:[1]")
    leave(tmp_path, replace(other, pid=pid))
    assert f"process {pid} on " in holder_of(tmp_path)
    assert (tmp_path / NAME).exists()


@linux
@pytest.mark.parametrize(("machine", "is_known"), [("9e3f", True), ("", False)])
def test_what_was_before_the_last_start_of_a_known_machine_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, is_known: bool
) -> None:
    real = claims._first_line
    monkeypatch.setattr(claims, "_first_line", lambda path: machine if path == "/etc/machine-id" else real(path))
    leave(tmp_path, replace(Claimant.own(), boot=f"another-start {claims._namespace()}"))
    assert (holder_of(tmp_path) == "") is is_known


@pytest.mark.parametrize("content", [b"", b"{", b"3", b'{"pid": 1}', b"[" * 4000, b"\xff", b'{"host": 1}'])
def test_what_says_nothing_is_taken_for_live(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert holder_of(tmp_path) == f"if that has ended, remove {tmp_path / NAME}"
    assert (tmp_path / NAME).read_bytes() == content


def test_what_was_never_written_counts_as_left_after_a_while(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    then = time.time() - 2 * claims._UNWRITTEN
    os.utime(tmp_path / NAME, (then, then))
    assert holder_of(tmp_path) == ""


def test_a_link_or_a_folder_of_that_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    assert "remove" in holder_of(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    assert "remove" in holder_of(tmp_path)


def test_a_claim_that_was_taken_for_the_one_before_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(Claimant.own(), host="elsewhere")

    def steal(_: float) -> None:
        (tmp_path / NAME).unlink()
        leave(tmp_path, other)

    monkeypatch.setattr(time, "sleep", steal)
    assert holder_of(tmp_path).startswith(other.in_words())
    assert (tmp_path / NAME).exists()


def test_one_of_many_at_once_holds(tmp_path: Path) -> None:
    leave(tmp_path, replace(Claimant.own(), pid=ended()))
    held, start, end = [], threading.Barrier(8), threading.Barrier(8)

    def claim() -> None:
        start.wait()
        with claimed(tmp_path) as holder:
            held.append(holder)
            end.wait()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held.count("") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails", ["an error", "a part"])
def test_a_claim_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def write(_: int, data: bytes) -> int:
        if fails == "a part":
            return len(data) - 1
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space" if fails == "a part" else "Input/output"):
        holder_of(tmp_path)
    assert list(tmp_path.iterdir()) == []
