"""`rfav layers` as a process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

NET = ["--model", "tiny_net.py:make_net"]


def test_it_says_before_a_run_what_a_run_would_measure(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "layers", *NET, "--probe", "probe.npz")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["layer", "conv1", "conv2", "fc1", "fc2"]
    assert [line.split()[-1] for line in lines[1:5]] == ["yes", "yes", "yes", "classifier"]
    analysed = rfav(folder, "analyze", "run", *NET, "--probe", "probe.npz")
    assert analysed.code == 0
    closing = analysed.err.splitlines()[-1]
    assert closing == (
        "looked at 120 samples of probe.npz, 4 classes, not normalised, 3 layers, output (4 wide), classifier fc2"
    )
    assert " ".join(done.out.split()).endswith(closing)


def test_a_quiet_analysis_says_nothing_of_it(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "analyze", "run", *NET, "--probe", "probe.npz", "--quiet")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("columns", [60, 80])
def test_it_fits_a_terminal(rfav: Rfav, folder: Path, columns: int) -> None:
    code, drawn = rfav.on_terminal(folder, "layers", *NET, "--probe", "probe.npz", columns=columns)
    assert code == 0
    assert "72" in drawn


def test_json_is_one_document(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "layers", "run/epoch_000.pt", *NET, "--probe", "probe.npz", "--format", "json")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert [layer["measured"] for layer in document["layers"]] == [True, True, True, False]
    assert document["subject"]["samples"] == 120


def test_a_choice_of_outputs_is_said_and_can_be_made(rfav: Rfav, folder: Path) -> None:
    arguments = ["layers", "--model", "tiny_net.py:make_two_heads", "--probe", "probe.npz", "--format", "json"]
    found = rfav(folder, *arguments).json()
    assert found["subject"]["output"] == "scores"
    assert any("taken of scores, by its name" in note for note in found["notes"])
    chosen = rfav(folder, *arguments, "--output", "nothing").json()
    assert chosen["subject"]["output"] == "nothing"
    assert chosen["subject"]["classifier"] == ""
    assert rfav(folder, *arguments, "--output", "none").code == 2


def test_without_a_net_it_says_what_to_give(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "layers")
    assert done.code == 2
    assert "--model" in done.err
