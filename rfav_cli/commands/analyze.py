"""Measuring a run's checkpoints into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.pack import pack
from rfav_cli.commands.preparing import prepare_checkpoints
from rfav_cli.diagnosis.labels import doubt_about_labels
from rfav_cli.options import Analyze, flat
from rfav_cli.records import Note

if TYPE_CHECKING:
    from rfav_cli.checkpoints.find import CheckpointFiles
    from rfav_cli.records import History

GO_ON = "Every epoch that was measured is in the store; the same command goes on, with torchrun or without."
"""What to do when one of several processes has gone."""


def run(options: Analyze) -> History:
    """Run held-out samples through every checkpoint of a run and write the store.

    A store that exists is continued: what it holds of these checkpoints is not measured again.

    Returns:
        All that the store now holds.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.commands.sharing import Sharing
    from rfav_cli.distributed import LONG_PATIENCE, joined
    from rfav_cli.measure.setup import open_run
    from rfav_cli.store import check_place

    ranks, out = options.ranks, Path(options.out)
    tell = options.report if ranks.first else lambda _: None
    with joined(ranks, "cpu", LONG_PATIENCE, GO_ON) as group:
        if ranks.first:
            check_place(out, fresh=options.fresh)
        files = _find(options)
        samples, settings, opening, reading = prepare_checkpoints(options, ranks)
        setup = open_run(
            files.entries,
            samples,
            reading,
            opening,
            settings,
            layers=options.layers,
            skip=options.skip,
            skip_bad=options.skip_bad,
        )
        for text in (*files.notes, *samples.notes, *setup.notes):
            tell(Note(text))
        sharing = Sharing(out, files, setup, reading, group, options.skip_bad, options.report, options.should_stop)
        ended = sharing.record(options.samples_a_forward, fresh=options.fresh)
        if ranks.first and ended and not options.no_pack and not options.shard:
            pack(out)
        group.wait()
    history = open_store(out)
    if doubt := doubt_about_labels(history):
        tell(Note(doubt))
    return history


analyze = flat(Analyze, run)


def _find(options: Analyze) -> CheckpointFiles:
    from rfav_cli.checkpoints.find import find_checkpoints, shard

    checkpoints = options.checkpoints
    paths = [checkpoints] if isinstance(checkpoints, (str, Path)) else checkpoints
    files = find_checkpoints(
        [str(path) for path in paths],
        options.epochs,
        skip_bad=options.skip_bad,
        trust_pickle=options.i_trust_this_pickle,
    )
    return shard(files, options.shard) if options.shard else files
