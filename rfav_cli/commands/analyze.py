"""Measuring a run's checkpoints into a store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.commands.into_remote import into_remote
from rfav_cli.commands.measuring import prepare_checkpoints
from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.pack import pack
from rfav_cli.errors import StoreError
from rfav_cli.options import Analyze, flat
from rfav_cli.records import BadCheckpoint, Note, Progress
from rfav_cli.remote import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rfav_cli.checkpoints.find import CheckpointFiles
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.distributed import Group
    from rfav_cli.measure.setup import Setup
    from rfav_cli.records import Checkpoint, Event, History
    from rfav_cli.store import StoreWriter

GO_ON = "Every epoch that was measured is in the store; the same command goes on, with torchrun or without."
"""What to do when one of several ranks has gone."""


def run(options: Analyze) -> History:
    """Run held-out samples through every checkpoint of a run and write the store.

    A store that exists is continued: what it holds of these checkpoints is not measured again.

    Returns:
        All that the store now holds.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    if (address := remote.address_of(options.out)) is not None:
        return into_remote(options, address, _analyze)
    return _analyze(options)


def _analyze(options: Analyze) -> History:
    from rfav_cli.diagnosis import derive
    from rfav_cli.distributed import LONG_PATIENCE, joined
    from rfav_cli.measure.setup import open_run
    from rfav_cli.measure.train_probe import with_train_probe
    from rfav_cli.store import check_place

    ranks, out, report = options.ranks, Path(options.out), options.report
    tell = report if ranks.first else lambda _: None
    with joined(ranks, "cpu", LONG_PATIENCE, GO_ON) as group:
        if ranks.first:
            check_place(out, fresh=options.fresh)
        files = _find(options)
        prepared = prepare_checkpoints(options, ranks).counted_in(files.unit)
        setup = with_train_probe(
            open_run(
                files.entries,
                prepared.probe,
                prepared.reading,
                prepared.options,
                prepared.settings,
                options,
                skip_bad=options.skip_bad,
                loss=prepared.loss,
            ),
            prepared.train_probe,
        )
        for text in (*files.notes, *prepared.notes, *setup.notes):
            tell(Note(shown(text)))
        shared = SharedRun(out, files, setup, prepared.reading, group, options.skip_bad, report, options.should_stop)
        ended = shared.record(options.samples_a_forward, fresh=options.fresh)
        if ranks.first and ended and not options.no_pack and not options.shard:
            pack(out)
        group.wait()
    history = open_store(out)
    for doubt in derive(history).doubts:
        tell(doubt)
    tell(setup.subject)
    return history


analyze = flat(Analyze, run)


def _find(options: Analyze) -> CheckpointFiles:
    from rfav_cli.checkpoints.find import find_checkpoints, shard
    from rfav_cli.commands.measuring import search_of

    checkpoints = options.checkpoints
    paths = [checkpoints] if isinstance(checkpoints, (str, Path)) else checkpoints
    files = find_checkpoints([str(path) for path in paths], search_of(options, skip_bad=options.skip_bad))
    files = replace(files, bad=tuple(BadCheckpoint(shown(bad.path), shown(bad.reason)) for bad in files.bad))
    return shard(files, options.shard) if options.shard else files


@dataclass(frozen=True)
class SharedRun:
    """CheckpointFiles that are measured into one store, by one rank or by several that share them.

    Attributes:
        out: the store.
        checkpoints: the checkpoints.
        setup: the net and the probe.
        reading: how checkpoints are read.
        group: the ranks that share the checkpoints.
        skip_bad: record files that are no checkpoint of this net, and go on.
        report: is told what this rank measures; the first is told of files that are none for any.
        should_stop: asked after each checkpoint is safe in the store.
    """

    out: Path
    checkpoints: CheckpointFiles
    setup: Setup
    reading: ReadOptions
    group: Group
    skip_bad: bool
    report: Callable[[Event], None]
    should_stop: Callable[[], bool]

    def record(self, batch_size: int | None, *, fresh: bool) -> bool:
        """Measure this rank's share of what the store does not hold yet, and wait for the others.

        Args:
            batch_size: samples a forward; None for what suits.
            fresh: replace the store that is there.

        Returns:
            False when a rank was asked to stop before its end.

        Raises:
            StoreError: the store is of another run, not seen by all, or cannot be written.
            CheckpointError: a file is no checkpoint of this net, and `skip_bad` is off.
        """
        from rfav_cli.measure.loop import measure_checkpoints

        ranks = self.group.ranks
        writer = self._open(fresh)
        committed = self.group.of_first(set(writer.committed))
        entries = [entry for entry in self.checkpoints.entries if entry.epoch not in committed]
        done = len(self.checkpoints.entries) - len(entries)

        def of_the_whole(event: Event) -> None:
            if isinstance(event, Progress):  # of the share; what is shown is of the whole
                before = done + event.done * ranks.world + ranks.rank
                event = replace(event, done=before, total=len(self.checkpoints.entries))
            self.report(event)

        share = entries[ranks.rank :: ranks.world]
        results = measure_checkpoints(
            share, self.setup, self.reading, batch_size=batch_size, skip_bad=self.skip_bad, report=of_the_whole
        )
        stopped = False
        with contextlib.closing(results):
            for result in results:
                if isinstance(result, BadCheckpoint):
                    writer.record_bad(result)
                else:
                    writer.append(result)
                self.report(result)
                if stopped := self.should_stop():
                    break
        return not self.group.any(stopped)

    def _open(self, fresh: bool) -> StoreWriter:
        """Make or continue the store: the first rank does, then the others join in."""
        from rfav_cli.store import StoreWriter
        from rfav_cli.store.scan import is_there

        ranks = self.group.ranks
        if ranks.first:
            writer = StoreWriter.open(self.out, self.setup.run, fresh=fresh)
            if unseen := _check_unchanged(self.checkpoints, writer.committed):
                kept = f"{unseen} remote checkpoints that the store has are taken as they were"
                self.report(Note(f"{kept}: --fresh reads them again"))
            for bad in self.checkpoints.bad:
                writer.record_bad(bad)
                self.report(bad)
            for doubt in (*self.checkpoints.doubts, *self.setup.doubts):
                writer.record_doubt(doubt)
                self.report(doubt)
            self.group.wait()
            return writer
        self.group.wait()
        if not is_there(self.out):
            raise StoreError(
                f"{self.out}: rank {ranks.rank} does not see what rank 0 wrote",
                "Give an --out in a folder that all machines share.",
            )
        return StoreWriter.open(self.out, self.setup.run)


def _check_unchanged(checkpoints: CheckpointFiles, committed: Mapping[int, Checkpoint]) -> int:
    """Compare what the store was measured on with what is there; how many remote ones were not read for it."""
    from rfav_cli.checkpoints.digests import digest_of

    unseen = 0
    for entry in checkpoints.entries:
        stored = committed.get(entry.epoch)
        if stored and remote.is_place(entry.path) and stored.path == shown(entry.path):
            unseen += 1
        elif stored and stored.sha256 != digest_of(entry.path):
            raise StoreError(
                f"{entry.path}: another file than epoch {entry.epoch} of the store was measured on ({stored.path}), "
                "or changed since",
                "Give --fresh to measure the whole run anew, or another --out.",
            )
    return unseen
