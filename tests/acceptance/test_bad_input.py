"""Every case of bad input ends with code 2, a message that names what is wrong, and nothing half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.bad_input import CASES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told(rfav: Rfav, folder: Path, name: str) -> None:
    arguments, words = CASES[name](folder)
    done = rfav(folder, *arguments)
    assert done.code == 2, done.err
    assert done.out == ""
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err
    assert not (folder / "the-pickle-ran").exists()
    assert not list(folder.rglob(".tmp-*"))
