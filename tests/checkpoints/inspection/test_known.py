from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checkpoints.inspection.files import levels, scanned

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"GGUF\x03\x00\x00\x00" + bytes(64), "GGUF net"),
        (b"\x08\x09\x12\x07pytorch\x1a\x05" + bytes(64), "ONNX net"),
        (bytes(257) + b"ustar" + bytes(300), "tar archive"),
        (b"\x1f\x8b\x08" + bytes(64), "gzip file"),
        (b"\x7fELF" + bytes(64), "program for this machine"),
    ],
)
def test_other_nets_and_archives_are_named_and_never_clean(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    file = scanned(tmp_path / "a.pt", expected=False)
    assert (file.what, file.opens, levels(file)) == (what, False, {"incomplete"})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty file"),
        ("epoch 3: loss 0.1 µ\n".encode() * 400, "text file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG image"),
        (b'\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK"\x09\x00\x00\xc0^b\xda:brain.Event:2', "TensorBoard event file"),
    ],
)
def test_what_lies_beside_nets_is_a_fault_only_in_the_place_of_one(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a").write_bytes(content)
    file = scanned(tmp_path / "a", expected=False)
    assert (file.what, file.opens, file.findings) == (what, False, ())
    assert levels(scanned(tmp_path / "a", expected=True)) == {"refused"}


def test_anything_else_is_unknown_and_never_clean(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)))
    assert (scanned(tmp_path / "a").format, levels(scanned(tmp_path / "a"))) == ("unknown", {"incomplete"})
    (tmp_path / "b").write_bytes(b"text, and then\x1b[31m")
    assert scanned(tmp_path / "b").format == "unknown"
