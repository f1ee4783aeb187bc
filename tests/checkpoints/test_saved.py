"""Of what a file holds, only what is asked for is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from rfav_cli.checkpoints import formats, pickles
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.checkpoints.formats import safetensors
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.opened import Opened
from rfav_cli.checkpoints.saved import instances_in
from rfav_cli.checkpoints.stand_ins import StandIn
from tests.checkpoints.formats.files import write_legacy, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.checkpoints.saved import Saved

WEIGHTS = {"weight": torch.arange(3000.0).view(30, 100), "bias": torch.arange(500.0)}
MOMENTS = {0: {"step": torch.tensor(7.0), "exp_avg": torch.ones(30, 100)}}


@pytest.fixture
def bytes_filled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes were put into storages, each time."""
    filled: list[int] = []
    fill = Opened.fill

    def noted(self: Opened, start: int, room: memoryview) -> None:
        if not isinstance(room.obj, bytearray):  # in which the pieces are that are summed
            filled.append(len(room))
        fill(self, start, room)

    monkeypatch.setattr(Opened, "fill", noted)
    return filled


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_the_numbers_of_an_optimizer_are_never_read(
    write: Callable[[Path, Any], None], tmp_path: Path, bytes_filled: list[int]
) -> None:
    path = tmp_path / "net.pt"
    write(path, {"model": WEIGHTS, "optimizer": {"state": MOMENTS}, "epoch": torch.tensor(3)})
    payload = formats.read(path, ReadOptions())
    (found,) = (each.weights for each in payload.content if each.name == "model")
    assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())
    assert payload.epoch == 3
    assert sum(bytes_filled) == 3000 * 4 + 500 * 4 + 4 + 8  # the weights, the step and the epoch
    assert payload.sha256 == digest_of(path)


def test_what_a_net_keeps_beside_its_tensors_is_read(tmp_path: Path) -> None:
    extra = {"scale": torch.ones(100), "inner": [torch.full((50,), 2.0)]}
    write_zip(tmp_path / "net.pt", WEIGHTS | {"_extra_state": extra})
    weights = formats.read(tmp_path / "net.pt", ReadOptions()).content[0].weights
    assert torch.equal(weights["_extra_state"]["scale"], extra["scale"])  # type: ignore[arg-type]
    assert weights["_extra_state"]["inner"][0].eq(2).all()


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_the_steps_of_quantized_tensors_are_read_with_them(write: Callable[[Path, Any], None], tmp_path: Path) -> None:
    values = torch.randn(40, 3)
    by_channel = torch.quantize_per_channel(
        values, torch.rand(40, dtype=torch.float64) + 0.1, torch.arange(40), 0, torch.qint8
    )
    whole = torch.quantize_per_tensor(values, 0.5, 3, torch.quint8)
    write(tmp_path / "net.pt", {"a": by_channel, "b": whole})
    weights = formats.read(tmp_path / "net.pt", ReadOptions()).content[0].weights
    assert torch.equal(weights["a"].dequantize(), by_channel.dequantize())
    assert torch.equal(weights["b"].dequantize(), whole.dequantize())


def test_looking_reads_no_weights(tmp_path: Path, bytes_filled: list[int]) -> None:
    def look(found: Saved) -> None:
        assert {name: value.shape for name, value in found.content.items()} == {
            name: value.shape for name, value in WEIGHTS.items()
        }
        assert bytes_filled == []
        found.fill(found.content["bias"])
        found.fill(found.content["bias"])
        assert bytes_filled == [2000]
        assert torch.equal(found.content["bias"], WEIGHTS["bias"])
        bytes_filled.clear()

    write_zip(tmp_path / "net.pt", WEIGHTS)
    with pickles.saved(tmp_path / "net.pt", trust=False) as found:
        look(found)
    from safetensors.torch import save_file

    save_file(WEIGHTS, tmp_path / "net.safetensors")
    with safetensors.saved(tmp_path / "net.safetensors") as found:
        look(found)


def test_what_is_shared_is_found_once() -> None:
    shared: list[Any] = [torch.ones(1)]
    for _ in range(60):
        shared = [shared, shared]
    made = StandIn("a.b", ({"k": shared},))
    made.state = made
    assert len(list(instances_in({"a": made, "b": (torch.ones(2),)}, Tensor))) == 2
    assert list(instances_in([made, shared], StandIn)) == [made]
