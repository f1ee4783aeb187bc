"""The log holds each epoch once, whatever a killed run left of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rfav_cli.errors import TrainingError
from rfav_cli.records import TrainingEpoch
from rfav_cli.training import log

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"epoch": epoch, "train_loss": 1.5 - epoch} for epoch in range(-1, 3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for row in ROWS:
        log.append(tmp_path / "log.jsonl", row)
    return tmp_path / "log.jsonl"


def test_each_line_is_json(path: Path) -> None:
    assert [json.loads(line) for line in path.read_text().splitlines()] == ROWS
    assert list(log.read(path)) == ROWS
    assert log.read(path.with_name("none")) == ()


@pytest.mark.parametrize("cut", range(0, 130, 7))
def test_a_line_that_is_cut_off_is_dropped(path: Path, cut: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    kept = log.truncate(path, 2, ROWS[-1])
    assert list(kept) == [*[row for row in ROWS[:-1] if row in kept], ROWS[-1]]
    assert [json.loads(line) for line in path.read_text().splitlines()] == list(kept)
    assert len(kept) >= 4 - (cut + 30) // 30


def test_a_resumed_run_drops_what_it_does_over(path: Path) -> None:
    assert [row["epoch"] for row in log.truncate(path, 0, ROWS[1])] == [-1, 0]
    log.append(path, {"epoch": 1, "train_loss": 7.0})
    assert [row["epoch"] for row in log.read(path)] == [-1, 0, 1]
    assert log.truncate(path, -2, None) == ()
    assert path.read_bytes() == b""


def test_a_row_that_was_not_written_comes_from_the_state(path: Path) -> None:
    assert [row["epoch"] for row in log.truncate(path, 3, {"epoch": 3})] == [-1, 0, 1, 2, 3]


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        log.append(tmp_path / "none" / "log.jsonl", ROWS[0])


def test_a_row_holds_what_there_is() -> None:
    before = TrainingEpoch(-1, 3, validation_loss=2.0, validation_accuracy=0.5)
    assert set(before.row()) == {"epoch", "validation_loss", "validation_accuracy", "seconds"}
    done = TrainingEpoch(0, 3, 0.1, 1.0, 0.5, {"sparsity/a": -0.25, "decorrelation/b": 2.0}, float("nan"), 0.1, 3.0)
    assert done.penalised_loss == 2.75
    assert done.row()["penalised_loss"] == 2.75
    assert done.row()["penalties"] == {"sparsity/a": -0.25, "decorrelation/b": 2.0}
    assert done.row()["validation_loss"] is None
    assert "penalised_loss" not in TrainingEpoch(0, 3, 0.1, 1.0, 0.5).row()
    json.loads(json.dumps(done.row(), allow_nan=False))


def test_what_cannot_be_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(TrainingError, match="cannot be written"):
        log.truncate(tmp_path / "log.jsonl", 0, None)
