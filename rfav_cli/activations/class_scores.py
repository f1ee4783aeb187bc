"""Which of a net's outputs is the row of class scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

from rfav_cli.errors import ModelError


def select_output(output: Any, choice: str = "") -> Tensor:
    """Take the tensor of scores out of what a net returned.

    Args:
        output: a tensor, or a tuple, list, mapping or dataclass of them, nested.
        choice: an index or a key; empty for the first tensor.

    Raises:
        ModelError: there is no such output, or it is no tensor.
    """
    if isinstance(output, Tensor) and not choice:
        return output
    parts = _parts(output)
    if choice:
        if choice not in parts:
            raise ModelError(f"--output {choice!r}: the net returns no such output", f"It returns {_described(parts)}.")
        return select_output(parts[choice])
    for part in parts.values():
        if isinstance(part, Tensor) or _parts(part):
            return select_output(part)
    raise ModelError("the net returns no tensor", "Give a net that returns its class scores.")


def describe_choice(output: Any, choice: str = "") -> str:
    """Say which output was taken where there was a choice and the user made none; else nothing."""
    parts = _parts(output)
    if choice or len(parts) < 2:
        return ""
    taken = next((name for name, part in parts.items() if isinstance(part, Tensor) or _parts(part)), "")
    return f"the net returns {_described(parts)}; the class scores are taken of {taken} (--output chooses another)"


def _parts(output: Any) -> dict[str, Any]:
    if isinstance(output, Mapping):
        return {str(key): value for key, value in output.items()}
    if isinstance(output, Sequence) and not isinstance(output, str):
        return {str(index): value for index, value in enumerate(output)}
    if is_dataclass(output) and not isinstance(output, type):
        return {field.name: getattr(output, field.name, None) for field in fields(output)}
    return {}


def _described(parts: Mapping[str, Any]) -> str:
    kinds = (
        f"{name}: {'x'.join(map(str, part.shape)) if isinstance(part, Tensor) else type(part).__name__}"
        for name, part in parts.items()
    )
    return ", ".join(kinds) or "one tensor"
