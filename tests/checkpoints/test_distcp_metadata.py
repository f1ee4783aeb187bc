from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.checkpoints import distcp_metadata
from rfav_cli.checkpoints.opened import opened
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import write_distcp

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.distcp_metadata import Entry


def read_metadata(folder: Path) -> list[Entry]:
    with opened(folder / distcp_metadata.METADATA) as file:
        return distcp_metadata.read_metadata(folder, file)


def test_what_lies_where(tmp_path: Path) -> None:
    write_distcp(tmp_path, {"model": {"a.weight": torch.ones(2, 3)}, "parts": [torch.ones(())], "epoch": 3})
    found = {entry.keys: entry for entry in read_metadata(tmp_path)}
    assert {keys: entry.shape for keys, entry in found.items()} == {
        ("model", "a.weight"): (2, 3),
        ("parts", "0"): (),
        ("epoch",): None,
    }
    (piece,) = found["model", "a.weight"].pieces
    assert (piece.offsets, piece.shape, piece.place.file) == ((0, 0), (2, 3), "__0_0.distcp")
    places = sorted((entry.pieces[0].place.offset, entry.pieces[0].place.length) for entry in found.values())
    size = (tmp_path / "__0_0.distcp").stat().st_size
    assert places[0][0] == 0
    assert [start + length for start, length in places] == [*(start for start, _ in places[1:]), size]


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\x80\x04}.", b"\x80\x04K\x05.", b"text", b"(" * 100_000])
def test_what_is_no_metadata(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".metadata").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged, or not written by"):
        read_metadata(tmp_path)


def test_metadata_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distcp_metadata, "_MOST_BYTES", 10)
    (tmp_path / ".metadata").write_bytes(b"\x80\x04" + b"N" * 10 + b".")
    with pytest.raises(CheckpointError, match="longer"):
        read_metadata(tmp_path)
