from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rfav_cli
from rfav_cli.store import open_store
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("overfits", "state"), [(True, "overfitting"), (False, "healthy")])
def test_a_store_is_judged_by_its_path_or_as_it_is(tmp_path: Path, overfits: bool, state: str) -> None:
    path = write_judged(tmp_path, overfits=overfits)
    verdict = rfav_cli.judge(path)
    assert verdict.run.state == state
    assert rfav_cli.judge(str(path)) == rfav_cli.judge(open_store(path)) == verdict


def test_thresholds_are_heeded(tmp_path: Path) -> None:
    path = write_judged(tmp_path, overfits=True)
    assert rfav_cli.judge(path, thresholds=rfav_cli.Thresholds(rise=100.0)).run.state != "overfitting"
