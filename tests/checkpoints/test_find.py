from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.checkpoints.find import Entry, Series, find_series, sha256_of, shard
from rfav_cli.checkpoints.order import describe_gaps, epochs_from_names
from rfav_cli.errors import CheckpointError, SeriesError

WEIGHTS = {"weight": torch.zeros(2, 3)}
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def save(path: Path, **beside: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": WEIGHTS, **beside}, path)
    return path


def epochs(series: Series) -> list[int]:
    return [entry.epoch for entry in series.entries]


def named(*names: str) -> list[int | None]:
    return epochs_from_names([Path("run") / name for name in names])


@pytest.mark.parametrize(
    ("name", "epoch"),
    [
        ("epoch_003.pt", 3),
        ("epoch_-1.pt", -1),
        ("epoch-3.pt", 3),
        ("epoch=12-step=400.ckpt", 12),
        ("epoch=03-val_loss=0.12.ckpt", 3),
        ("epoch=-1.ckpt", -1),
        ("model_epoch_10.pth", 10),
        ("netEpoch7.pt", 7),
        ("ep12_acc0.93.pt", 12),
        ("step10.pt", 10),
        ("net_init.pt", -1),
        ("untrained.pt", -1),
        ("model_v2_5.pt", 5),
        ("5_model_v2.pt", 5),
        ("net_7_0.913.pt", 7),
        ("12_lr1e-3.pt", 12),
        ("resnet18_5.pt", 5),
        ("model_-1.pt", -1),
        ("model-4.pt", 4),
        ("checkpoint.pt.tar", None),
        ("initialised.pt", None),
        ("model_20240131123000.pt", None),
    ],
)
def test_epoch_of_one_name(name: str, epoch: int | None) -> None:
    assert named(name) == [epoch]


def test_the_number_that_varies_is_the_epoch() -> None:
    assert named("1_size32.pt", "2_size32.pt", "10_size32.pt") == [1, 2, 10]
    assert named("net1_seed5.pt", "net2_seed5.pt") == [1, 2]
    assert named("1_acc90.pt", "2_acc91.pt", "3_acc91.pt") == [1, 2, 3]


def test_the_folder_tells_where_the_name_does_not() -> None:
    paths = [Path(f"checkpoint-{step}/model.safetensors") for step in (500, 1000)]
    assert epochs_from_names(paths) == [500, 1000]


@given(
    st.sets(st.integers(-1, 99999), min_size=2, max_size=20), st.sampled_from(["epoch_{}.pt", "net_{}_v2.pt", "{}.pt"])
)
def test_numbers_are_read_back_from_names(numbers: set[int], form: str) -> None:
    assert named(*(form.format(number) for number in numbers)) == list(numbers)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([0, 1, 2, 3], ""),
        ([-1, 0, 1], ""),
        ([-1, 1, 2], ""),
        ([7], ""),
        ([0, 1, 2, 6, 7], "epochs 3 to 5 are missing"),
        ([0, 1, 3, 4], "epoch 2 is missing"),
        ([0, 10, 20, 30], "every 10th epoch"),
        ([-1, 0, 10, 20, 60, 70], "epochs 30 to 50 are missing; every 10th epoch"),
        ([0, 9, 19, 29], "every 10th epoch"),
        ([0, 2, 4], "every 2nd epoch"),
        ([0, 1, 3, 4, 6, 7, 8], "epochs 2, 5 are missing"),
    ],
)
def test_gaps(numbers: list[int], text: str) -> None:
    assert describe_gaps(numbers) == text


def test_a_folder_is_ordered_by_number(folder: Path) -> None:
    for number in (10, 9, 2, -1):
        save(folder / f"epoch_{number}.pt")
    series = find_series([str(folder)])
    assert epochs(series) == [-1, 2, 9, 10]
    assert series.entries[0].path == folder / "epoch_-1.pt"


def test_files_folders_and_globs_mix_and_count_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/epoch_0.pt", "a/epoch_1.pt", "b/c/epoch_2.pt", "epoch_3.pt"):
        save(folder / name)
    assert epochs(find_series([str(folder / "a"), str(folder / "**/*.pt"), str(folder / "epoch_3.pt")])) == [0, 1, 2, 3]
    monkeypatch.chdir(folder)
    assert epochs(find_series(["a/epoch_?.pt"])) == [0, 1]
    assert epochs(find_series(["."])) == [3]


def test_a_folder_takes_checkpoints_by_ending_or_content(folder: Path) -> None:
    save(folder / "epoch_1")
    torch.save(WEIGHTS, folder / "epoch_2", _use_new_zipfile_serialization=False)
    save(folder / "epoch_3.pt")
    (folder / "log.txt").write_text("epoch 3")
    np.savez(folder / "probe.npz", images=np.zeros(3))
    for hidden in (".tmp-epoch_4.pt", ".epoch_5.pt"):
        save(folder / hidden)
    series = find_series([str(folder)])
    assert epochs(series) == [1, 2, 3]
    assert series.notes == ("left out 2 files that are no checkpoint",)


@pytest.mark.parametrize("value", [7, 7.0, torch.tensor(7), np.int64(7), np.float64(7)])
def test_a_stored_epoch_wins_over_the_name(folder: Path, value: object) -> None:
    save(folder / "epoch_1.pt", epoch=value)
    assert epochs(find_series([str(folder)])) == [7]


