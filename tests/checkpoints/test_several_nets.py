"""Checkpoints of several nets in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.errors import RunError
from tests.checkpoints.runs import found, numbers, save, weights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def gan(tmp_path: Path) -> Path:
    for epoch in (1, 2):
        save(tmp_path / f"netG_epoch_{epoch}.pth", weights(epoch))
        save(tmp_path / f"netD_epoch_{epoch}.pth", {"main.weight": torch.full((1, 7), float(epoch))})
    return tmp_path


def test_two_nets_are_refused_with_what_to_type(gan: Path) -> None:
    with pytest.raises(RunError, match=r"of 2 nets are there: netD_epoch_\*\.pth \(2 files\), netG") as caught:
        found(gan)
    assert f"'{gan}/netD_epoch_*.pth'" in caught.value.remedy
    assert "--exclude 'netG_epoch_*.pth'" in caught.value.remedy


def test_the_net_decides(gan: Path) -> None:
    files = found(gan, is_of_net=lambda path: "netG" in path.name)
    assert numbers(files) == {"netG_epoch_1.pth": 1, "netG_epoch_2.pth": 2}
    assert files.notes[0].startswith("passed over 2 checkpoints of another net: netD_epoch_*.pth")


def test_one_that_fits_neither_is_told_by_loading_and_one_that_fits_both_is_refused(gan: Path) -> None:
    assert set(numbers(found(gan, is_of_net=lambda _: False))) in (
        {"netG_epoch_1.pth", "netG_epoch_2.pth"},
        {"netD_epoch_1.pth", "netD_epoch_2.pth"},
    )
    with pytest.raises(RunError, match="2 nets"):
        found(gan, is_of_net=lambda _: True)


def test_two_nets_of_one_kind_are_refused_by_their_epochs(tmp_path: Path) -> None:
    for value, name in enumerate(("net_A", "net_B")):
        save(tmp_path / f"{name}_epoch_1.pth", weights(value))
    with pytest.raises(RunError, match="epoch 1 is there twice"):
        found(tmp_path, is_of_net=lambda _: True)


def test_one_leaves_the_other_out(gan: Path) -> None:
    assert set(numbers(found(gan, exclude=["netD_*"]))) == {"netG_epoch_1.pth", "netG_epoch_2.pth"}


def test_a_file_of_other_weights_with_a_name_of_the_run_is_left_to_loading(tmp_path: Path) -> None:
    save(tmp_path / "epoch_1.pt", weights())
    save(tmp_path / "epoch_2.pt", {"other": torch.ones(3)})
    assert len(found(tmp_path, is_of_net=lambda _: False).entries) == 2


def test_a_new_head_and_another_prefix_are_of_the_same_net(tmp_path: Path) -> None:
    save(tmp_path / "epoch_1.pt", weights(layers=4))
    save(tmp_path / "tuned_2.pt", {f"module.{name}": value for name, value in weights(layers=3).items()})
    assert len(found(tmp_path).entries) == 2


def test_a_net_that_others_begin_from_is_named_by_its_file(tmp_path: Path) -> None:
    for epoch in (1, 2):
        save(tmp_path / f"epoch_{epoch}.pt", weights(epoch))
    save(tmp_path / "resnet18-5c106cde.pth", {"layer.weight": torch.ones(7, 7)})
    with pytest.raises(RunError, match="2 nets") as caught:
        found(tmp_path)
    assert "--exclude 'resnet18-5c106cde.pth'" in caught.value.remedy
