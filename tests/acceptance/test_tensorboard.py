"""`rfav analyze --tensorboard` as a user runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.runs import ANALYZE, EPOCHS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


def test_event_files_are_written_and_the_line_to_start_with_is_said(rfav: Rfav, folder: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    done = rfav(folder, *ANALYZE, "--tensorboard", "runs/tb")
    assert done.code == 0
    counts = "images=10,histograms=500,scalars=1000"
    assert f"tensorboard --logdir runs/tb --samples_per_plugin {counts}" in done.err
    again = rfav(folder, *ANALYZE, "--tensorboard", "runs/tb")
    assert again.code == 0
    found = event_accumulator.EventAccumulator(str(folder / "runs/tb")).Reload()
    assert [event.step for event in found.Scalars("held-out/loss")] == list(EPOCHS)


def test_a_folder_that_cannot_be_made_is_said_before_any_work(rfav: Rfav, folder: Path) -> None:
    (folder / "tb").write_text("a file")
    done = rfav(folder, *ANALYZE, "--tensorboard", "tb")
    assert (done.code, done.out) == (2, "")
    assert "--tensorboard tb" in done.err
    assert not (folder / "rfav.h5").exists()
