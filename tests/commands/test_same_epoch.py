"""A file of an epoch that is measured already: a copy, one that was written again, or one of a second run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rfav_cli.checkpoints.poll import PolledCheckpoint
from rfav_cli.commands.same_epoch import EpochFiles
from rfav_cli.errors import CheckpointError, RunError, StoreError
from rfav_cli.records import Checkpoint, Doubt


class Recorder:
    """Has measured epoch 3, and says whether weights are those."""

    def __init__(self, same: bool | None, path: str = "run/epoch_3.pt") -> None:
        self.committed = {3: Checkpoint(3, path, "ab")}
        self.same = same
        self.doubts: list[Doubt] = []

    def has_weights(self, payload: Any, epoch: int) -> bool | None:
        if payload == "foreign":
            raise CheckpointError("none of this net")
        return self.same

    def record_doubt(self, doubt: Doubt) -> None:
        self.doubts.append(doubt)


NAMES = {"run/epoch_3.pt": 3, "run/b_epoch_3.pt": 3, "run/epoch_4.pt": 4, "run/resnet_18.pt": 18, "run/last.pt": None}


def polled(path: str, payload: Any = None, stored: int | None = None) -> PolledCheckpoint:
    return PolledCheckpoint(Path(path), 3, NAMES[path], stored, "cd", payload)


def files(recorder: Recorder, *, of_run: bool = True) -> EpochFiles:
    poll: Any = SimpleNamespace(named=lambda path: NAMES.get(path.as_posix()))
    made = EpochFiles(poll, recorder)  # type: ignore[arg-type]
    if of_run:
        made.measured(polled("run/last.pt"))
    return made


def not_measured(recorder: Recorder, file: PolledCheckpoint, *, of_run: bool = True, sha256: str = "cd") -> str:
    return files(recorder, of_run=of_run).not_measured(file, Checkpoint(3, file.path.as_posix(), sha256))


@pytest.mark.parametrize(
    ("path", "same", "payload"),
    [
        ("run/b_epoch_3.pt", True, None),  # a copy
        ("run/b_epoch_3.pt", None, None),  # a store that cannot tell
        ("run/b_epoch_3.pt", False, "foreign"),  # an optimizer's state
        ("run/last.pt", False, None),  # written several times an epoch
        ("run/resnet_18.pt", False, None),  # no epoch
        ("run/epoch_4.pt", False, None),  # stores one less; the other does not
    ],
)
def test_what_is_no_second_run_is_skipped_with_a_note(path: str, same: bool | None, payload: Any) -> None:
    recorder = Recorder(same)
    assert f"skipped {path}: the store has epoch 3" in not_measured(recorder, polled(path, payload))
    assert recorder.doubts == []


def test_two_files_named_after_one_epoch_with_other_weights_are_refused() -> None:
    recorder = Recorder(same=False)
    with pytest.raises(
        RunError, match=r"epoch 3 is there twice, as in two runs: run/epoch_3\.pt and run/b_epoch_3\.pt"
    ):
        not_measured(recorder, polled("run/b_epoch_3.pt"))
    assert [(doubt.kind, doubt.where) for doubt in recorder.doubts] == [("run", "epoch 3")]


@pytest.mark.parametrize("path", ["run/epoch_3.pt", "run/epoch_4.pt"])
def test_a_file_that_is_written_again_is_doubted_once(path: str) -> None:
    recorder = Recorder(same=False, path=path)
    watched = files(recorder)
    for sha256 in ("cd", "ef"):
        assert watched.not_measured(polled(path), Checkpoint(3, path, sha256)).startswith("skipped")
    (doubt,) = recorder.doubts
    assert "was written again after it was measured" in doubt.words


def test_the_file_that_was_measured_needs_no_words_and_shows_that_the_store_is_of_the_run() -> None:
    watched = files(Recorder(same=False), of_run=False)
    assert watched.not_measured(polled("run/epoch_3.pt"), Checkpoint(3, "run/epoch_3.pt", "ab")) == ""
    assert watched.not_measured(polled("run/last.pt"), Checkpoint(3, "run/last.pt", "cd")) != ""


def test_a_store_that_nothing_shows_to_be_of_the_run_is_refused() -> None:
    with pytest.raises(StoreError, match="another file than epoch 3") as raised:
        not_measured(Recorder(same=False), polled("run/epoch_3.pt"), of_run=False)
    assert "--fresh" in raised.value.remedy


def test_the_epoch_of_each_file_that_its_name_contradicts_is_doubted() -> None:
    recorder = Recorder(same=None)
    watched = files(recorder)
    for named, stored in ((0, 0), (1, 1), (2, 2), (3, 30), (4, 4), (5, 50)):
        file = replace(polled("run/epoch_3.pt"), path=Path(f"run/epoch_{named}.pt"), named=named, stored=stored)
        watched.measured(file)
    assert [(doubt.kind, doubt.where) for doubt in recorder.doubts] == [("epoch", "epoch 30"), ("epoch", "epoch 50")]
