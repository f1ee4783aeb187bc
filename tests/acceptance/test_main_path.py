"""The commands on a run that has nothing wrong with it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.runs import ANALYZE, EPOCHS, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

LAYERS = ["conv1", "conv2", "fc1"]


@pytest.mark.parametrize(
    "checkpoints",
    [["run"], ["run/*.pt"], [f"run/{name_of(epoch)}" for epoch in reversed(EPOCHS)]],
    ids=["folder", "glob", "files"],
)
def test_analyze_measures_every_checkpoint(rfav: Rfav, folder: Path, checkpoints: list[str]) -> None:
    done = rfav(folder, "analyze", *checkpoints, *ANALYZE[2:])
    assert (done.code, done.out) == (0, "rfav.h5: 5 epochs, 3 layers, 120 samples\n")
    told = [line for line in done.err.splitlines() if "/5 " in line]
    assert [line.split("  loss")[0] for line in told] == [
        f"{number}/5 epoch {epoch}  run/{name_of(epoch)}" for number, epoch in enumerate(EPOCHS, 1)
    ]
    assert not (folder / "rfav.h5.d").exists()
    shown = rfav(folder, "show", "rfav.h5", "--format", "json").json()
    assert [epoch["epoch"] for epoch in shown["epochs"]] == list(EPOCHS)
    assert [layer["name"] for layer in shown["layers"]] == LAYERS


def test_the_table_has_a_row_a_layer(rfav: Rfav, measured: Path) -> None:
    done = rfav(measured, "show")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith(tuple(LAYERS))] == LAYERS
    assert "held-out loss" in done.out
    assert "fc2: classifier" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_is_one_document_and_nothing_else(rfav: Rfav, measured: Path) -> None:
    done = rfav(measured, "show", "--format", "json")
    assert (done.code, done.err) == (0, "")
    shown = done.json()
    assert shown["schema"] == 1
    assert shown["skipped"] == [{"name": "fc2", "reason": "classifier"}]
    losses = [epoch["loss"] for epoch in shown["epochs"]]
    assert losses == sorted(losses, reverse=True)
    assert shown["epochs"][-1]["accuracy"] > 0.8
    assert all(0 < layer["entropy"]["last"] < layer["entropy"]["first"] for layer in shown["layers"])


def test_csv_has_a_row_a_layer_or_a_row_an_epoch(rfav: Rfav, measured: Path) -> None:
    layers = list(csv.DictReader(io.StringIO(rfav(measured, "show", "-f", "csv").out)))
    assert [row["name"] for row in layers] == LAYERS
    epochs = list(csv.DictReader(io.StringIO(rfav(measured, "show", "-f", "csv", "--epochs").out)))
    assert [int(row["epoch"]) for row in epochs] == list(EPOCHS)
    shown = rfav(measured, "show", "-f", "json").json()
    assert [float(row["loss"]) for row in epochs] == [epoch["loss"] for epoch in shown["epochs"]]


def test_epochs_are_shown_a_row_each(rfav: Rfav, measured: Path) -> None:
    lines = rfav(measured, "show", "--epochs").out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split()[:2] == ["epoch", "loss"])
    assert [int(line.split()[0]) for line in lines[head + 1 : head + 6]] == list(EPOCHS)


def test_quiet_says_nothing(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, *ANALYZE, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (folder / "rfav.h5").is_file()


def test_the_store_goes_where_it_is_said(rfav: Rfav, folder: Path) -> None:
    (folder / "results").mkdir()
    done = rfav(folder, *ANALYZE, "--out", "results/first.h5", "--layers", "conv*", "--maps", "0")
    assert done.out == "results/first.h5: 5 epochs, 2 layers, 120 samples\n"
    assert [path.name for path in (folder / "results").iterdir()] == ["first.h5"]
    assert rfav(folder, "show", "results/first.h5").code == 0


def test_without_labels_there_is_no_loss(rfav: Rfav, folder: Path) -> None:
    import numpy as np

    np.savez(folder / "probe.npz", images=np.load(folder / "probe.npz")["images"])
    assert rfav(folder, *ANALYZE).code == 0
    assert "not measured, the probe has no labels" in rfav(folder, "show").out
    shown = rfav(folder, "show", "-f", "json").json()
    assert {epoch["loss"] for epoch in shown["epochs"]} == {None}
    assert all(layer["entropy"]["last"] > 0 for layer in shown["layers"])


def test_what_the_net_says_is_kept_without_labels_unless_it_is_not_wanted(
    rfav: Rfav, folder: Path, measured: Path
) -> None:
    import numpy as np

    from rfav_cli import open_store

    np.savez(folder / "probe.npz", images=np.load(folder / "probe.npz")["images"])
    assert rfav(folder, *ANALYZE, "--probe-size", "120").code == 0
    ours, theirs = open_store(folder / "rfav.h5"), open_store(measured / "rfav.h5")
    for name in ("probe/sample_prediction", "probe/sample_confidence"):
        np.testing.assert_allclose(np.sort(ours.columns[name][:]), np.sort(theirs.columns[name][:]), 1e-5)
    done = rfav(folder, *ANALYZE, "--no-outputs")
    assert (done.code, "outputs: True / False" in done.err) == (2, True)
    assert rfav(folder, *ANALYZE, "--no-outputs", "--fresh").code == 0
    without = open_store(folder / "rfav.h5")
    names = {"probe/sample_prediction", "probe/sample_confidence", "probe/confidence"}
    assert set(ours.columns) - set(without.columns) == names
    np.testing.assert_array_equal(without.entropy, ours.entropy)
    assert rfav(folder, "show", "-f", "json").json()["settings"]["outputs"] is False


def test_an_image_folder_gives_the_figures_of_the_same_array(rfav: Rfav, folder: Path, measured: Path) -> None:
    import numpy as np
    from PIL import Image

    from rfav_cli import open_store

    probe = np.load(folder / "probe.npz")
    for number, (image, label) in enumerate(zip(probe["images"], probe["labels"], strict=True)):
        path = folder / "held_out" / f"class_{label}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    assert rfav(folder, *ANALYZE, "--probe", "held_out").code == 0
    ours, theirs = open_store(folder / "rfav.h5"), open_store(measured / "rfav.h5")
    np.testing.assert_allclose(ours.entropy, theirs.entropy, rtol=1e-6)
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-6)
