"""The epoch or step of each checkpoint: names, what is stored, copies, and what has no number."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.errors import RunError
from tests.checkpoints.runs import found, numbers, save, weights

if TYPE_CHECKING:
    from pathlib import Path


def lay(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    """Write checkpoints: name -> `value` of the weights and what is stored beside them."""
    for name, beside in files.items():
        rest = dict(beside)
        save(folder / name, {"model": weights(rest.pop("value")), **rest})


def epochs(count: int = 3, form: str = "epoch_{}.pt", **beside: Any) -> dict[str, dict[str, Any]]:
    """A run of epochs 1, 2, ...; `stored` is added to the epoch that is stored."""
    stored = beside.pop("stored", None)
    return {
        form.format(epoch): {"value": epoch, **beside} | ({} if stored is None else {"epoch": epoch + stored})
        for epoch in range(1, count + 1)
    }


PLAIN = {f"epoch_{epoch}.pt": epoch for epoch in (1, 2, 3)}


@pytest.mark.parametrize(
    ("extra", "more", "note"),
    [
        ({"last.pt": {"value": 3}}, {}, "last.pt (epoch 3)"),
        ({"best_model.pth": {"value": 2}, "final.pth": {"value": 3}}, {}, "best_model.pth (epoch 2)"),
        ({"model_best.pth.tar": {"value": 1, "metric": 0.5}}, {}, "model_best.pth.tar (epoch 1)"),
        ({"checkpoint.pth": {"value": 3, "epoch": 3}}, {}, "checkpoint.pth (epoch 3)"),
        ({"best_acc_91.pt": {"value": 2}}, {}, "best_acc_91.pt (epoch 2)"),
        ({"last.pt": {"value": 9, "epoch": 4}}, {"last.pt": 4}, ""),
        (
            {"last.pt": {"value": 9, "epoch": 4}, "best.pt": {"value": 9, "epoch": 4}},
            {"best.pt": 4},
            "last.pt (epoch 4)",
        ),
        ({"last.pt": {"value": 9, "epoch": 2}}, {}, "left out, since their epoch is not known"),
        ({"final.pt": {"value": 9}}, {}, "left out, since their epoch is not known"),
        ({"best.pt": {"value": 9, "epoch": -1}}, {}, "left out, since their epoch is not known"),  # ultralytics
        ({"best_epoch_2.pt": {"value": 2}}, {}, "best_epoch_2.pt (epoch 2)"),
        ({"initial.pt": {"value": 0}}, {"initial.pt": -1}, ""),
    ],
)
def test_files_that_are_named_after_their_purpose(
    tmp_path: Path, extra: dict[str, dict[str, Any]], more: dict[str, int], note: str
) -> None:
    lay(tmp_path, epochs() | extra)
    files = found(tmp_path)
    assert numbers(files) == PLAIN | more
    assert any(note in said for said in files.notes) if note else not files.notes


def test_what_is_stored_does_not_place_a_file_where_names_count_otherwise(tmp_path: Path) -> None:
    lay(tmp_path, epochs(form="model_{}.pt", epoch=7) | {"last.pt": {"value": 9, "epoch": 8}})
    files = found(tmp_path)
    assert numbers(files) == {"model_1.pt": 1, "model_2.pt": 2, "model_3.pt": 3}
    assert any("left out" in note and "last.pt" in note for note in files.notes)


def test_best_and_last_alone(tmp_path: Path) -> None:
    lay(tmp_path, {"best.pt": {"value": 1, "epoch": 3}, "last.pt": {"value": 2, "epoch": 9}})
    assert numbers(found(tmp_path)) == {"best.pt": 3, "last.pt": 9}
    lay(tmp_path, {"best.pt": {"value": 1, "epoch": -1}, "last.pt": {"value": 2, "epoch": -1}})
    with pytest.raises(RunError, match="the epoch of 2 files cannot be told"):
        found(tmp_path)
    lay(tmp_path, {"last.pt": {"value": 1, "epoch": -1}})
    assert numbers(found(tmp_path)) == {"best.pt": 0}


@pytest.mark.parametrize("stored", [0, 1, 7, 100])
def test_an_epoch_that_all_store_alike_gives_way_to_the_names(tmp_path: Path, stored: int) -> None:
    lay(tmp_path, epochs(form="model_{}.pt", epoch=stored))
    files = found(tmp_path)
    assert numbers(files) == {"model_1.pt": 1, "model_2.pt": 2, "model_3.pt": 3}
    assert files.notes == (f"all files store epoch {stored}: the epochs in their names are taken",)


def test_the_last_epochs_of_several_folds_are_no_run(tmp_path: Path) -> None:
    lay(tmp_path, epochs(form="fold_{}.pt", epoch=100))
    with pytest.raises(RunError, match="epoch 100 is there twice"):
        found(tmp_path)


def test_where_some_store_an_epoch_and_some_do_not_the_names_count(tmp_path: Path) -> None:
    lay(tmp_path, {"net_10.pt": {"value": 1}, "net_20.pt": {"value": 2, "epoch": 1}, "net_30.pt": {"value": 3}})
    files = found(tmp_path)
    assert numbers(files) == {"net_10.pt": 10, "net_20.pt": 20, "net_30.pt": 30}
    assert "2 of 3 files store no epoch: the epochs in the names are taken" in files.notes


@pytest.mark.parametrize(
    ("form", "beside", "unit", "told"),
    [
        ("step_{}00.pt", {}, "step", [100, 200, 300]),
        ("iter_{}000.pth", {}, "step", [1000, 2000, 3000]),
        ("model_step={}-loss=0.{}.ckpt", {}, "step", [1, 2, 3]),
        ("global_step{}/model.pt", {}, "step", [1, 2, 3]),
        ("epoch_{}.pt", {"step": 7}, "epoch", [1, 2, 3]),
        ("epoch={}-step={}00.ckpt", {}, "epoch", [1, 2, 3]),
        ("net_{}.pt", {}, "epoch", [1, 2, 3]),
        ("checkpoint-{}.pth.tar", {}, "epoch", [1, 2, 3]),  # timm's
    ],
)
def test_steps_are_told_from_names(
    tmp_path: Path, form: str, beside: dict[str, Any], unit: str, told: list[int]
) -> None:
    lay(tmp_path, {form.format(n, n): {"value": n, **beside} for n in (1, 2, 3)})
    files = found(tmp_path)
    assert (files.unit, [entry.epoch for entry in files.entries]) == (unit, told)


def test_steps_are_told_from_what_is_stored(tmp_path: Path) -> None:
    lay(tmp_path, {f"model_{n}.pth": {"value": n, "iteration": n} for n in (999, 1999, 2999)})
    assert found(tmp_path).unit == "step"
    lay(tmp_path, {f"model_{n}.pth": {"value": n, "iteration": n, "epoch": n} for n in (999, 1999, 2999)})
    assert found(tmp_path).unit == "epoch"


def test_several_checkpoints_an_epoch_are_counted_by_their_steps(tmp_path: Path) -> None:
    lay(tmp_path, {f"epoch={n // 2}-step={n}00.ckpt": {"value": n, "epoch": n // 2} for n in range(1, 5)})
    files = found(tmp_path)
    assert (files.unit, [entry.epoch for entry in files.entries]) == ("step", [100, 200, 300, 400])
    assert any("several checkpoints are of one epoch" in note for note in files.notes)
    lay(tmp_path / "named", {f"step_{n}00.pt": {"value": n, "epoch": n // 2} for n in range(1, 5)})
    named = found(tmp_path / "named")
    assert (named.unit, [entry.epoch for entry in named.entries]) == ("step", [100, 200, 300, 400])
    assert not any("epochs stored in the checkpoints are taken" in note for note in named.notes)
    shutil.rmtree(tmp_path / "named")
    lay(tmp_path, {"other_epoch=1-step=250.ckpt": {"value": 9, "epoch": 1}})
    with pytest.raises(RunError, match="epoch 1 is there twice"):
        found(tmp_path)


def test_the_unit_can_be_named(tmp_path: Path) -> None:
    lay(tmp_path, {f"epoch={n}-step={n}00.ckpt": {"value": n} for n in (1, 2)})
    assert numbers(found(tmp_path, unit="step")) == {"epoch=1-step=100.ckpt": 100, "epoch=2-step=200.ckpt": 200}
    lay(tmp_path / "s", {f"epoch_{n}.pt": {"value": n, "epoch": n, "global_step": 10 * n} for n in (1, 2)})
    assert numbers(found(tmp_path / "s", unit="step")) == {"epoch_1.pt": 10, "epoch_2.pt": 20}
    lay(tmp_path / "t", epochs(2))
    with pytest.raises(RunError, match=r"--unit step: .*says no step"):
        found(tmp_path / "t", unit="step")
    lay(tmp_path / "u", epochs(2, form="step_{}.pt"))
    assert found(tmp_path / "u", unit="epoch").unit == "epoch"


def test_the_copy_that_is_named_like_the_others_is_kept(tmp_path: Path) -> None:
    lay(tmp_path, epochs(stored=0) | {"a_2.pt": {"value": 2, "epoch": 2}})
    files = found(tmp_path)
    assert numbers(files) == PLAIN
    assert "passed over a copy, by the same weights: a_2.pt (epoch 2)" in files.notes


def test_files_of_the_same_weights_and_other_epochs_are_no_copies(tmp_path: Path) -> None:
    lay(tmp_path, {name: {"value": 5} for name in PLAIN})
    assert numbers(found(tmp_path)) == PLAIN
