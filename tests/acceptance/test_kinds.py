"""The same weights in every kind of file, and what nets can return."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli import open_store
from tests.acceptance.runs import ANALYZE, EPOCHS, SIDE, name_of, net_of
from tests.acceptance.stores import assert_same_figures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.commands import Rfav

IMAGES = torch.zeros(3, 3, SIDE, SIDE)


def load(folder: Path, epoch: int) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / "run" / name_of(epoch))
    return state


def rewrite(folder: Path, convert: Callable[[int, dict[str, torch.Tensor]], Any]) -> None:
    """Save each checkpoint of the run anew, as what is made of its state_dict."""
    for epoch in EPOCHS:
        torch.save(convert(epoch, load(folder, epoch)), folder / "run" / name_of(epoch))


def scripted(net: torch.nn.Module, path: Path) -> None:
    torch.jit.script(net).save(path)


def traced(net: torch.nn.Module, path: Path) -> None:
    torch.jit.trace(net, IMAGES).save(path)


def exported(net: torch.nn.Module, path: Path) -> None:
    program = torch.export.export(net, (IMAGES,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path.with_suffix(".pt2"))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("write", [scripted, traced, exported])
def test_programs_need_no_model_and_give_the_figures_of_the_state_dicts(
    rfav: Rfav, folder: Path, write: Callable[[torch.nn.Module, Path], None]
) -> None:
    epochs = (-1, 3)
    (folder / "programs").mkdir()
    for epoch in epochs:
        write(net_of(load(folder, epoch)), folder / "programs" / name_of(epoch))
        (folder / "run" / name_of(epoch)).rename(folder / name_of(epoch))
    assert rfav(folder, *ANALYZE[:1], *map(name_of, epochs), *ANALYZE[2:], "--out", "eager.h5").code == 0
    done = rfav(folder, "analyze", "programs", "--probe", "probe.npz", "--out", "programs.h5")
    assert done.code == 0, done.err
    assert_same_figures(folder / "eager.h5", folder / "programs.h5", rtol=1e-5, atol=1e-6)


def half(epoch: int, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.half() for name, value in state.items()}


def half_and_back(epoch: int, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.half().float() for name, value in state.items()}


def test_half_precision_runs_in_single_precision(rfav: Rfav, folder: Path) -> None:
    rewrite(folder, half_and_back)
    assert rfav(folder, *ANALYZE, "--out", "single.h5").code == 0
    rewrite(folder, half)
    assert rfav(folder, *ANALYZE, "--out", "half.h5").code == 0
    assert_same_figures(folder / "single.h5", folder / "half.h5")


def lightning(epoch: int, state: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "global_step": 12 * (epoch + 1),
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": value for name, value in state.items()},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}],
        "hyper_parameters": {"width": 8, "name": "tiny"},
    }


def compiled_and_parallel(epoch: int, state: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {"model": {f"module._orig_mod.{name}": value for name, value in state.items()}}


@pytest.mark.parametrize("wrap", [lightning, compiled_and_parallel])
def test_wrapped_checkpoints_give_the_figures_of_bare_ones(
    rfav: Rfav, folder: Path, measured: Path, wrap: Callable[[int, dict[str, torch.Tensor]], Any]
) -> None:
    rewrite(folder, wrap)
    done = rfav(folder, *ANALYZE)
    assert done.code == 0, done.err
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_the_epoch_in_a_file_wins_over_its_name(rfav: Rfav, folder: Path) -> None:
    rewrite(folder, lambda epoch, state: {"epoch": epoch + 10, "state_dict": state})
    assert rfav(folder, *ANALYZE).code == 0
    assert open_store(folder / "rfav.h5").epochs.tolist() == [epoch + 10 for epoch in EPOCHS]


def test_which_of_several_outputs_is_taken_is_said(rfav: Rfav, folder: Path, measured: Path) -> None:
    done = rfav(folder, *ANALYZE, "--model", "tiny_net:make_two_heads")
    assert done.code == 0
    assert "the class scores are taken of scores, by its name (--output chooses another)" in done.err
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_another_output_can_be_chosen(rfav: Rfav, folder: Path, measured: Path) -> None:
    done = rfav(folder, *ANALYZE, "--model", "tiny_net:make_two_heads", "--output", "scores")
    assert done.code == 0
    assert "scores are taken of" not in done.err
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")
    assert rfav(folder, *ANALYZE, "--model", "tiny_net:make_two_heads", "--output", "nothing", "--fresh").code == 0
    assert open_store(folder / "rfav.h5").loss == pytest.approx(math.log(4))


def test_arguments_reach_the_factory(rfav: Rfav, folder: Path, measured: Path) -> None:
    assert rfav(folder, *ANALYZE, "--model-arg", "classes=4").code == 0
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")
    refused = rfav(folder, *ANALYZE, "--model-arg", "classes=5", "--out", "five.h5")
    assert refused.code == 2
    assert "fc2.weight 4x10, the net has 5x10" in refused.err
