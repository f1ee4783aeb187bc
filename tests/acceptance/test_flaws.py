"""Runs that have something wrong with them but can be measured: what is wrong is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from tests.acceptance.project.tiny_net import TinyNet
from tests.acceptance.runs import ANALYZE, CLASSES, EPOCHS, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

CLASSES_IN_DOUBT = "The order of the classes (--classes)"
ALLOWED = "RFAV204 until 2999-12-31: the labels are turned on purpose"


def test_skip_bad_goes_on_and_records(rfav: Rfav, folder: Path) -> None:
    (folder / "run" / name_of(1)).write_text("nothing")
    torch.save([torch.zeros(2)], folder / "run" / name_of(2))
    done = rfav(folder, *ANALYZE, "--skip-bad")
    assert done.code == 0
    assert done.out == "rfav.h5: 3 epochs, 3 layers, 120 samples; 2 files could not be used\n"
    assert "skipped: run/epoch_001.pt: " in done.err
    assert "skipped: run/epoch_002.pt: " in done.err
    table = rfav(folder, "show").out
    assert "Checkpoints that could not be used" in table
    assert "run/epoch_001.pt: " in table
    bad = rfav(folder, "show", "--format", "json").json()["bad"]
    assert {file["path"]: bool(file["reason"]) for file in bad} == {"run/epoch_001.pt": True, "run/epoch_002.pt": True}


def test_skip_bad_goes_on_without_the_first_file(rfav: Rfav, folder: Path) -> None:
    torch.save({"stem.weight": torch.zeros(1)}, folder / "run" / name_of(-1))
    done = rfav(folder, *ANALYZE, "--skip-bad")
    assert done.code == 0
    assert [file["path"] for file in rfav(folder, "show", "-f", "json").json()["bad"]] == ["run/epoch_-01.pt"]


def test_skip_bad_does_not_pass_over_a_run_without_any_good_file(rfav: Rfav, folder: Path) -> None:
    for path in (folder / "run").iterdir():
        path.write_text("nothing")
    done = rfav(folder, *ANALYZE, "--skip-bad")
    assert (done.code, done.out) == (2, "")
    assert not (folder / "rfav.h5").exists()


def test_a_net_that_is_not_finite_is_named_by_layer_and_epoch(rfav: Rfav, folder: Path) -> None:
    state = torch.load(folder / "run" / name_of(2))
    state["conv2.weight"][0, 0, 0, 0] = torch.nan
    torch.save(state, folder / "run" / name_of(2))
    done = rfav(folder, *ANALYZE)
    assert done.code == 0
    assert [line.startswith("4/5 epoch 2 ") for line in done.err.splitlines() if "not finite" in line] == [True]
    table = rfav(folder, "show").out
    assert "Values skipped because they were NaN or infinite" in table
    assert "conv2: 4,320 values in 1 epoch (2)" in table
    assert "conv1: " not in table
    shown = rfav(folder, "show", "--format", "json").json()
    losses = {epoch["epoch"]: epoch["loss"] for epoch in shown["epochs"]}
    assert losses[2] is None
    assert None not in {losses[epoch] for epoch in (-1, 0, 1, 3)}
    counts = {layer["name"]: layer["nonfinite"] for layer in shown["layers"]}
    assert (counts["conv1"], counts["conv2"]) == (0, 4320)
    assert [epoch["nonfinite"] for epoch in shown["epochs"]] == [0, 0, 0, sum(counts.values()), 0]


def test_a_layer_of_nothing_but_nan_has_no_correlation(rfav: Rfav, folder: Path) -> None:
    state = torch.load(folder / "run" / name_of(3))
    state["conv2.weight"][:] = torch.nan
    torch.save(state, folder / "run" / name_of(3))
    assert rfav(folder, *ANALYZE).code == 0
    correlations = {
        layer["name"]: layer["correlation"] for layer in rfav(folder, "show", "-f", "json").json()["layers"]
    }
    assert correlations["conv2"] == {"mean": None, "abs_mean": None}
    assert None not in correlations["conv1"].values()


def test_labels_in_another_order_are_doubted(rfav: Rfav, folder: Path) -> None:
    probe = np.load(folder / "probe.npz")
    np.savez(folder / "probe.npz", images=probe["images"], labels=(probe["labels"] + 1) % CLASSES)
    done = rfav(folder, *ANALYZE)
    assert done.code == 0
    assert CLASSES_IN_DOUBT in done.err
    assert CLASSES_IN_DOUBT in rfav(folder, *ANALYZE, "--fresh", "-q").err
    assert CLASSES_IN_DOUBT in " ".join(rfav(folder, "show").out.split())
    assert [doubt["kind"] for doubt in rfav(folder, "show", "--format", "json").json()["doubts"]] == ["classes"]
    gate = rfav(folder, "check", "rfav.h5", "--fail-on", "none", "--min-accuracy", "0")
    assert (gate.code, "RFAV204 unfit-classes" in gate.out) == (2, True)
    allowed = rfav(folder, "check", "rfav.h5", "--min-accuracy", "0", "--fail-on", "none", "--allow", ALLOWED)
    assert "allowed until 2999-12-31" in allowed.out
    assert (allowed.code, "RFAV108 not-learning" in allowed.out) == (2, True)  # by these labels the net knows nothing
    with h5py.File(folder / "rfav.h5") as store:
        assert store["doubt/kind"].asstr()[:].tolist() == ["classes"]


def test_labels_in_the_right_order_are_not_doubted(rfav: Rfav, folder: Path) -> None:
    assert CLASSES_IN_DOUBT not in rfav(folder, *ANALYZE).err


def test_a_net_that_knows_nothing_does_not_cast_doubt_on_the_labels(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "analyze", f"run/{name_of(-1)}", *ANALYZE[2:])
    assert done.code == 0
    assert CLASSES_IN_DOUBT not in done.err


def test_a_gap_in_the_epochs_is_said(rfav: Rfav, folder: Path) -> None:
    (folder / "run" / name_of(1)).unlink()
    done = rfav(folder, *ANALYZE)
    assert done.code == 0
    assert "epoch 1" in next(line for line in done.err.splitlines() if line.startswith("note: "))


def test_names_in_files_steer_no_terminal(rfav: Rfav, folder: Path) -> None:
    path = folder / "run" / "epoch_4\x1b[2J\r.pt"
    path.write_bytes((folder / "run" / name_of(3)).read_bytes())
    done = rfav(folder, *ANALYZE)
    assert done.code == 0
    assert r"epoch_4\x1b[2J\r.pt" in done.err
    code, drawn = rfav.on_terminal(folder, *ANALYZE, "--fresh", columns=80)
    assert code == 0
    assert "\x1b[2J" not in drawn
    for arguments in (["show", "--epochs"], ["show", "-f", "json"], ["show", "-f", "csv", "--epochs"]):
        assert not {"\x1b", "\r"} & {*rfav(folder, *arguments).out}


def test_a_file_of_another_run_is_doubted_and_ends_the_gate(rfav: Rfav, folder: Path) -> None:
    torch.manual_seed(7)
    torch.save(TinyNet().state_dict(), folder / "run" / name_of(2))
    done = rfav(folder, *ANALYZE, "-q")
    assert done.code == 0
    assert "epoch_002.pt is not of this run: the weights of epoch 2 correlate with those of epochs 1 and 3" in done.err
    shown = rfav(folder, "show", "--format", "json").json()
    assert [(doubt["kind"], doubt["where"]) for doubt in shown["doubts"]] == [("run", "epoch 2")]
    distances = [epoch["distance"] for epoch in shown["epochs"]]
    assert distances[0] is None
    assert min(distances[3:]) > 1 > max(distances[1:3])
    gate = rfav(folder, "check", "rfav.h5", "--fail-on", "none", "--min-accuracy", "0")
    assert (gate.code, "RFAV207" in gate.out) == (2, True)
    with h5py.File(folder / "rfav.h5") as store:
        np.testing.assert_allclose(store["checkpoint/distance"][1:], distances[1:])


def test_files_that_are_copies_are_doubted(rfav: Rfav, folder: Path) -> None:
    state = torch.load(folder / "run" / name_of(1))
    for path in sorted((folder / "run").iterdir()):
        torch.save({"state_dict": state, "written": path.name}, path)
    assert "all 5 checkpoints hold the same weights" in rfav(folder, *ANALYZE).err
    gate = rfav(folder, "check", "rfav.h5", "--fail-on", "none", "--min-accuracy", "0")
    assert (gate.code, "RFAV207" in gate.out) == (2, True)


def test_a_stored_epoch_that_is_not_that_of_the_name_is_doubted(rfav: Rfav, folder: Path) -> None:
    for epoch in EPOCHS[1:]:
        state = torch.load(folder / "run" / name_of(epoch))
        torch.save({"state_dict": state, "epoch": 9 if epoch == 3 else epoch}, folder / "run" / name_of(epoch))
    assert "epoch 9: epoch_003.pt stores epoch 9, where the others store" in rfav(folder, *ANALYZE).err
    assert [doubt["kind"] for doubt in rfav(folder, "show", "-f", "json").json()["doubts"]] == ["epoch"]


def test_a_training_is_not_doubted(rfav: Rfav, folder: Path) -> None:
    assert rfav(folder, *ANALYZE).code == 0
    assert rfav(folder, "show", "--format", "json").json()["doubts"] == []
