"""Text from files."""

from __future__ import annotations

import pytest

from rfav_cli.text import printable


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("conv1", 5, "conv1"),
        ("conv12", 5, "conv…"),
        ("a\x1b[2J", 9, "a\\x1b[2J"),
        ("\x1b" * 9, 6, "\\x1b\\…"),
        ("", 5, ""),
        (b"raw", 9, "b'raw'"),
    ],
)
def test_text_is_escaped_and_cut_with_a_mark(text: object, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown
    assert len(printable(text, limit)) <= limit
