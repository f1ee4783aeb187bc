"""The options of what is found in folders: what is left out, and how its epochs are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.options.field import Options, group, option
from rfav_cli.options.panels import RUNS

if TYPE_CHECKING:
    from collections.abc import Sequence


@group
class Excluded(Options):
    """What is left out."""

    exclude: Sequence[str] = option(
        default=(),
        help="Files and folders to leave out, by their name or path; can be repeated.",
        panel=RUNS,
        metavar="GLOB",
        several=True,
    )


@group
class Names(Excluded):
    """How the epochs of checkpoints are told."""

    epochs: str | None = option(
        default=None,
        help="File names, {epoch} (or {step}) where the number stands, as in 'net_{epoch}_*.pt'.",
        panel=RUNS,
        metavar="PATTERN",
    )
    unit: str = option(
        default="auto",
        help="What checkpoints are counted by: epoch, step, or auto: steps where names or the trainer's state say so.",
        panel=RUNS,
        choices=("auto", "epoch", "step"),
        metavar="UNIT",
    )
