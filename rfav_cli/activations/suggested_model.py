"""Which `--model` a checkpoint would take, where it says so itself."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rfav_cli.activations.hf_config import read_config
from rfav_cli.activations.missing_arguments import typed
from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from rfav_cli.records import Payload

_NAME = re.compile(r"[A-Za-z]\w*(?:\.\w+)?")
_KEYS = ("model", "arch")
"""What timm's and torchvision's training scripts call the net."""


def suggested_model(payload: Payload) -> str:
    """What to type so that the net of a checkpoint is made; empty where the file does not say.

    Nothing is run: a name in a file is told where a library that is installed has a net of that name.
    """
    folder = payload.path if payload.path.is_dir() else payload.path.parent
    try:
        read_config(folder, "hf:")
    except ModelError:
        return _of_a_library(payload)
    return "--model hf:"


def _of_a_library(payload: Payload) -> str:
    for place, values in payload.arguments.items():
        name = next((values[key] for key in _KEYS if isinstance(values.get(key), str)), "")
        if not _NAME.fullmatch(name):
            continue
        classes = values.get("num_classes")
        number = f" {typed('num_classes', classes)}" if type(classes) is int else ""
        if find_spec("timm") and number and _timm_has(name):
            return f"--model timm:{name}{number} (of the file's {place})"
        if find_spec("torchvision") and _torchvision_has(name):
            return f"--model torchvision:{name}{number} (of the file's {place})"
    return ""


def _timm_has(name: str) -> bool:
    import timm

    return bool(timm.is_model(name))


def _torchvision_has(name: str) -> bool:
    from torchvision import models

    return name in models.list_models()
