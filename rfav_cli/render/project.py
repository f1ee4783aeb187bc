"""What `rfav init` saw and made, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.render.base import count
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import ProjectSetup, Recognised

KINDS = {
    "eager": "weights, for which a net is made",
    "torchscript": "TorchScript, which holds its net",
    "exported": "exported programs, which hold their net",
}
"""Kind of checkpoint -> what it is."""
MOST = 5
"""Choices that are listed."""


def recognised(found: Recognised) -> str:
    """What lies in a folder, a line a thing."""
    return "\n".join(_lines(found)) + "\n"


def made(setup: ProjectSetup) -> str:
    """What was written, or would be, and the command to type next."""
    parts = [] if setup.files else ["pyproject.toml has these settings already"]
    for path, text in setup.files.items():
        if setup.written:
            parts.append(f"wrote {printable(path)}")
        else:
            parts.append(f"would write {printable(path)}:\n\n{text.rstrip()}\n")
    return "\n".join([*parts, "next:", f"  {setup.command}"]) + "\n"


def _lines(found: Recognised) -> Iterator[str]:
    first, last = found.epochs
    epochs = f"{found.unit} {first}" if first == last else f"{found.unit}s {first} to {last}"
    kind = KINDS.get(found.kind, found.kind)
    yield f"checkpoints  {printable(found.checkpoints)}: {count(found.count, 'checkpoint')} ({epochs}), {kind}"
    yield from (f"             note: {printable(note, 400)}" for note in found.notes)
    for name, choices in (("net", found.nets), ("samples", found.samples)):
        if name == "net" and found.kind != "eager":
            continue
        label = name
        for choice in choices[:MOST]:
            yield f"{label:<11}  {printable(choice.value)}: {printable(choice.why, 400)}"
            label = ""
        if len(choices) > MOST:
            yield f"{'':<11}  and {len(choices) - MOST} more"
        if not choices:
            yield f"{label:<11}  none was recognised"
