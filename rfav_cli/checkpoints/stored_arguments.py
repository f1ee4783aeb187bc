"""What a checkpoint says of how its net was made: arguments that trainings keep beside the weights."""

from __future__ import annotations

import argparse
from collections.abc import ItemsView, Mapping
from itertools import islice
from typing import Any

from rfav_cli.checkpoints.stand_ins import StandIn

HYPER_PARAMETERS = "hyper_parameters"
"""Where Lightning keeps the arguments of a LightningModule."""
_NAMES = (
    *(HYPER_PARAMETERS, "model_args", "model_kwargs", "model_config", "model_cfg", "net_args", "init_args", "kwargs"),
    *("hparams", "hyperparameters", "args", "config", "cfg", "opt", "train_args"),
)
"""The keys of such arguments, those of the net alone first."""
_WRAPPED = ("_content", "_val")
"""What OmegaConf's containers and values hold theirs by."""
_DEPTH = 4
_MOST = 1000
"""Values that are kept; a file with more has them for something else."""
_LONGEST = 10_000
"""Characters of a text that is kept."""
_LEFT_OUT = object()


def stored_arguments(content: Any) -> dict[str, dict[str, Any]]:
    """The arguments that a checkpoint holds, as plain values.

    Args:
        content: what the file holds, at its top level.

    Returns:
        Key of the checkpoint -> name -> a number, text, truth value or None, or lists and dictionaries of such;
        whatever is none of these is left out. Lightning's are by the arguments of the LightningModule, also where it
        has one that holds them all.
    """
    if not isinstance(content, Mapping):
        return {}
    top = dict(_items(content))
    stored = {}
    for key in _NAMES:
        values = _plain(top.get(key), _DEPTH, [_MOST])
        if isinstance(values, dict) and values:
            stored[key] = values
    whole = top.get("hparams_name")
    if HYPER_PARAMETERS in stored and isinstance(whole, str) and whole.isidentifier() and whole != "kwargs":
        stored[HYPER_PARAMETERS] = {whole: stored[HYPER_PARAMETERS]}
    return stored


def _entries(value: Any) -> Any:
    """What an object holds by name: a namespace, or what stands for one; any other value as it is."""
    if isinstance(value, argparse.Namespace):
        return vars(value)
    if not isinstance(value, StandIn):
        return value
    parts = list(value.mappings())
    held = {key: entry for part in parts for key, entry in islice(_items(part), _MOST)}
    return next((held[key] for key in _WRAPPED if key in held), held) if parts else value


def _items(mapping: Mapping[Any, Any]) -> ItemsView[Any, Any]:
    """What a mapping holds; not by its own `items`, which a file may have put another thing in place of."""
    return dict.items(mapping) if isinstance(mapping, dict) else mapping.items()


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    """A value of plain types alone, or `_LEFT_OUT`; `left` counts down how many there may be yet."""
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        return _LEFT_OUT
    value = _entries(value)
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str.__str__(value) if len(value) <= _LONGEST else _LEFT_OUT
    if isinstance(value, (list, tuple)):
        if len(value) > left[0]:
            return _LEFT_OUT
        entries = [_plain(entry, depth - 1, left) for entry in value]
        whole = not any(entry is _LEFT_OUT for entry in entries)
        return (entries if isinstance(value, list) else tuple(entries)) if whole else _LEFT_OUT
    if isinstance(value, Mapping):
        some = islice(_items(value), max(left[0], 0))
        pairs = {key: _plain(entry, depth - 1, left) for key, entry in some if isinstance(key, str)}
        return {key: entry for key, entry in pairs.items() if entry is not _LEFT_OUT}
    return _LEFT_OUT
