"""The options of `init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.options.field import group, keyword, option
from rfav_cli.options.groups import unheard
from rfav_cli.options.panels import FIRST, WRITTEN
from rfav_cli.options.stores import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.records import Choice, Recognised


@group
class Init(Written):
    """What `init` takes."""

    folder: str | Path = option(
        default=".", help="Where the checkpoints of a run are.", metavar="FOLDER", kind=str, kw_only=False
    )
    model: str | None = option(
        default=None,
        help="What makes the net, where it is not to be looked for.",
        panel=FIRST,
        metavar="SPEC",
        from_project="said",
    )
    probe: str | Path | None = option(
        default=None,
        help="Where the held-out samples are, where they are not to be looked for.",
        panel=FIRST,
        metavar="SAMPLES",
        from_project="said",
    )
    out: str | Path = option(
        default="rfav.h5",
        help="The store that `rfav analyze` is to write.",
        kind=Path,
        panel=FIRST,
        metavar="FILE",
        from_project="inside",
    )
    ci: str | None = option(
        default=None,
        help="Write the file that has a CI service check the store, too.",
        panel=WRITTEN,
        choices="rfav_cli.project.workflows:SERVICES",
    )
    dry_run: bool = option(default=False, help="Print what would be written, and write nothing.", panel=WRITTEN)
    on_recognised: Callable[[Recognised], None] = keyword(
        default=unheard, help="Is called with what lies in the folder, before anything is chosen."
    )
    ask: Callable[[str, Sequence[Choice]], str] | None = keyword(
        default=None, help="Is asked what an option is to be: its name and what was recognised; by default nobody is."
    )
