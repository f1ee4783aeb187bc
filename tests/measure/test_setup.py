"""A net and a probe that are found to fit each other."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import CheckpointError, ModelError, RunError, SampleError
from rfav_cli.measure.setup import open_run
from rfav_cli.options.groups import ChosenLayers
from rfav_cli.records import Settings
from tests.measure.runs import READING, SAMPLES, opening, probe_of, save, set_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.data.probe import Probe


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
    setup = open_run(entries, probe, READING, options, Settings(outputs=True), ChosenLayers(layers=["fc"]))
    assert not setup.reads_output
    (words,) = setup.notes
    assert re.search(note, words)
    if answer == "text":
        with pytest.raises(ModelError, match="returns no tensor"):
            open_run(entries, probe_of(tmp_path), READING, options, Settings(), ChosenLayers(layers=["fc"]))


def test_a_probe_that_does_not_fit_is_named(tmp_path: Path) -> None:
    entries = save(tmp_path, 1)
    net = nn.Sequential(nn.Linear(7, 4), nn.Linear(4, 2))
    torch.save(net.state_dict(), entries[0].path)
    with pytest.raises(SampleError, match=r"probe\.npz: the net does not run on samples of 3"):
        open_run(entries, probe_of(tmp_path), READING, opening(lambda: net), Settings())


class Normed(nn.Module):
    """A layer with a normalisation after it."""

    def __init__(self, norm: nn.Module, *, inference: bool = False) -> None:
        super().__init__()
        self.fc, self.norm, self.head, self.inference = nn.Linear(3, 4), norm, nn.Linear(4, 2), inference

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(self.inference):
            scores: torch.Tensor = self.head(self.norm(self.fc(x)).relu())
        return scores


@pytest.mark.parametrize(
    ("make", "fold_norm", "note"),
    [
        (lambda: Normed(nn.BatchNorm1d(4)), True, ""),
        (lambda: Normed(nn.Identity()), True, ""),
        (lambda: Normed(nn.Identity()), False, ""),
        (lambda: Normed(nn.BatchNorm1d(4)), False, "follows, as --no-fold-norm says: fc; the scale is free there"),
        (lambda: Normed(nn.LayerNorm(4)), True, "follows, since that cannot be folded in: fc; the scale is free"),
        (lambda: Normed(nn.GroupNorm(2, 4)), False, "follows, as --no-fold-norm says: fc;"),
        (lambda: Normed(nn.BatchNorm1d(4), inference=True), True, "since that cannot be folded in: fc;"),
        (lambda: Normed(nn.LayerNorm(4), inference=True), True, "since that cannot be folded in: fc;"),
    ],
)
def test_layers_that_are_measured_before_a_normalisation_are_said(
    make: Callable[[], nn.Module], fold_norm: bool, note: str, tmp_path: Path
) -> None:
    entries = save(tmp_path, 1)
    torch.save(make().state_dict(), entries[0].path)
    options = replace(opening(make), fold_norm=fold_norm)
    notes = open_run(entries, probe_of(tmp_path), READING, options, Settings(fold_norm=fold_norm)).notes
    assert len(notes) == bool(note)
    assert all(note in each for each in notes)


def test_of_many_layers_some_are_named(tmp_path: Path) -> None:
    def make() -> nn.Module:
        blocks = [part for _ in range(7) for part in (nn.Linear(3, 3), nn.LayerNorm(3), nn.ReLU())]
        return nn.Sequential(*blocks, nn.Linear(3, 2))

    entries = save(tmp_path, 1)
    torch.save(make().state_dict(), entries[0].path)
    (note,) = open_run(entries, probe_of(tmp_path), READING, opening(make), Settings()).notes
    assert "folded in: 0, 3, 6, 9, 12 and 2 more; the scale" in note


def coloured_probe(folder: Path, channels: int, side: int = 6) -> Probe:
    images = np.random.default_rng(0).integers(0, 256, (SAMPLES, side, side, channels), dtype=np.uint8)
    np.savez(folder / "probe.npz", images=images, labels=np.arange(SAMPLES) % 2)
    return load_probe(str(folder / "probe.npz"))


@pytest.mark.parametrize(("given", "taken", "option"), [(1, 3, "--rgb"), (3, 1, "--gray"), (4, 3, "--rgb")])
def test_images_are_given_in_the_channels_that_the_net_takes(
    given: int, taken: int, option: str, tmp_path: Path
) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Conv2d(taken, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 2))

    torch.save(make().state_dict(), tmp_path / "epoch_0.pt")
    files, probe = [CheckpointFile(0, tmp_path / "epoch_0.pt")], coloured_probe(tmp_path, given)
    setup = open_run(files, probe, READING, opening(make), Settings())
    asked = load_probe(probe.source, options=SampleOptions(rgb=taken == 3, gray=taken == 1))
    assert setup.probe.sha256 == setup.run.probe.sha256 == asked.sha256
    assert setup.probe.inputs.shape[1] == taken
    assert any(option in note for note in setup.notes)
    asked_setup = open_run(files, asked, READING, opening(make), Settings())
    assert not any(option in note for note in asked_setup.notes)


def test_a_net_of_vectors_may_take_gray_images_alone(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 4), nn.ReLU(), nn.Linear(4, 2))

    torch.save(make().state_dict(), tmp_path / "epoch_0.pt")
    files = [CheckpointFile(0, tmp_path / "epoch_0.pt")]
    assert open_run(files, coloured_probe(tmp_path, 3), READING, opening(make), Settings()).probe.inputs.shape[1] == 1
    with pytest.raises(SampleError, match="3x5x5"):  # what was given, not what was tried
        open_run(files, coloured_probe(tmp_path, 3, 5), READING, opening(make), Settings())


def test_classes_that_do_not_fit_the_outputs_are_refused(tmp_path: Path) -> None:
    entries, probe = save(tmp_path, 1), probe_of(tmp_path)
    one_missing = dataclasses.replace(probe, labels=np.zeros(SAMPLES, np.int64), classes=("a",), alphabetical=True)
    with pytest.raises(SampleError, match="1 class folder for the 2 outputs"):
        open_run(entries, one_missing, READING, opening(), Settings())
    noted = dataclasses.replace(one_missing, alphabetical=False)
    opened = open_run(entries, noted, READING, opening(), Settings())
    assert "the probe has samples of 1 class, for the 2 outputs of the net" in opened.notes
    assert opened.subject.classes == 1
    second = dataclasses.replace(noted, labels=np.ones(SAMPLES, np.int64), classes=())
    assert open_run(entries, second, READING, opening(), Settings()).subject.classes == 1
