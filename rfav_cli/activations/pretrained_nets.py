"""Nets of transformers': the class that a configuration asks for, made and given weights offline and in silence."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.activations.net_maker import import_extra
from rfav_cli.errors import ModelError, RfavError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from rfav_cli.activations.hf_config import ConfigFile
    from rfav_cli.records import Payload

_OTHERWISE = "Give --model module:factory, the code that makes the net."
_TASKS = (
    ("MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING", "an image classifier"),
    ("MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING", "a text classifier"),
    ("MODEL_MAPPING", "a net without a head"),
)
"""Tables of transformers, the likelier first, for configurations that name no class."""
_COUNTS = re.compile(r"layer|depth|block|stage|expert|labels|cell")
_SILENT = 100
"""A level of logging above all: what is logged has text of the file's, which could steer a terminal."""
_MORE_WEIGHTS = 4
"""Times what the file holds; a net whose parts share weights has more names for them."""


@dataclass(frozen=True)
class Kind:
    """A class of nets with its configuration.

    Attributes:
        net_class: a `PreTrainedModel`.
        config: its `PreTrainedConfig`.
        note: what the user should be told of the choice; empty where the configuration names the class.
    """

    net_class: Any
    config: Any
    note: str = ""

    @property
    def name(self) -> str:
        """The class's name."""
        return str(self.net_class.__name__)


def check_sizes(config: ConfigFile, tensors: Sequence[Tensor]) -> None:
    """Refuse a configuration that asks for more layers or classes than there are weights for.

    Raises:
        ModelError: making such a net would take all memory, or never end.
    """
    most = max(10_000, sum(tensor.numel() for tensor in tensors))
    for name, number in _numbers(config.fields, ""):
        if number > most and _COUNTS.search(name):
            raise ModelError(
                f"{printable(config.path)}: {printable(name)} is {number}, more than any net has", _OTHERWISE
            )


def kind_of(config: ConfigFile) -> Kind:
    """The class that a configuration asks for.

    Raises:
        ModelError: transformers is not there or has no such net, or the configuration is not one of it.
    """
    import_extra("transformers", "transformers")
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    with alone():
        if config.model_type not in CONFIG_MAPPING:
            what = f"{printable(config.path)}: transformers has no net of the type {printable(config.model_type, 60)}"
            own = " (the code that it names, auto_map, is not followed)" if config.has_code else ""
            raise ModelError(what + own, _OTHERWISE)
        try:
            made = CONFIG_MAPPING[config.model_type].from_dict(dict(config.fields))
            made.use_cache = False  # what a net that writes text keeps of its past is none of its outputs
            return _kind(config, made)
        except RfavError:
            raise
        except Exception as error:  # transformers checks little, so what wrong values come to can be anything
            raise ModelError(f"{printable(config.path)}: not usable: {named(error)}", _OTHERWISE) from error


def _kind(config: ConfigFile, made: Any) -> Kind:
    import transformers
    from transformers.models.auto import modeling_auto

    for name in config.architectures[:1]:
        net_class: Any = getattr(transformers, name, None) if name.isidentifier() else None
        is_net = isinstance(net_class, type) and issubclass(net_class, transformers.PreTrainedModel)
        if is_net and net_class.config_class is type(made):
            return Kind(net_class, made)
    said = " or ".join(printable(name, 60) for name in config.architectures[:1]) or "no class"
    for table, words in _TASKS:
        net_class = getattr(modeling_auto, table).get(type(made), None)
        if isinstance(net_class, type):
            note = f"{printable(config.path)} names {said}; took {net_class.__name__}, {words}"
            return Kind(net_class, made, note)
    raise ModelError(f"{printable(config.path)}: transformers has no net {said} of this type", _OTHERWISE)


def make(kind: Kind, config: ConfigFile, held: int) -> nn.Module:
    """Make a net with fresh weights, in float32.

    Args:
        kind: which.
        config: for messages.
        held: how many numbers the checkpoint holds; 0 where there is none.

    Raises:
        ModelError: it cannot be made, or has far more weights than the checkpoint.
    """
    with alone():
        try:
            if held:
                with torch.device("meta"):
                    needed = sum(parameter.numel() for parameter in kind.net_class(kind.config).parameters())
                if needed > _MORE_WEIGHTS * held:
                    raise ModelError(
                        f"{printable(config.path)}: makes a net of {needed:,} weights, the checkpoint has {held:,}",
                        "Give the config.json of these checkpoints, with --model hf:FOLDER.",
                    )
            net: nn.Module = kind.net_class(kind.config)
        except (torch.OutOfMemoryError, RfavError):
            raise
        except Exception as error:  # as above
            raise ModelError(
                f"{printable(config.path)}: making {kind.name} raised {named(error)}", _OTHERWISE
            ) from error
    return net


def own_names(kind: Kind, weights: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """A checkpoint's weights by the names of the net, or None where they are not all of it and nothing else.

    `from_pretrained` renames and reshapes what older versions saved, and ties what the file has once.

    Args:
        kind: the net.
        weights: what the file holds; it was read by rfav's own readers.
    """
    with alone():
        try:
            net, told = kind.net_class.from_pretrained(
                None,
                config=kind.config,
                state_dict=dict(weights),
                output_loading_info=True,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
        except RuntimeError as error:  # how it says that shapes differ
            if isinstance(error, torch.OutOfMemoryError):
                raise
            return None
    whole = not any(told.get(name) for name in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"))
    return dict(net.state_dict()) if whole else None


def in_own_names(kind: Kind, payload: Payload) -> Payload:
    """A checkpoint by the names of the net, each part of it that is all of the net; any other as it is."""
    renamed = []
    for candidate in payload.content:
        weights = own_names(kind, tensors(candidate.weights))
        renamed.append(candidate if weights is None else replace(candidate, weights=weights, versions={}))
    return replace(payload, content=renamed)


def kind_of_net(net: nn.Module) -> Kind | None:
    """The kind of a net that the user's own code has made; None where it is none of transformers'."""
    transformers = sys.modules.get("transformers")
    base = getattr(transformers, "PreTrainedModel", None)
    return Kind(type(net), net.config) if base is not None and isinstance(net, base) else None


def tensors(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors among what a state_dict holds."""
    return {name: value for name, value in weights.items() if isinstance(value, torch.Tensor)}


@contextmanager
def alone() -> Iterator[None]:
    """Let transformers neither fetch anything nor write to the terminal, for the time of the block."""
    from huggingface_hub import constants
    from transformers.utils import logging

    verbosity, bars, offline = logging.get_verbosity(), logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE
    with ExitStack() as stack:
        stack.callback(setattr, constants, "HF_HUB_OFFLINE", offline)
        stack.callback(logging.enable_progress_bar if bars else logging.disable_progress_bar)
        stack.callback(logging.set_verbosity, verbosity)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        constants.HF_HUB_OFFLINE = True
        logging.disable_progress_bar()
        logging.set_verbosity(_SILENT)
        yield


def _numbers(fields: Any, name: str) -> Iterator[tuple[str, int]]:
    """The whole numbers of a configuration with the names that they stand under."""
    if isinstance(fields, dict):
        for key, value in fields.items():
            yield from _numbers(value, str(key))
    elif isinstance(fields, list):
        for value in fields:
            yield from _numbers(value, name)
    elif isinstance(fields, (int, float)) and not isinstance(fields, bool):
        yield name, int(fields) if fields == fields and abs(fields) < 2**63 else 2**63
