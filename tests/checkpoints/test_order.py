from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.checkpoints.order import describe_gaps, epoch_pattern, epochs_from_names
from rfav_cli.errors import RunError


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
        ([1, 10, 20], "every 10th epoch"),
        ([-1, 0, 4, 9], "every 5th epoch"),
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


@pytest.mark.parametrize(
    ("pattern", "path", "epoch"),
    [
        ("net_{epoch}_*.pt", "run/net_12_0.9.pt", "12"),
        ("net_{epoch}_*.pt", "run/net_-1_x.pt", "-1"),
        ("net_{epoch}_*.pt", "net_3_.pt", "3"),
        ("{epoch}/model.pt", "run/7/model.pt", "7"),
        ("net?{epoch}.pt", "net.5.pt", "5"),
        ("net_{epoch}_*.pt", "run/net_1/x_2_.pt", None),
        ("net{epoch}.pt", "net1234567890.pt", None),
        ("*{epoch}.pt", "net12.pt", "12"),
    ],
)
def test_a_pattern_says_where_the_epoch_stands(pattern: str, path: str, epoch: str | None) -> None:
    match = epoch_pattern(pattern).fullmatch(path)
    assert (match["epoch"] if match else None) == epoch


@pytest.mark.parametrize("pattern", ["net_*.pt", "{epoch}_{epoch}.pt", ""])
def test_a_pattern_has_one_place_for_the_epoch(pattern: str) -> None:
    with pytest.raises(RunError, match="has to stand in it once"):
        epoch_pattern(pattern)
