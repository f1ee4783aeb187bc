"""Checkpoints that are measured into one store, by one process or by several that share them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.find import sha256_of
from rfav_cli.errors import StoreError
from rfav_cli.measure.loop import measure_checkpoints
from rfav_cli.records import BadCheckpoint, Progress
from rfav_cli.store import StoreWriter
from rfav_cli.store.scan import is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rfav_cli.checkpoints.find import CheckpointFiles
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.distributed import Group
    from rfav_cli.measure.setup import Setup
    from rfav_cli.records import Checkpoint, Event


@dataclass(frozen=True)
class Sharing:
    """What is measured, and where it goes.

    Attributes:
        out: the store.
        checkpoints: the checkpoints.
        setup: the net and the probe.
        reading: how checkpoints are read.
        group: the processes that share the checkpoints.
        skip_bad: record files that are no checkpoint of this net, and go on.
        report: is told what this process measures; the first is told of files that are none for any.
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
        """Measure this process's share of what the store does not hold yet, and wait for the others.

        Args:
            batch_size: samples a forward; None for what suits.
            fresh: replace the store that is there.

        Returns:
            False when a process was asked to stop before its end.

        Raises:
            StoreError: the store is of another run, not seen by all, or cannot be written.
            CheckpointError: a file is no checkpoint of this net, and `skip_bad` is off.
        """
        ranks = self.group.ranks
        writer = self._open(fresh)
        committed = self.group.of_first(set(writer.committed))
        entries = [entry for entry in self.checkpoints.entries if entry.epoch not in committed]
        done = len(self.checkpoints.entries) - len(entries)

        def told(event: Event) -> None:
            if isinstance(event, Progress):  # of the share; what is shown is of the whole
                place = done + event.done * ranks.world + ranks.rank
                event = replace(event, done=place, total=len(self.checkpoints.entries))
            self.report(event)

        share = entries[ranks.rank :: ranks.world]
        results = measure_checkpoints(
            share, self.setup, self.reading, batch_size=batch_size, skip_bad=self.skip_bad, report=told
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
        """Make or continue the store: the first process does, then the others join in."""
        ranks = self.group.ranks
        if ranks.first:
            writer = StoreWriter.open(self.out, self.setup.run, fresh=fresh)
            _check_unchanged(self.checkpoints, writer.committed)
            for bad in self.checkpoints.bad:
                writer.record_bad(bad)
                self.report(bad)
            self.group.wait()
            return writer
        self.group.wait()
        if not is_there(self.out):
            raise StoreError(
                f"{self.out}: process {ranks.rank} does not see what process 0 wrote",
                "Give an --out in a folder that all machines share.",
            )
        return StoreWriter.open(self.out, self.setup.run)


def _check_unchanged(checkpoints: CheckpointFiles, committed: Mapping[int, Checkpoint]) -> None:
    for entry in checkpoints.entries:
        known = committed.get(entry.epoch)
        if known and known.sha256 != sha256_of(entry.path):
            raise StoreError(
                f"{entry.path}: another file than epoch {entry.epoch} of the store was measured on ({known.path}), "
                "or changed since",
                "Give --fresh to measure the whole run anew, or another --out.",
            )
