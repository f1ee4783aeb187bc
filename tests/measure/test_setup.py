"""A net and a probe that are found to fit each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from rfav_cli.errors import CheckpointError, ModelError, RunError, SampleError
from rfav_cli.measure.setup import open_run
from rfav_cli.records import Settings
from tests.measure.runs import READING, SAMPLES, opening, probe_of, save, set_up

if TYPE_CHECKING:
    from pathlib import Path


def test_the_layers_but_the_classifier_are_measured(tmp_path: Path) -> None:
    setup = set_up(tmp_path, save(tmp_path, 1))
    assert [layer.name for layer in setup.run.layers] == ["0", "2"]
    assert [(layer.name, layer.reason) for layer in setup.run.skipped] == [("4", "classifier")]
    assert setup.uses == {"0": 1, "2": 1, "4": 1}
    assert setup.reads_output
    assert setup.context.size == SAMPLES
    assert setup.context.labels is not None


def test_the_first_checkpoint_that_can_be_used_is_opened(tmp_path: Path) -> None:
    entries, probe = save(tmp_path, 2), probe_of(tmp_path)
    entries[0].path.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="epoch_0"):
        open_run(entries, probe, READING, opening(), Settings())
    assert open_run(entries, probe, READING, opening(), Settings(), skip_bad=True).run.layers
    entries[1].path.write_bytes(b"no checkpoint")
    with pytest.raises(RunError, match=r"none of the 2 checkpoints can be used; the first: .*epoch_0"):
        open_run(entries, probe, READING, opening(), Settings(), skip_bad=True)


@pytest.mark.parametrize(
    ("labels", "outputs", "reads"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_the_output_is_read_for_labels_or_where_it_is_asked_for(
    tmp_path: Path, labels: bool, outputs: bool, reads: bool
) -> None:
    entries = save(tmp_path, 1)
    assert set_up(tmp_path, entries, Settings(outputs=outputs), labels=labels).reads_output is reads


class Odd(nn.Module):
    """A net that returns no class scores."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.fc, self.answer = nn.Linear(3, 4), answer

    def forward(self, x: torch.Tensor) -> object:
        values = self.fc(x)
        return values.sum(1) if self.answer == "row" else self.answer


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ("row", r"float32 \(4,\), is no row of class scores, so it is not measured"),
        ("text", "no predictions are measured"),
    ],
)
def test_what_is_no_row_of_scores_is_told(tmp_path: Path, answer: str, note: str) -> None:
    entries = save(tmp_path, 1)
    torch.save(Odd(answer).state_dict(), entries[0].path)
    options = opening(lambda: Odd(answer))
    probe = probe_of(tmp_path, labels=False)
    setup = open_run(entries, probe, READING, options, Settings(outputs=True), layers=["fc"])
    assert not setup.reads_output
    (words,) = setup.notes
    assert re.search(note, words)
    if answer == "text":
        with pytest.raises(ModelError, match="returns no tensor"):
            open_run(entries, probe_of(tmp_path), READING, options, Settings(), layers=["fc"])


def test_a_probe_that_does_not_fit_is_named(tmp_path: Path) -> None:
    entries = save(tmp_path, 1)
    net = nn.Sequential(nn.Linear(7, 4), nn.Linear(4, 2))
    torch.save(net.state_dict(), entries[0].path)
    with pytest.raises(SampleError, match=r"probe\.npz: the net does not run on samples of 3"):
        open_run(entries, probe_of(tmp_path), READING, opening(lambda: net), Settings())
