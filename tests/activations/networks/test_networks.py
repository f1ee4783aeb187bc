"""The kinds of network: each payload is opened by the kind that it names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from rfav_cli.activations import networks
from rfav_cli.activations.network import Network, OpenOptions
from rfav_cli.records import Candidate, Payload


@pytest.mark.parametrize("kind", networks.KINDS)
def test_each_kind_keeps_the_contract(kind: str) -> None:
    module = import_module(f"{networks.__name__}.{kind}")
    assert callable(module.open_network)
    made = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Network)]
    assert kind in {getattr(network, "kind", "") for network in made}


def test_a_state_dict_from_wherever_is_put_into_the_users_net() -> None:
    net = nn.Linear(3, 4)
    payload = Payload("eager", Path("weights.any"), [Candidate("", net.state_dict())])
    network = networks.open_network(payload, OpenOptions(torch.device("cpu"), lambda: nn.Linear(3, 4)))
    assert network.kind == "eager"
    torch.testing.assert_close(network.forward(torch.ones(2, 3), lambda _: False), net(torch.ones(2, 3)).detach())


def test_what_was_noted_of_a_checkpoint_is_handed_on_once() -> None:
    payload = Payload("eager", Path("weights.any"), [Candidate("", nn.Linear(3, 4).state_dict())], notes=("a note",))
    options = OpenOptions(torch.device("cpu"), lambda: nn.Linear(3, 4))
    for _ in range(2):
        networks.open_network(payload, options)
    assert options.notes == ["a note"]
