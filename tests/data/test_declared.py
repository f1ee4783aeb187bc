from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.data.declared import FEWEST, MANY, Account, read_text, refuse_swelling
from rfav_cli.errors import SampleError
from rfav_cli.files.sizes import MUCH

if TYPE_CHECKING:
    from pathlib import Path


def test_what_declares_far_more_than_is_stored_is_refused() -> None:
    refuse_swelling("x", MUCH, 0)
    refuse_swelling("x", 4 * MUCH, int(4 * MUCH * FEWEST) + 1)
    with pytest.raises(SampleError, match=r"x: refused, its 10 bytes stand for 536,870,912"):
        refuse_swelling("x", 2 * MUCH, 10)


def test_so_are_more_samples_than_bytes() -> None:
    refuse_swelling("x", 0, 0, MANY)
    refuse_swelling("x", 0, 2 * MANY, 2 * MANY)
    with pytest.raises(SampleError, match="stand for 2,097,152 samples"):
        refuse_swelling("x", 0, 2 * MANY - 1, 2 * MANY)


def test_pictures_are_counted_together() -> None:
    account = Account("x.tar")
    for _ in range(4):
        account.add(MUCH // 4, 100)
    with pytest.raises(SampleError, match=r"x\.tar: refused, its 500 bytes"):
        account.add(MUCH // 4, 100)


@pytest.mark.parametrize(("content", "words"), [(b"x" * 11, r"too large \(more than 10 bytes\)"), (b"\xff", "utf-8")])
def test_a_text_has_a_limit(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(SampleError, match=words):
        read_text(tmp_path / "x", 10, "Mend it.")
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(tmp_path / "x", 10, "Mend it.") == "abc"
