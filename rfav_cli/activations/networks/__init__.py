"""The kinds of network; a new one is one new file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.activations.network import Network, OpenOptions
    from rfav_cli.records import Payload

KINDS = ("eager", "torchscript", "exported")
"""Stems of the files in this folder, which a `Payload` names. Each has `open_network(payload, options) -> Network`."""


def open_network(payload: Payload, options: OpenOptions) -> Network:
    """Make the network that takes this checkpoint and those like it, with its weights loaded.

    Raises:
        ModelError: `--model` is missing or does not make a net.
        CheckpointError: the weights are not those of the net.
    """
    options.notes.extend(note for note in payload.notes if note not in options.notes)
    network: Network = import_module(f"{__name__}.{payload.kind}").open_network(payload, options)
    return network
