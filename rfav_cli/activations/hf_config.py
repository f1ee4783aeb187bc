"""The `config.json` of a net of transformers', as data: what of it could reach beyond sizes and names is left out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import ModelError
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

NAME = "config.json"
_LARGEST = 16 * 2**20
"""Bytes; class names by the thousand take some."""
_LEFT_OUT = frozenset(
    {
        *("auto_map", "custom_pipelines"),  # code of its own
        *("attn_implementation", "experts_implementation", "use_kernels", "kernel_config"),  # may fetch kernels
        *("backbone", "use_pretrained_backbone", "name_or_path"),  # may fetch a net
        *("quantization_config", "compression_config", "fusion_config", "distributed_config"),  # other programs
        *("dtype", "torch_dtype", "transformers_version", "architectures", "model_type"),
        *("return_dict", "use_return_dict", "torchscript", "output_attentions", "output_hidden_states", "use_cache"),
    }
)
"""Keys that are not given to transformers, at any depth (but `model_type` within a part); nor what begins with `_`."""


@dataclass(frozen=True)
class ConfigFile:
    """What a configuration says.

    Attributes:
        path: the file.
        model_type: the make of net, as "vit".
        architectures: the classes that were saved, as "ViTForImageClassification".
        fields: what the net is made with.
        has_code: it names code of its own, which is not followed.
    """

    path: Path
    model_type: str
    architectures: tuple[str, ...]
    fields: dict[str, Any]
    has_code: bool


def read_config(folder: Path, spec: str) -> ConfigFile:
    """Read the configuration in a folder.

    Args:
        folder: where it is.
        spec: the `--model` specification, for messages.

    Raises:
        ModelError: there is none, or it is none of a net of transformers'.
    """
    path = folder / NAME
    try:
        if not path.is_file():
            raise ModelError(
                f"--model {printable(spec)}: there is no {printable(path)}",
                "Give the folder that has it, as hf:FOLDER, or --model module:factory.",
            )
        if path.stat().st_size > _LARGEST:
            raise ModelError(f"{printable(path)}: too large for a configuration", "Give --model module:factory.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{printable(path)}: {what_it_says(error)}", "Save the net again.") from error
    model_type = content.get("model_type") if isinstance(content, dict) else None
    if not isinstance(model_type, str) or not model_type:
        raise ModelError(
            f"{printable(path)}: names no model_type, so it is no configuration of transformers'",
            "Give --model module:factory, the code that makes the net.",
        )
    classes = content.get("architectures")
    named = tuple(name for name in classes if isinstance(name, str)) if isinstance(classes, list) else ()
    fields = {name: value for name, value in _harmless(content).items() if name != "model_type"}
    return ConfigFile(path, model_type, named, fields, "auto_map" in content)


def _harmless(content: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that are left out."""
    kept = {name: value for name, value in content.items() if not name.startswith("_")}
    return {
        name: _harmless(value) if isinstance(value, dict) else value
        for name, value in kept.items()
        if name == "model_type" or name not in _LEFT_OUT
    }
