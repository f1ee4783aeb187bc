"""`rfav compare` on stores of real trainings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli import compare, open_store
from tests.acceptance.runs import ANALYZE, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

FIGURES = {"best_loss", "best_accuracy", "last_loss", "last_accuracy"}


@pytest.fixture(scope="module")
def stores(rfav: Rfav, measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `short.h5`, of a training broken off after its first epoch, and `whole.h5`, of all of it."""
    folder = shutil.copytree(measured, tmp_path_factory.mktemp("compared") / "project")
    (folder / "rfav.h5").rename(folder / "whole.h5")
    first = [f"run/{name_of(epoch)}" for epoch in (-1, 0)]
    done = rfav(folder, "analyze", *first, *ANALYZE[2:], "--out", "short.h5")
    assert done.code == 0, done.err
    return folder


def test_the_longer_training_is_better(rfav: Rfav, stores: Path) -> None:
    done = rfav(stores, "compare", "short.h5", "whole.h5")
    assert (done.code, done.err) == (0, "")
    assert "B's best held-out loss is" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    document = rfav(stores, "compare", "short.h5", "whole.h5", "--format", "json").json()
    assert (document["schema"], document["same_probe"]) == (1, True)
    assert (document["a"]["store"], document["b"]["store"]) == ("short.h5", "whole.h5")
    assert set(document["differences"]) == FIGURES
    assert document["differences"]["last_accuracy"]["better"] == "B"
    short, whole = (open_store(stores / name) for name in ("short.h5", "whole.h5"))
    last = document["differences"]["last_accuracy"]["value"]
    assert last == pytest.approx(whole.accuracy[-1] - short.accuracy[-1])
    for layer, one, other in zip(document["layers"], short.entropy[-1], whole.entropy[-1], strict=True):
        assert (layer["a"]["entropy"], layer["b"]["entropy"]) == (one, other)


def test_a_store_is_no_better_than_itself(rfav: Rfav, stores: Path) -> None:
    document = rfav(stores, "compare", "whole.h5", "whole.h5", "-f", "json").json()
    assert {(each["value"], each["better"]) for each in document["differences"].values()} == {(0.0, None)}
    assert "A and B hold the same measurements" in document["notes"]


def test_the_other_way_round(rfav: Rfav, stores: Path) -> None:
    one = rfav(stores, "compare", "short.h5", "whole.h5", "-f", "json").json()
    other = rfav(stores, "compare", "whole.h5", "short.h5", "-f", "json").json()
    assert (one["a"], one["b"]) == (other["b"], other["a"])
    for name in FIGURES:
        assert one["differences"][name]["value"] == -other["differences"][name]["value"]
        assert {one["differences"][name]["better"], other["differences"][name]["better"]} in ({"A", "B"}, {None})


def test_it_fits_a_narrow_terminal(rfav: Rfav, stores: Path) -> None:
    done = rfav(stores, "compare", "short.h5", "whole.h5", environment={"COLUMNS": "60"})
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 60


def test_another_probe_and_other_settings_are_said(rfav: Rfav, stores: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(stores, tmp_path / "project")
    probe = np.load(folder / "probe.npz")
    np.savez(folder / "half.npz", images=probe["images"][:60], labels=probe["labels"][:60])
    done = rfav(folder, *ANALYZE[:-1], "half.npz", "--with-bias", "--skip", "conv2", "--out", "other.h5")
    assert done.code == 0, done.err
    document = rfav(folder, "compare", "whole.h5", "other.h5", "-f", "json").json()
    assert document["same_probe"] is False
    assert document["differences"]["best_loss"]["p"] is not None
    notes = " ".join(document["notes"])
    assert "the probes are not the same: 120 samples in A, 60 in B" in notes
    assert "--with-bias: off in A, on in B" in notes
    assert "layers only in A: conv2" in notes
    assert {layer["name"]: layer["b"] is None for layer in document["layers"]} == {
        "conv1": False,
        "conv2": True,
        "fc1": False,
    }


def test_without_labels_it_is_about_the_layers(rfav: Rfav, stores: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(stores, tmp_path / "project")
    np.savez(folder / "probe.npz", images=np.load(folder / "probe.npz")["images"])
    assert rfav(folder, *ANALYZE, "--out", "unlabelled.h5").code == 0
    document = rfav(folder, "compare", "unlabelled.h5", "whole.h5", "-f", "json").json()
    assert set(document["differences"].values()) == {None}
    assert document["a"]["best"] is None
    assert "A has a probe without labels" in document["notes"]
    assert all(layer["a"]["entropy"] > 0 for layer in document["layers"])


def test_thresholds_are_options(rfav: Rfav, stores: Path) -> None:
    document = rfav(stores, "compare", "short.h5", "whole.h5", "-f", "json", "--smoothing", "0").json()
    losses = open_store(stores / "whole.h5").loss
    assert document["b"]["best"]["loss"] == pytest.approx(losses.min())
    done = rfav(stores, "compare", "short.h5", "whole.h5", "--smoothing", "nan")
    assert (done.code, done.out) == (2, "")
    assert "--smoothing" in done.err


def test_from_python(stores: Path) -> None:
    comparison = compare(stores / "short.h5", stores / "whole.h5")
    assert comparison == compare(open_store(stores / "short.h5"), open_store(stores / "whole.h5"))
    assert comparison.last_accuracy.better == "B"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["short.h5", "nothing.h5"], "nothing.h5"),
        (["nothing.h5", "short.h5"], "nothing.h5"),
        (["short.h5", "probe.npz"], "probe.npz"),
        (["short.h5"], "'B'"),
        (["short.h5", "whole.h5", "short.h5"], "short.h5"),
        (["short.h5", "whole.h5", "--format", "csv"], "--format"),
    ],
)
def test_what_cannot_be_done(rfav: Rfav, stores: Path, arguments: list[str], said: str) -> None:
    done = rfav(stores, "compare", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 2
