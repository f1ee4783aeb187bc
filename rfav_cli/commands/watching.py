"""Looking for checkpoints again and again: each is measured when it is whole, then the run is judged."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.commands.judge import judge
from rfav_cli.commands.open_store import open_store
from rfav_cli.diagnosis.labels import doubt_about_labels
from rfav_cli.errors import CheckpointError, RunError, StoreError
from rfav_cli.records import BadCheckpoint, Checkpoint, Judged, Note, Progress, Watched
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from rfav_cli.checkpoints.poll import Poll, PolledCheckpoint
    from rfav_cli.commands.on_collapse import Alarm
    from rfav_cli.commands.recording import Recorder
    from rfav_cli.options import Watch
    from rfav_cli.records import Measurement, Verdict

_NAP = 0.1
"""Seconds after which it is asked whether to stop."""

_PACK_EVERY = 32
"""Epochs in files of their own, each of which a reader has to open, beside the store."""

End = Literal["idle", "collapse", "stopped"]


@dataclass
class Vigil:
    """A training that is watched.

    Attributes:
        options: of `watch`.
        poll: the files.
        recorder: measures them.
        size: samples of the probe.
        alarm: what is done at a collapse.
    """

    options: Watch
    poll: Poll
    recorder: Recorder
    size: int
    alarm: Alarm | None
    _verdict: Verdict | None = None
    _told: set[str] = field(default_factory=set)
    _is_of_run: bool = False
    _unpacked: int = 0

    @property
    def store(self) -> Path:
        """Where the figures go."""
        return Path(self.options.out)

    def keep(self) -> Watched:
        """Watch until it ends, and leave a packed store.

        Raises:
            RfavError: as for `watch`.
        """
        ended = self._watch()
        for path, error in self.poll.unreadable():
            self._leave_out(path, error)
        if self.alarm is not None:
            self._tell(self.alarm.outcome() or self.alarm.left_alone())
        if self._verdict is None:
            return Watched(None, None, ended)
        self.recorder.pack()
        history = open_store(self.store)
        self._tell(doubt_about_labels(history))
        return Watched(history, self._verdict, ended)

    def _watch(self) -> End:
        active = time.monotonic()
        while True:
            for path in self._look():
                if self._take(path):
                    active = time.monotonic()
                if not self._wait(0):
                    return "stopped"
                if self._has_collapsed:
                    return self._outlast_alarm()
            if self._verdict is None and self.recorder.opened:
                self._judge(None)
                if self._has_collapsed:
                    return self._outlast_alarm()
            now = time.monotonic()
            since = max(active, self.poll.changed or active)
            if self.options.idle is not None and now - since >= self.options.idle:
                return self._outlast_alarm("idle")
            idle = self.options.idle
            pause = self.options.interval if idle is None else min(self.options.interval, since + idle - now)
            if not self._wait(pause):
                return "stopped"

    @property
    def _has_collapsed(self) -> bool:
        return self.options.until_collapse and self._verdict is not None and bool(self._verdict.in_state("collapsed"))

    def _look(self) -> list[Path]:
        """The files that can be read; a folder that cannot be listed now may be later."""
        try:
            return self.poll.look(time.monotonic())
        except RunError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            self._tell_once(f"{error.what}; trying again")
            return []

    def _take(self, path: Path) -> bool:
        """Measure a file that can be read, unless the store has it; False where it is to be looked at again."""
        with ExitStack() as stack:
            try:
                if self._is_known(path):
                    self.poll.finish(path)
                    return True
                polled = stack.enter_context(self.poll.opened(path))
            except FileNotFoundError:  # the next look tells
                return False
            except OSError as error:
                self._retry(path, CheckpointError(f"{path}: cannot be read: {what_it_says(error)}"))
                return False
            except CheckpointError as error:
                self._retry(path, error)
                return False
            if polled is None:
                return False
            self._add(polled)
            self.poll.finish(path)
            return True

    def _is_known(self, path: Path) -> bool:
        """Whether the store has just this file; it need not be opened then."""
        from rfav_cli.checkpoints.find import sha256_of

        known = [each.sha256 for each in self.recorder.committed.values() if each.path == str(path)]
        return bool(known) and sha256_of(path) in known

    def _add(self, polled: PolledCheckpoint) -> None:
        if polled.epoch is None:
            self._tell_once(
                f"left out {printable(polled.path)}: its epoch cannot be told; --epochs says where it stands in the "
                "names, as in 'net_{epoch}_*.pt'"
            )
            return
        checkpoint = Checkpoint(polled.epoch, str(polled.path), polled.sha256)
        done = len(self.recorder.committed)

        def told(samples: int) -> None:
            self.options.report(Progress(checkpoint.path, done, done + 1, samples, self.size))

        try:
            measurement = self.recorder.add(polled.payload, checkpoint, told)
        except CheckpointError as error:
            if not self.recorder.opened:
                raise
            self._leave_out(polled.path, error)
            return
        if measurement is None:
            self._compare(checkpoint)
        else:
            self._is_of_run = True
            self.options.report(measurement)
            self._judge(measurement)
            self._unpacked += 1
            if self._unpacked == _PACK_EVERY:
                self.recorder.pack()
                self._unpacked = 0

    def _compare(self, checkpoint: Checkpoint) -> None:
        """Say so when the store has an epoch of another file.

        Raises:
            StoreError: the store is likely of another run.
        """
        known = self.recorder.committed[checkpoint.epoch]
        if known.sha256 == checkpoint.sha256:
            self._is_of_run = True
        elif self._is_of_run:
            self._tell_once(
                f"left out {printable(checkpoint.path)}: the store has epoch {checkpoint.epoch} of another file, or of "
                f"this one before it changed ({printable(known.path)})"
            )
        else:
            raise StoreError(
                f"{checkpoint.path}: another file than epoch {checkpoint.epoch} of the store was measured on "
                f"({known.path}), or changed since",
                "Give --fresh to measure the whole run anew, or another --out.",
            )

    def _retry(self, path: Path, error: CheckpointError) -> None:
        """Read a file again later, or give it up."""
        try:
            if self.poll.fail(path, error, time.monotonic()):
                self._tell_once(f"{error.what}; it may not be whole yet: trying again")
        except CheckpointError:
            self._leave_out(path, error)

    def _leave_out(self, path: Path, error: CheckpointError) -> None:
        bad = BadCheckpoint(str(path), error.what)
        self.options.report(bad)
        self._tell_once(error.remedy)
        self.recorder.record_bad(bad)

    def _judge(self, measurement: Measurement | None) -> None:
        self._verdict = judge(self.store, thresholds=self.options.thresholds)
        epoch = max(self.recorder.committed) if measurement is None else measurement.checkpoint.epoch
        self.options.report(Judged(epoch, self._verdict, measurement))
        if self.alarm is not None and self._verdict.in_state("collapsed"):
            self._tell(self.alarm.start(self.store, epoch, self._verdict))

    def _outlast_alarm(self, ended: End = "collapse") -> End:
        """Wait until the user's command has ended, so that it can be told how, or until it is asked to stop."""
        while self.alarm is not None and self.alarm.runs:
            if not self._wait(_NAP):
                break
        return ended

    def _wait(self, seconds: float) -> bool:
        """Wait; False as soon as it is asked to stop."""
        until = time.monotonic() + seconds
        while not self.options.should_stop():
            if self.alarm is not None:
                self._tell(self.alarm.outcome())
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _NAP))
        return False

    def _tell(self, text: str) -> None:
        if text:
            self.options.report(Note(text))

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
