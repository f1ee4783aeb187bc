"""What is there is replaced where the same command wrote it, or by force; what it reads and stores never are."""

from __future__ import annotations

import os
import socket
from typing import IO, TYPE_CHECKING

import pytest

from rfav_cli.errors import OutputError
from rfav_cli.files import outputs
from rfav_cli.files.outputs import Output, check_outputs, json_document, write_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = b"ours: "
HDF5 = b"\x89HDF\r\n\x1a\n"


def is_ours(file: IO[bytes]) -> bool:
    return file.read(len(MARK)) == MARK


def output(path: Path, *reads: object) -> Output:
    return Output(path, "rfav draw", "choose another --out", is_ours, reads)


def refused(made: Output, *, force: bool = False) -> str:
    """What is said of an output that may not be written, the same before the work and at its end."""
    before = made.path.read_bytes() if os.path.isfile(made.path) else None  # noqa: PTH113
    said = []
    for use in (lambda: check_outputs([made], force=force), lambda: write_outputs({made: [MARK]}, force=force)):
        with pytest.raises(OutputError) as caught:
            use()
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert (made.path.read_bytes() if before is not None else None) == before
    return said[0]


def test_what_the_command_wrote_is_replaced(tmp_path: Path) -> None:
    made = output(tmp_path / "a")
    for text in (b"1", b"2"):
        write_outputs({made: [MARK, text]})
        assert made.path.read_bytes() == MARK + text
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("content", [b"", b"my thesis", MARK[:-1], b" " + MARK])
def test_another_file_stays_unless_it_is_forced(tmp_path: Path, content: bytes) -> None:
    made = output(tmp_path / "a")
    made.path.write_bytes(content)
    assert refused(made) == (
        f"{made.path}: was not written by `rfav draw`, so it stays as it is\n"
        "Choose another --out, or give --force to replace it."
    )
    write_outputs({made: [MARK]}, force=True)
    assert made.path.read_bytes() == MARK


def test_a_store_that_has_no_file_yet_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "rfav.h5.d").mkdir()
    assert "`rfav draw` reads it" in refused(output(tmp_path / "rfav.h5", tmp_path / "rfav.h5"), force=True)


@pytest.mark.parametrize("start", [0, 512])
def test_a_store_stays_whatever_is_given(tmp_path: Path, start: int) -> None:
    made = output(tmp_path / "a.html")
    made.path.write_bytes(MARK.ljust(start, b" ")[:start] + HDF5)
    assert "is a store" in refused(made, force=True)


@pytest.mark.parametrize("named", ["{}", "csv:{}", "{}:make", "{}*"])
def test_so_does_what_the_command_reads(tmp_path: Path, named: str) -> None:
    made = output(tmp_path / "a", 3, None, [named.format(tmp_path / "a")])
    made.path.write_bytes(MARK)
    assert "`rfav draw` reads it" in refused(made, force=True)
    (tmp_path / "link").symlink_to(made.path)
    assert "`rfav draw` reads it" in refused(output(tmp_path / "link", made.path), force=True)


def test_and_what_lies_in_a_folder_that_it_reads_but_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "run" / "below").mkdir(parents=True)
    made = output(tmp_path / "run" / "below" / "epoch_1.pt", tmp_path / "run")
    write_outputs({made: [MARK]})
    write_outputs({made: [MARK]})
    made.path.write_bytes(b"weights")
    assert "lies in what `rfav draw` reads" in refused(made, force=True)


def test_a_link_that_leads_nowhere_stays(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nothing")
    assert "stays as it is" in refused(output(tmp_path / "a"))
    write_outputs({output(tmp_path / "a"): [MARK]}, force=True)
    assert (tmp_path / "nothing").read_bytes() == MARK
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "stays as it is" in refused(output(tmp_path / "loop"))


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        assert "is a socket, not a file" in refused(output(tmp_path / "socket"), force=True)
    assert "is a folder" in refused(output(tmp_path), force=True)
    for folder in ("none", "file"):
        assert f"there is no folder {tmp_path / folder}\n" in refused(output(tmp_path / folder / "a"))
    assert "File name too long" in refused(output(tmp_path / ("a" * 300)))


def test_a_file_that_cannot_be_looked_into_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(MARK)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(outputs, "open_regular", refuse)
    assert "cannot be written (Permission denied)" in refused(output(tmp_path / "a"), force=True)


def test_streams_are_written_to(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_outputs({output(path): [MARK] for path in (type(tmp_path)("/dev/stdout"), type(tmp_path)(os.devnull))})
    assert capfd.readouterr().out == MARK.decode()


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match="two outputs"):
        check_outputs([output(tmp_path / "a"), output(tmp_path / "b")], force=True)


def test_what_fails_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    first, second = output(tmp_path / "a"), output(tmp_path / "b")
    write_outputs({first: [MARK, b"old"]})

    def pieces() -> Iterator[bytes]:
        yield MARK
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"b: cannot be written \(No space left on device\)"):
        write_outputs({first: [MARK, b"new"], second: pieces()})
    assert first.path.read_bytes() == MARK + b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("content", "document"), [(b'{"a": 1}', {"a": 1}), (b"[" * 100_000, None), (b"\xff", None), (b"", None)]
)
def test_the_document_in_a_file(tmp_path: Path, content: bytes, document: object) -> None:
    (tmp_path / "a").write_bytes(content)
    with (tmp_path / "a").open("rb") as file:
        assert json_document(file) == document


def test_a_document_that_is_too_large_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "LARGEST", 3)
    (tmp_path / "a").write_bytes(b"[1]")
    with (tmp_path / "a").open("rb") as file:
        assert json_document(file) == [1]
    (tmp_path / "a").write_bytes(b"[10]")
    with (tmp_path / "a").open("rb") as file:
        assert json_document(file) is None
