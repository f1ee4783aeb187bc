"""The main job from the command line: analyze, go on, show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.runs import ANALYZE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


def test_a_run_is_measured_continued_and_shown(rfav: Rfav, folder: Path) -> None:
    first = rfav(folder, *ANALYZE)
    assert first.code == 0, first.err
    measured = first.err.count("epoch ")
    assert measured >= 2
    again = rfav(folder, *ANALYZE)
    assert again.code == 0, again.err
    assert again.err.count("epoch ") == 0
    document = rfav(folder, "show", "--format", "json").json()
    assert len(document["epochs"]) == measured
    assert all(0 <= layer["entropy"]["last"] <= layer["entropy"]["max"] for layer in document["layers"])
    table = rfav(folder, "show")
    assert all(layer["name"] in table.out for layer in document["layers"])
    assert "\x1b" not in table.out
    assert max(map(len, table.out.splitlines())) <= 80
