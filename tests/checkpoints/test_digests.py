from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.checkpoints.digests import digest_of
from tests.checkpoints.formats.files import state, write_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert digest_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_digest_of_a_folder_is_that_of_its_weights(tmp_path: Path) -> None:
    for name in "ab":
        write_folder(tmp_path / name, state())
    (tmp_path / "b" / "optimizer.pt").write_bytes(b"moments")
    assert digest_of(tmp_path / "a") == digest_of(tmp_path / "b")
    write_folder(tmp_path / "c", {name: value + 1 for name, value in state().items()})
    assert digest_of(tmp_path / "c") != digest_of(tmp_path / "a")
