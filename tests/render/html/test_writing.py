"""A page takes the place of another report, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.errors import ReportError
from rfav_cli.render.html.page import MARK
from rfav_cli.render.html.writing import check_place, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_page_is_its_pieces(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write(path, [MARK, "<p>", "é\n"])
    assert path.read_bytes() == f"{MARK}<p>é\n".encode()
    write(path, [MARK, "again"])
    assert path.read_text() == f"{MARK}again"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("content", [b"", b"my thesis", b"<!DOCTYPE html>\n<html>", MARK.encode()[:-1]])
def test_what_is_no_report_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(content)
    for use in (lambda: check_place(path), lambda: write(path, [MARK])):
        with pytest.raises(ReportError, match="is there already and no report"):
            use()
    assert path.read_bytes() == content


def test_a_link_to_nowhere_stays(tmp_path: Path) -> None:
    (tmp_path / "report.html").symlink_to(tmp_path / "nothing")
    with pytest.raises(ReportError, match="stays as it is"):
        write(tmp_path / "report.html", [MARK])
    assert not (tmp_path / "nothing").exists()


def test_a_place_where_no_page_can_be(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is a folder"):
        check_place(tmp_path)
    with pytest.raises(ReportError, match="there is no folder"):
        check_place(tmp_path / "none" / "report.html")


def test_a_page_that_fails_on_the_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write(path, [MARK, "old"])

    def pieces() -> Iterator[str]:
        yield MARK
        raise OSError(28, "No space left on device")

    with pytest.raises(ReportError, match=r"cannot be written \(No space left on device\)"):
        write(path, pieces())
    assert path.read_text() == f"{MARK}old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
