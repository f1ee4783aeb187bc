"""The kinds of network; a new one is one new file and one line here."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from rfav_cli.activations.network import Network
    from rfav_cli.records import Payload

KINDS = ("eager", "torchscript", "exported")
"""Stems of the files in this folder, which a `Payload` names. Each has `open_network(payload, options) -> Network`."""


@dataclass(frozen=True)
class OpenOptions:
    """How networks are opened.

    Attributes:
        device: where they run.
        make_model: makes an eager net with any weights, or None where no `--model` was given.
        model_name: the `--model` specification, for messages.
        with_bias: the bias is part of the activation: no `Activation.bias` is given.
        fold_norm: give `Activation.scale` for layers that a batch normalisation follows, and fold it into `filters`.
        notes: what the user should be told once is added here.
    """

    device: torch.device
    make_model: Callable[[], torch.nn.Module] | None = None
    model_name: str = ""
    with_bias: bool = False
    fold_norm: bool = False
    notes: list[str] = field(default_factory=list)


def open_network(payload: Payload, options: OpenOptions) -> Network:
    """Make the network that takes this checkpoint and those like it, with its weights loaded.

    Raises:
        ModelError: `--model` is missing or does not make a net.
        CheckpointError: the weights are not those of the net.
    """
    network: Network = import_module(f"{__name__}.{payload.kind}").open_network(payload, options)
    return network
