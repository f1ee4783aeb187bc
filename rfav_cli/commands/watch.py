"""Watching a training from outside: each checkpoint is measured as it comes, and the run is judged."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.preparing import prepare_checkpoints
from rfav_cli.errors import RunError, UsageError
from rfav_cli.options import Watch, flat
from rfav_cli.records import Note
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.records import Watched


def run(options: Watch) -> Watched:
    """Measure the checkpoints of a training as it writes them, and judge the run after each.

    The figures are those of `analyze`. A file is read when it was the same at two looks; one that cannot be read is
    tried again. A store of the same run is continued, and can be read meanwhile; one watcher at a time fills it.

    Returns:
        The store's content, the verdict, and why it ended.

    Raises:
        RunError: nothing came until `idle`.
        StoreError: another watcher fills the store, it is of another run, or it cannot be written.
        RfavError: other bad input; its subclass and message say which.
    """
    from rfav_cli.checkpoints.poll import Poll
    from rfav_cli.commands.on_collapse import Alarm
    from rfav_cli.commands.recording import Recorder
    from rfav_cli.commands.watching import Vigil
    from rfav_cli.store import check_place, watching

    _check_seconds(interval=options.interval, patience=options.patience, idle=options.idle)
    alarm = None if options.on_collapse is None else Alarm(options.on_collapse)
    out, folder = Path(options.out), options.folder
    check_place(out, fresh=options.fresh)
    with watching(out):
        prepared = prepare_checkpoints(options)
        for text in prepared.probe.notes:
            options.report(Note(text))
        if not Path(folder).exists():
            options.report(Note(f"{printable(folder)}: not there yet; waiting for it"))
        poll = Poll(str(folder), options.epochs, options.patience, prepared.reading)
        recorder = Recorder(out, prepared, options, watching=True)
        watched = Vigil(options, poll, recorder, len(prepared.probe), alarm).keep()
    if watched.history is None and watched.ended == "idle":
        raise RunError(
            f"{printable(folder)}: no checkpoint came in {options.idle:g} s that could be measured",
            "Check the path, or give a longer --idle.",
        )
    return watched


watch = flat(Watch, run)


def _check_seconds(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not (0 < value < math.inf):
            raise UsageError(f"--{name} {value!r:.60}: out of range", "Give seconds, more than 0.")
