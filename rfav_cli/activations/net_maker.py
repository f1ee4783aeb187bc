"""What `--model` makes nets with: it sees the checkpoint that a net is made for, since that may say what is needed."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import ModelError
from rfav_cli.text import named

if TYPE_CHECKING:
    from torch import nn

    from rfav_cli.records import Payload


class NetMaker(ABC):
    """Makes the net of a `--model` specification; called without a checkpoint, it makes one with fresh weights.

    Args:
        spec: the specification, for messages.
    """

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def __call__(self) -> nn.Module:
        """Make a net that no checkpoint is known of; raises as `make` does."""
        return self.make(None, [])

    @abstractmethod
    def make(self, payload: Payload | None, notes: list[str]) -> nn.Module:
        """Make the net, with any weights (none are downloaded).

        Args:
            payload: the checkpoint that it is made for, or None.
            notes: gets what the user should be told.

        Raises:
            ModelError: there is no such net, or making it failed.
        """

    def remedy(self, payload: Payload, outputs: int | None) -> str:
        """What to type where a checkpoint does not go into the net that was made; empty where that is not known.

        Args:
            payload: the checkpoint.
            outputs: how many outputs its last layer has, where nothing else differs.
        """
        del payload, outputs
        return ""

    def own(self, payload: Payload) -> Payload:
        """A checkpoint whose weights have the names of the net that was made, where this maker knows a way there.

        Raises:
            CheckpointError: it is of a net that is made otherwise.
        """
        return payload


def import_extra(extra: str, module: str, option: str = "--model") -> Any:
    """Import a module of a package that is not there by default.

    Raises:
        ModelError: it cannot be imported; the remedy installs the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelError(
            f"{option} {extra}: importing {extra} raised {named(error, part='all')}",
            f"pip install 'rfav-cli[{extra}]'",
        ) from error
