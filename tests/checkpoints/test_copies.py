"""Which checkpoints hold the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.checkpoints.copies import Copies
from rfav_cli.checkpoints.formats.base import ReadOptions
from tests.checkpoints.runs import save, weights

if TYPE_CHECKING:
    from pathlib import Path


def prefixed(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: value for name, value in state.items()}


NAN = weights() | {"fc0.weight": torch.full((4, 4), float("nan"))}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (weights(1), weights(1), True),
        (weights(1), weights(2), False),
        ({"epoch": 3, "model": weights(1), "time": 1.5}, {"epoch": 3, "model": weights(1), "time": 2.5}, True),
        (weights(1), {"state_dict": prefixed("net.", weights(1))}, True),
        ({"state_dict": prefixed("net.", weights(1))}, weights(1), True),
        (weights(1), {"model": weights(2), "ema": weights(1)}, True),
        (weights(1), weights(1, layers=3), True),  # a part of it
        (weights(1, layers=3), weights(1), False),
        (weights(1), {name: value.half() for name, value in weights(1).items()}, False),
        (weights(1), {name: value.flatten() for name, value in weights(1).items()}, False),
        (NAN, NAN, True),
        (weights(1), {"history": []}, False),
    ],
)
def test_the_weights_decide_and_nothing_beside_them(tmp_path: Path, one: Any, other: Any, same: bool) -> None:
    paths = save(tmp_path / "one.pt", one), save(tmp_path / "other.pt", other)
    assert Copies(ReadOptions()).same_weights(*paths) == same


def test_the_first_that_holds_them_is_named(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{value}.pt", weights(value)) for value in (0, 1, 2, 1)]
    copy = save(tmp_path / "best.pt", weights(1))
    assert Copies(ReadOptions()).original_of(copy, paths) == paths[1]
    assert Copies(ReadOptions()).original_of(copy, paths[:1]) is None


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_programs_are_compared_by_their_bytes(tmp_path: Path) -> None:
    program = torch.jit.script(torch.nn.Linear(2, 2))
    for name in ("one", "other"):
        torch.jit.save(program, tmp_path / f"{name}.pt")
    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    other.write_bytes(one.read_bytes())
    assert Copies(ReadOptions()).same_weights(one, other)
    assert not Copies(ReadOptions()).same_weights(one, save(tmp_path / "third.pt", weights()))


def test_what_cannot_be_read_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "damaged.pt").write_bytes(b"PK\x03\x04")
    assert not Copies(ReadOptions()).same_weights(tmp_path / "damaged.pt", save(tmp_path / "one.pt", weights()))
