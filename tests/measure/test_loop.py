"""Checkpoints in turn, with no store and no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rfav_cli import isolation
from rfav_cli.errors import CheckpointError
from rfav_cli.measure import loop
from rfav_cli.measure.loop import measure_checkpoints
from rfav_cli.records import BadCheckpoint, Measurement, Progress
from tests.measure.runs import READING, SAMPLES, make_net, save, set_up

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Event, Payload


def test_each_checkpoint_gives_its_own_figures_in_turn(tmp_path: Path) -> None:
    entries = save(tmp_path, 3)
    setup = set_up(tmp_path, entries)
    results = list(measure_checkpoints(entries, setup, READING))
    assert [result.checkpoint.epoch for result in results if isinstance(result, Measurement)] == [0, 1, 2]
    for entry, result in zip(entries, results, strict=True):
        assert isinstance(result, Measurement)
        net = make_net()
        net.load_state_dict(torch.load(entry.path))
        activation = torch.from_numpy(setup.probe.inputs) @ net[0].weight.t()
        probabilities = activation.softmax(1)
        entropy = -(probabilities * probabilities.log()).sum(1).mean()
        assert result.columns["entropy/mean"][0] == pytest.approx(entropy.item(), rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 6, 100])
def test_the_size_of_a_batch_changes_no_figure(tmp_path: Path, batch_size: int) -> None:
    entries = save(tmp_path, 1)
    setup = set_up(tmp_path, entries)
    (one,) = measure_checkpoints(entries, setup, READING, batch_size=batch_size)
    (other,) = measure_checkpoints(entries, setup, READING, batch_size=SAMPLES)
    assert isinstance(one, Measurement)
    assert isinstance(other, Measurement)
    assert one.columns.keys() == other.columns.keys()
    for name, column in one.columns.items():
        np.testing.assert_allclose(column, other.columns[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_progress_is_told_of_each_batch(tmp_path: Path) -> None:
    entries = save(tmp_path, 2)
    events: list[Event] = []
    list(measure_checkpoints(entries, set_up(tmp_path, entries), READING, batch_size=4, report=events.append))
    seen = [(event.done, event.total, event.samples) for event in events if isinstance(event, Progress)]
    assert seen == [(0, 2, 0), (0, 2, 4), (0, 2, 6), (1, 2, 0), (1, 2, 4), (1, 2, 6)]


def test_a_child_reads_no_file_while_another_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = save(tmp_path, 3)
    setup = set_up(tmp_path, entries)
    read: list[Path] = []

    def reading(path: Path, options: ReadOptions) -> Payload:
        read.append(path)
        return formats_read(path, options)

    formats_read = loop.formats.read
    monkeypatch.setattr(loop.formats, "read", reading)
    monkeypatch.setattr(isolation, "is_child", lambda: True)
    for number, result in enumerate(measure_checkpoints(entries, setup, READING), start=1):
        assert isinstance(result, Measurement)
        assert read == [entry.path for entry in entries[:number]]


def test_a_bad_file_ends_it_or_is_given_out_as_bad(tmp_path: Path) -> None:
    entries = save(tmp_path, 3)
    setup = set_up(tmp_path, entries)
    entries[1].path.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match=r"epoch_1\.pt: not a checkpoint") as caught:
        list(measure_checkpoints(entries, setup, READING))
    assert "--skip-bad" in caught.value.remedy
    results = list(measure_checkpoints(entries, setup, READING, skip_bad=True))
    assert [type(result) for result in results] == [Measurement, BadCheckpoint, Measurement]


def test_it_can_be_left_in_the_middle(tmp_path: Path) -> None:
    entries = save(tmp_path, 3)
    results = measure_checkpoints(entries, set_up(tmp_path, entries), READING)
    next(results)
    results.close()
    assert list(results) == []
