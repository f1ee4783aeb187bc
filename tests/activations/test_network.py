"""What every kind of network promises, and how nets are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.activations.network import Activation, Network, OpenOptions, Trace

if TYPE_CHECKING:
    from rfav_cli.records import HeldLayer


class Whole(Network):
    """The least that a network is."""

    kind = "whole"

    def load(self, payload: Any) -> None:
        """Nothing to put in."""

    def trace(self, images: torch.Tensor) -> Trace:
        return Trace((), {}, ())

    def forward(self, images: torch.Tensor, sink: Any) -> Any:
        return None if sink(Activation("fc", images, -1)) else images

    def filters(self, layer: str, *, folded: bool = True) -> torch.Tensor:
        return torch.zeros(1, 1, 1)

    def held(self) -> tuple[HeldLayer, ...]:
        return ()


@pytest.mark.parametrize("missing", ["load", "trace", "forward", "filters", "held"])
def test_a_kind_of_network_has_each_of_its_methods(missing: str) -> None:
    Whole()
    part = type("Part", (Network,), {name: value for name, value in vars(Whole).items() if name != missing})
    with pytest.raises(TypeError, match=missing):
        part()


def test_what_is_said_of_one_run_is_not_said_of_another() -> None:
    one, other = (OpenOptions(torch.device("cpu")) for _ in range(2))
    one.notes.append("took 'model' of 'model', 'ema'")
    assert other.notes == []
