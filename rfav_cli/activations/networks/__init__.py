"""The kinds of network; a new one is one new file and one line here."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from rfav_cli.errors import CheckpointError
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from rfav_cli.activations.network import Network, Payload

KINDS = ("eager", "torchscript", "exported")
"""Stems of the files in this folder. Each has `recognises(path) -> bool`, `read(path, options) -> Payload` and
`open_network(payload, options) -> Network`. The first that recognises a file's content reads it."""


@dataclass(frozen=True)
class OpenOptions:
    """How networks are opened.

    Attributes:
        device: where they run.
        make_model: makes an eager net with any weights, or None where no `--model` was given.
        model_name: the `--model` specification, for messages.
        with_bias: the bias is part of the activation: no `Activation.bias` is given.
        fold_norm: give `Activation.scale` for layers that a batch normalisation follows, and fold it into `filters`.
        trust_pickle: load pickles that run code.
    """

    device: torch.device
    make_model: Callable[[], torch.nn.Module] | None = None
    model_name: str = ""
    with_bias: bool = False
    fold_norm: bool = False
    trust_pickle: bool = False
    notes: list[str] = field(default_factory=list)


def kind_of(path: Path) -> str:
    """The kind of a checkpoint file, told by its content.

    Raises:
        CheckpointError: the file is missing, empty, cannot be read, or is of no kind that is known.
    """
    try:
        if path.stat().st_size == 0:
            raise CheckpointError(f"{path}: the file is empty", "Leave it out, or save it again.")
        for kind in KINDS:
            if import_module(f"{__name__}.{kind}").recognises(path):
                return kind
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", "Give a file that exists.") from error
    raise CheckpointError(
        f"{path}: not a checkpoint", "Give state_dicts, TorchScript, exported programs or safetensors."
    )


def read(path: Path, options: OpenOptions) -> Payload:
    """Read a checkpoint file of any kind, told by its content.

    Raises:
        CheckpointError: the file is missing, empty, cut off, or of no kind that is known.
    """
    payload: Payload = import_module(f"{__name__}.{kind_of(path)}").read(path, options)
    return payload


def open_network(payload: Payload, options: OpenOptions) -> Network:
    """Make the network that takes this checkpoint and those like it, with its weights loaded.

    Raises:
        ModelError: `--model` is missing or does not make a net.
        CheckpointError: the weights are not those of the net.
    """
    network: Network = import_module(f"{__name__}.{payload.kind}").open_network(payload, options)
    return network
