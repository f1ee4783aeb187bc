"""`hf:` and `hf:FOLDER`: a net of transformers', as the `config.json` of its checkpoints, or of a folder, says.

The configuration is data of a stranger's: it chooses among the classes that transformers brings, and sizes. No code
that it names is followed, nothing is downloaded, and no weights but those of the checkpoints are taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.activations import pretrained_nets
from rfav_cli.activations.hf_config import ConfigFile, read_config
from rfav_cli.activations.net_maker import NetMaker
from rfav_cli.errors import CheckpointError, ModelError, RfavError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from rfav_cli.records import Payload


def maker_of(spec: str, name: str, keywords: Mapping[str, Any]) -> NetMaker:
    """Make nets by a configuration of transformers.

    Raises:
        ModelError: arguments are given, which it has in its configuration.
    """
    if keywords:
        raise ModelError(
            f"--model-arg {printable(next(iter(keywords)))}: the config.json says how the net is made", "Leave it out."
        )
    return HuggingFaceMaker(spec, Path(name) if name else None)


class HuggingFaceMaker(NetMaker):
    """Makes a net of transformers', and reads each checkpoint's names as `from_pretrained` does.

    Args:
        spec: the specification, for messages.
        folder: holds the configuration; None for that of each checkpoint.
    """

    def __init__(self, spec: str, folder: Path | None) -> None:
        super().__init__(spec)
        self._folder = folder
        self._made: tuple[ConfigFile, pretrained_nets.Kind] | None = None

    def make(self, payload: Payload | None, notes: list[str]) -> nn.Module:
        """See `NetMaker.make`."""
        config = self._config(payload)
        tensors = [] if payload is None else list(pretrained_nets.tensors(payload.content[0].weights).values())
        pretrained_nets.check_sizes(config, tensors)
        kind = pretrained_nets.kind_of(config)
        if kind.note:
            notes.append(kind.note)
        self._made = config, kind
        return pretrained_nets.make(kind, config, sum(tensor.numel() for tensor in tensors))

    def own(self, payload: Payload) -> Payload:
        """See `NetMaker.own`.

        A checkpoint that `from_pretrained` does not take whole is given back as it is: how it differs is told by what
        loads it.
        """
        if self._made is None:
            return payload
        config, kind = self._made
        if self._folder is None and (now := self._config(payload)).fields != config.fields:
            names = (*now.fields, *config.fields)
            other = next(name for name in names if now.fields.get(name) != config.fields.get(name))
            raise CheckpointError(
                f"{printable(now.path)}: {printable(other)} differs from that of {printable(config.path)}",
                "Give the checkpoints of one net.",
            )
        try:
            return pretrained_nets.in_own_names(kind, payload)
        except (torch.OutOfMemoryError, RfavError):
            raise
        except Exception as error:  # what transformers says of a stranger's names can be anything
            raise CheckpointError(
                f"{printable(payload.path)}: from_pretrained of {kind.name} raised {named(error)}",
                "Give the checkpoints of this net, or name another with --model.",
            ) from error

    def _config(self, payload: Payload | None) -> ConfigFile:
        if self._folder is not None:
            return read_config(self._folder, self.spec)
        if payload is None:
            raise ModelError(f"--model {printable(self.spec)}: no checkpoint says which net", "Write hf:FOLDER.")
        return read_config(payload.path if payload.path.is_dir() else payload.path.parent, self.spec)
