"""Whether a net that a file names is made by code of the user's own; a store can come from anywhere and name anything.

What counts as one's own is what lies in the current folder, and is not merely importable there: the standard library
and what is installed have functions that do harm when they are called with arguments from a file.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from torch import nn

from rfav_cli.errors import ModelError, printable


def check_source(spec: str, source: str) -> None:
    """Refuse to import what a file names, unless it lies in the current folder.

    Args:
        spec: the whole specification, for the message.
        source: its part that is imported, a module or the path of a Python file.

    Raises:
        ModelError: it lies elsewhere.
    """
    if not _are_here([source] if source.endswith(".py") else _places(source)):
        raise _foreign(spec)


def check_factory(spec: str, factory: Any) -> None:
    """Refuse to call what a module of the current folder has from elsewhere, but for classes of nets.

    Raises:
        ModelError: it is neither a net, nor a class of nets, nor a function of a module in the current folder.
    """
    is_net = isinstance(factory, nn.Module) or (isinstance(factory, type) and issubclass(factory, nn.Module))
    if not is_net and not _are_here(_places(str(getattr(factory, "__module__", "")))):
        raise _foreign(spec)


def _places(module: str) -> list[str]:
    """Where the outermost package of a module lies; nothing is imported to find that out."""
    try:
        found = importlib.util.find_spec(module.partition(".")[0])
    except ValueError:  # no name, or a module that was not imported from anywhere
        return []
    if found is None:
        return []
    return list(found.submodule_search_locations or ([found.origin] if found.has_location and found.origin else []))


def _are_here(places: list[str]) -> bool:
    here = Path.cwd().resolve()
    return bool(places) and all(Path(place).parent.resolve() == here for place in places)


def _foreign(spec: str) -> ModelError:
    return ModelError(
        f"the store says that {printable(spec)} makes its net, which is no code in the current folder: not run",
        "Give --model, with what makes the net.",
    )
