"""A file that is open is read as it is, and a change of it is never taken for its content."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from typing import TYPE_CHECKING

import pytest

from rfav_cli.checkpoints.opened import Clipped, Opened, Part, digest_of_folder, opened
from rfav_cli.errors import CheckpointError
from rfav_cli.files.regular import NotRegularError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "net.pt").write_bytes(CONTENT)
    return tmp_path / "net.pt"


def test_the_digest_is_that_of_the_whole_file_whatever_is_held(path: Path) -> None:
    held = Part("b", 300, 100, zlib.crc32(CONTENT[300:400]), CONTENT[300:400])
    parts = [Part("c", 1000, 7), held, Part("a", 0, 300, zlib.crc32(CONTENT[:300])), Part("none", 400, 0, 0)]
    with opened(path) as file:
        assert file.digest(parts) == file.digest() == hashlib.sha256(CONTENT).hexdigest()


def test_what_is_held_is_what_is_summed(path: Path) -> None:
    with opened(path) as file:
        assert file.digest([Part("a", 0, 3, None, b"abc")]) == hashlib.sha256(b"abc" + CONTENT[3:]).hexdigest()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([Part("w", 5, 10, 1)], "the checksum of 'w' is wrong"),
        ([Part("w", 5, 10, zlib.crc32(CONTENT[5:15]), bytes(10))], "the checksum of 'w' is wrong"),
        ([Part("a", 5, 10), Part("b", 14, 10)], "parts of it are several members"),
        ([Part("a", 0, len(CONTENT) + 1)], "damaged or cut off"),
    ],
)
def test_parts_that_are_not_as_they_say(path: Path, parts: list[Part], message: str) -> None:
    with opened(path) as file, pytest.raises(CheckpointError, match=message):
        file.digest(parts)


@pytest.mark.parametrize(("start", "count"), [(-1, 3), (0, len(CONTENT) + 1), (2**62, 1), (5, 2**62)])
def test_nothing_is_read_beyond_the_end(path: Path, start: int, count: int) -> None:
    with opened(path) as file, pytest.raises(CheckpointError, match="cut off"):
        file.read(start, count)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: dict[str, Callable[[Path], object]] = {
    "cut to nothing": lambda path: os.truncate(path, 0),
    "longer": append,
    "other content": lambda path: (path.write_bytes(CONTENT[::-1]), os.utime(path, (5, 5))),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("reads", [True, False])
def test_a_file_that_is_written_while_it_is_read(path: Path, how: str, reads: bool) -> None:
    def write_meanwhile() -> None:
        with opened(path) as file:
            CHANGES[how](path)
            if reads:
                file.digest([Part("w", 0, 10, zlib.crc32(CONTENT[:10]))])

    with pytest.raises(CheckpointError, match=r"net\.pt: changed while it was read"):
        write_meanwhile()


def test_a_file_that_is_replaced_or_removed_is_read_as_it_was(path: Path, tmp_path: Path) -> None:
    with opened(path) as file:
        (tmp_path / "new").write_bytes(b"another")
        (tmp_path / "new").replace(path)
        assert file.digest() == hashlib.sha256(CONTENT).hexdigest()
    with opened(path) as file:
        path.unlink()
        assert file.read(0, 7) == b"another"


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.pt")
    with pytest.raises(NotRegularError), opened(tmp_path / "net.pt"):
        pass


def test_a_file_of_holes_is_refused_and_one_with_a_few_is_not(tmp_path: Path) -> None:
    with (tmp_path / "holes.pt").open("wb") as file:
        file.write(CONTENT)
        file.truncate(2**32)
    if (tmp_path / "holes.pt").stat().st_blocks * 512 > 2**25:
        pytest.skip("this file system has no holes")
    with (
        pytest.raises(CheckpointError, match=r"of its 4,294,967,296 bytes only [\d,]+ were ever written"),
        opened(tmp_path / "holes.pt"),
    ):
        pass
    (tmp_path / "holes.pt").write_bytes(b"")
    os.truncate(tmp_path / "holes.pt", 2**29)
    with pytest.raises(CheckpointError, match="only 0 were"), opened(tmp_path / "holes.pt"):
        pass
    os.truncate(tmp_path / "holes.pt", 2**20)
    with opened(tmp_path / "holes.pt") as whole:
        assert whole.size == 2**20


def test_a_part_in_memory_is_a_file_too(tmp_path: Path) -> None:
    part = Opened(tmp_path / "net.distcp", io.BytesIO(CONTENT))
    assert (part.size, part.read(2, 3), part.has_changed) == (len(CONTENT), CONTENT[2:5], False)
    assert part.digest() == hashlib.sha256(CONTENT).hexdigest()


def test_no_more_is_asked_for_than_there_is(tmp_path: Path) -> None:
    asked: list[int] = []

    class Asked(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            asked.append(count or 0)
            return super().read(count)

    clipped = Clipped(Asked(b"abc\n" + b"d" * 2**17), 2**17 + 4)
    assert (clipped.readline(), clipped.read(2**40)) == (b"abc\n", b"d" * 2**17)
    assert max(asked) <= 2**17 + 4
    assert len(Clipped(io.BytesIO(b"d" * 2**20), 2**20).readline()) == 2**16


def test_the_digest_of_a_folder_knows_the_names_of_its_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b" / "c\udcff"
    digest = digest_of_folder(tmp_path, {second: "2", first: "1"})
    assert digest == digest_of_folder(tmp_path, {first: "1", second: "2"})
    assert digest != digest_of_folder(tmp_path, {first: "2", second: "1"})
