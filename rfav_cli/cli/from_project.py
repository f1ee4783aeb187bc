"""Which options of a command a project's file set, and which of its inputs that file lies in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.cli.config import nearest_project
from rfav_cli.cli.output import emit
from rfav_cli.options import spelled
from rfav_cli.origins import SetByProject, read_with
from rfav_cli.records import Ranks
from rfav_cli.remote import address_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import typer

    from rfav_cli.options import Option

STORE = ".h5"
"""What a file ends in that is no checkpoint: a store is judged, and no net is made for it."""


def set_by_project_of(
    context: typer.Context, described: Mapping[str, Option], values: Mapping[str, Any]
) -> SetByProject | None:
    """What a project's file set of the options that name code or samples; None where it set none of them.

    Args:
        context: of the command.
        described: its options by their names.
        values: what they are.
    """
    named = {
        spelled(name, option): _typed(values[name])
        for name, option in described.items()
        if option.from_project == "said" and _is_of_project(context, name)
    }
    file = nearest_project(Path.cwd())
    if not named or file is None:
        return None
    inputs = [text for name, option in described.items() if _is_read(option) for text in _texts(values.get(name))]
    own = [text for name, option in described.items() if option.positional for text in _texts(values.get(name))]
    checkpoints = [text for text in own if not text.lower().endswith(STORE)]
    silent = values.get("quiet") or not Ranks.of_torchrun().first
    return SetByProject(file, named, read_with(file, inputs, checkpoints), _unsaid if silent else _say)


def _is_of_project(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT_MAP"


def _is_read(option: Option) -> bool:
    """Whether an option, no argument, may name a folder that is read."""
    if option.positional or option.several or option.from_project == "inside":
        return False
    return option.from_project == "said" or option.kind is Path or option.metavar == "FILE"


def _texts(value: Any) -> Iterator[str]:
    """The paths of an option's value, each as it is typed; addresses are elsewhere."""
    for entry in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(entry, (str, Path)) and address_of(entry) is None:
            yield str(entry)


def _typed(value: Any) -> str:
    """A value as it is typed."""
    return " ".join(shlex.quote(printable(text)) for text in (value if isinstance(value, (list, tuple)) else [value]))


def _say(words: str) -> None:
    emit(f"{words}\n", err=True)


def _unsaid(_: str) -> None:
    """Nothing is said."""