@pytest.mark.parametrize("value", [7.5, True, "7", torch.ones(2), float("nan"), 2**40])
def test_what_is_no_epoch_does_not_count(folder: Path, value: object) -> None:
    save(folder / "epoch_1.pt", epoch=value)
    assert epochs(find_series([str(folder)])) == [1]


def test_the_pattern_wins_and_selects(folder: Path) -> None:
    for number in (9, 10):
        save(folder / f"net_{number}_3.pt", epoch=100)
    save(folder / "ema_11_3.pt")
    series = find_series([str(folder)], "net_{epoch}_*.pt")
    assert epochs(series) == [9, 10]
    assert series.notes == ("left out 1 file that --epochs does not match",)
    assert epochs(find_series([str(folder)], "*_{epoch}_3.pt")) == [9, 10, 11]


@pytest.mark.parametrize("pattern", ["net_*.pt", "{epoch}_{epoch}.pt", "other_{epoch}.pt"])
def test_patterns_that_say_nothing(folder: Path, pattern: str) -> None:
    save(folder / "net_1.pt")
    with pytest.raises(SeriesError, match="--epochs"):
        find_series([str(folder)], pattern)


def test_a_single_file_without_a_number_is_epoch_0(tmp_path: Path) -> None:
    series = find_series([str(save(tmp_path / "weights" / "best.pt"))])
    assert epochs(series) == [0]
    assert "epoch 0" in series.notes[0]


def test_files_whose_epoch_is_not_known_are_listed(tmp_path: Path) -> None:
    for name in ("best", "last"):
        save(tmp_path / "weights" / f"{name}.pt")
    with pytest.raises(SeriesError, match=r"2 files cannot be told.*best\.pt.*last\.pt") as caught:
        find_series([str(tmp_path / "weights")])
    assert "--epochs" in caught.value.remedy


def test_one_epoch_twice_names_both(folder: Path) -> None:
    save(folder / "epoch_1.pt")
    save(folder / "last.pt", epoch=1)
    with pytest.raises(SeriesError, match=r"epoch_1\.pt.*last\.pt"):
        find_series([str(folder)])


@pytest.mark.parametrize("name", ["missing.pt", "empty", "*.pt", "text", "a**/x.pt"])
def test_nothing_to_find(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "log.txt").write_text("nothing")
    with pytest.raises(SeriesError) as caught:
        find_series([str(tmp_path / name)])
    assert name in caught.value.what
    assert caught.value.remedy


def test_no_paths() -> None:
    with pytest.raises(SeriesError, match="no checkpoints"):
        find_series([])


def test_a_bad_file_stops_or_is_kept_as_bad(folder: Path) -> None:
    save(folder / "epoch_1.pt")
    (folder / "epoch_2.pt").write_text("no checkpoint")
    (folder / "epoch_3.pt").touch()
    with pytest.raises(CheckpointError, match=r"epoch_2\.pt: not a checkpoint \(1 more") as caught:
        find_series([str(folder)])
    assert "--skip-bad" in caught.value.remedy
    series = find_series([str(folder)], skip_bad=True)
    assert epochs(series) == [1]
    assert [Path(bad.path).name for bad in series.bad] == ["epoch_2.pt", "epoch_3.pt"]
    assert "empty" in series.bad[1].reason


def test_all_bad_is_an_error_whatever_is_skipped(folder: Path) -> None:
    folder.mkdir()
    (folder / "epoch_2.pt").write_text("no checkpoint")
    with pytest.raises(CheckpointError):
        find_series([str(folder)], skip_bad=True)


@given(st.integers(1, 6), st.integers(0, 12))
def test_shards_share_out_a_series(parts: int, size: int) -> None:
    whole = Series(tuple(Entry(epoch, Path(f"{epoch}.pt")) for epoch in range(size)))
    shares = [shard(whole, f"{k}/{parts}").entries for k in range(1, parts + 1)]
    assert sorted((entry for share in shares for entry in share), key=lambda entry: entry.epoch) == list(whole.entries)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "", "²/2", "1/2\n"])
def test_no_shard(part: str) -> None:
    with pytest.raises(SeriesError, match="--shard"):
        shard(Series(()), part)


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@needs_data
@pytest.mark.data
def test_ten_foreign_files_in_numeric_order() -> None:
    series = find_series([str(Path(os.environ["RFAV_DATA"]) / "foreign" / "tinyvgg-mnist")])
    assert epochs(series) == list(range(1, 11))
    assert not series.notes


@needs_data
@pytest.mark.data
def test_251_foreign_files_are_found_fast() -> None:
    start = time.perf_counter()
    series = find_series([str(Path(os.environ["RFAV_DATA"]) / "foreign" / "mlp-251-epochs")])
    assert time.perf_counter() - start < 2
    assert len(series.entries) == 251
    assert sorted(set(epochs(series))) == epochs(series)


def test_a_folder_that_cannot_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    save(folder / "epoch_1.pt")
    monkeypatch.setattr(type(folder), "iterdir", refuse)
    with pytest.raises(SeriesError, match="cannot be listed \\(Permission denied\\)"):
        find_series([str(folder)])
