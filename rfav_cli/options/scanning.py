"""The options of what looks through files without opening them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.options.field import group, option, required
from rfav_cli.options.naming import Excluded
from rfav_cli.options.panels import POLICY
from rfav_cli.options.stores import Written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@group
class Scan(Excluded, Written):
    """What `scan` takes."""

    paths: str | Path | Sequence[str | Path] = required(
        help="Files of any kind, folders (with all below them), globs or addresses.",
        metavar="FILE|FOLDER|GLOB",
        several=True,
        kw_only=False,
    )
    flag: str = option(
        default="refused",
        help="What ends with exit code 1: danger alone, also what rfav would have refused (refused), or any note.",
        panel=POLICY,
        choices="rfav_cli.records:FLAGGED_LEVELS",
        metavar="LEVEL",
    )
