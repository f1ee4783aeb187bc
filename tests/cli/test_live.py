"""`rfav show --watch` from inside; as a process it is in tests/acceptance/test_show.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.cli import live
from rfav_cli.store import StoreWriter
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import History


@pytest.mark.parametrize(("lines", "height", "shown"), [(3, 4, 3), (4, 4, 3), (9, 4, 3), (2, 1, 2)])
def test_what_does_not_fit_the_screen_is_counted(lines: int, height: int, shown: int) -> None:
    text = "\n".join(f"line {number}" for number in range(lines))
    fitted = live._fitted(text, height).plain.splitlines()
    assert len(fitted) == shown
    if lines > shown or lines >= height:
        assert fitted[-1] == f"({lines - shown + 1} more lines; `rfav show` has all of them)"


def test_a_pipe_gets_a_block_for_each_change_until_ctrl_c(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "INTERVAL", 0.001)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    writer.append(measure(0))

    def shown(history: History) -> str:
        if len(history) == 2:
            raise KeyboardInterrupt
        writer.append(measure(1))
        return f"{len(history)} epoch\n"

    live.follow(path, shown)
    assert capsys.readouterr() == ("1 epoch\n", "")
