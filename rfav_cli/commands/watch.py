"""Watching a training from outside: each checkpoint is measured as it comes, and the run is judged."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.checkpoints.order import form_of
from rfav_cli.commands.judge import judge
from rfav_cli.commands.on_collapse import CollapseCommand, is_collapse
from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.same_epoch import EpochFiles
from rfav_cli.diagnosis import derive
from rfav_cli.errors import CheckpointError, RunError, UsageError
from rfav_cli.options import Watch, flat
from rfav_cli.records import BadCheckpoint, Checkpoint, Judged, Note, Progress, Watched
from rfav_cli.remote import refuse_address
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from rfav_cli.checkpoints.poll import Poll, PolledCheckpoint
    from rfav_cli.commands.store_recorder import StoreRecorder
    from rfav_cli.records import Measurement, Verdict

_NAP = 0.1
"""Seconds after which it is asked whether to stop."""

_PACK_EVERY = 32
"""Epochs in files of their own, each of which a reader has to open, beside the store."""

End = Literal["idle", "collapse", "stopped"]


def run(options: Watch) -> Watched:
    """Measure the checkpoints of a training as it writes them, and judge the run after each.

    The figures are those of `analyze`. A file is read when it was the same at two looks; one that cannot be read is
    tried again. A store of the same run is continued, and can be read meanwhile; one watcher at a time fills it.

    Returns:
        The store's content, the verdict, and why it ended.

    Raises:
        RunError: nothing came until `idle`.
        UsageError: the folder is elsewhere, or seconds are none.
        StoreError: another watcher fills the store, it is of another run, or it cannot be written.
        RfavError: other bad input; its subclass and message say which.
    """
    from rfav_cli.checkpoints.poll import Poll
    from rfav_cli.commands.measuring import prepare_checkpoints, search_of
    from rfav_cli.commands.store_recorder import StoreRecorder
    from rfav_cli.store import check_place, watching

    _check_seconds(interval=options.interval, patience=options.patience, idle=options.idle)
    command = None if options.on_collapse is None else CollapseCommand(options.on_collapse)
    out, folder = Path(options.out), options.folder
    refuse_address(folder, "only a local folder can be watched", "`rfav analyze` goes on where it ended, each time.")
    check_place(out, fresh=options.fresh)
    with watching(out):
        prepared = prepare_checkpoints(options)
        for text in prepared.notes:
            options.report(Note(text))
        if not Path(folder).exists():
            options.report(Note(f"{printable(folder)}: not there yet; waiting for it"))
        poll = Poll(str(folder), search_of(options), options.patience, prepared.reading)
        recorder = StoreRecorder(out, prepared, options, watching=True)
        watched = WatchLoop(options, poll, recorder, len(prepared.probe), command).watch()
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


@dataclass
class WatchLoop:
    """Looks for checkpoints again and again: each is measured when it is whole, then the run is judged.

    Attributes:
        options: of `watch`.
        poll: the files.
        recorder: measures them.
        size: samples of the probe.
        command: what is run at a collapse.
    """

    options: Watch
    poll: Poll
    recorder: StoreRecorder
    size: int
    command: CollapseCommand | None
    _verdict: Verdict | None = None
    _said: set[str] = field(default_factory=set)
    _files: EpochFiles = field(init=False)
    _forms: set[str] = field(default_factory=set)
    _unpacked: int = 0

    def __post_init__(self) -> None:
        self._files = EpochFiles(self.poll, self.recorder)

    @property
    def store(self) -> Path:
        """Where the figures go."""
        return Path(self.options.out)

    def watch(self) -> Watched:
        """Watch until it ends, and leave a packed store.

        Raises:
            RfavError: as for `watch`.
        """
        ended = self._until_end()
        for path, error in self.poll.unreadable():
            self._record_bad(path, error)
        if self.command is not None:
            self._tell(self.command.outcome() or self.command.left_alone())
        if self._verdict is None:
            return Watched(None, None, ended)
        self.recorder.pack()
        history = open_store(self.store)
        for doubt in derive(history).doubts:
            self.options.report(doubt)
        return Watched(history, self._verdict, ended)

    def _until_end(self) -> End:
        active = time.monotonic()
        while True:
            for path in self._look():
                if self._take(path):
                    active = time.monotonic()
                if not self._wait(0):
                    return "stopped"
                if self._has_collapsed:
                    return self._outlast_command()
            if self._verdict is None and self.recorder.opened:
                self._judge(None)
                if self._has_collapsed:
                    return self._outlast_command()
            now = time.monotonic()
            since = max(active, self.poll.changed or active)
            if self.options.idle is not None and now - since >= self.options.idle:
                return self._outlast_command("idle")
            idle = self.options.idle
            pause = self.options.interval if idle is None else min(self.options.interval, since + idle - now)
            if not self._wait(pause):
                return "stopped"

    @property
    def _has_collapsed(self) -> bool:
        return self.options.until_collapse and self._verdict is not None and is_collapse(self._verdict)

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
                if self._is_stored(path):
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
                self._say_passed_over()
                return False
            self._add(polled)
            self.poll.finish(path)
            return True

    def _is_stored(self, path: Path) -> bool:
        """Whether the store has just this file; it need not be opened then."""
        from rfav_cli.checkpoints.digests import digest_of

        digests = [stored.sha256 for stored in self.recorder.committed.values() if stored.path == str(path)]
        return bool(digests) and digest_of(path) in digests

    def _add(self, polled: PolledCheckpoint) -> None:
        if polled.epoch is None:
            self._tell_once(
                f"skipped {printable(polled.path)}: its epoch cannot be told; --epochs says where it stands in the "
                "names, as in 'net_{epoch}_*.pt'"
            )
            return
        self.recorder.count_in(polled.unit)
        checkpoint = Checkpoint(polled.epoch, str(polled.path), polled.sha256)
        done = len(self.recorder.committed)

        def on_batch(samples: int) -> None:
            self.options.report(Progress(checkpoint.path, done, done + 1, samples, self.size, polled.unit))

        try:
            measurement = self.recorder.add(polled.payload, checkpoint, on_batch)
        except CheckpointError as error:
            if self._is_of_another_net(polled.path):
                self._tell_once(f"passed over {printable(polled.path)}, which may be of another net: {error.what}")
            elif self.recorder.opened:
                self._record_bad(polled.path, error)
            else:
                raise
            return
        if measurement is None:
            self._tell_once(self._files.not_measured(polled, checkpoint))
        else:
            self._files.measured(polled)
            self._forms.add(form_of(polled.path))
            self.options.report(measurement)
            self._judge(measurement)
            self._unpacked += 1
            if self._unpacked == _PACK_EVERY:
                self.recorder.pack()
                self._unpacked = 0

    def _is_of_another_net(self, path: Path) -> bool:
        """Whether those that were measured, or those that are left where none was, are named in another way."""
        return form_of(path) not in self._forms if self._forms else self.poll.other_names(path)

    def _say_passed_over(self) -> None:
        for name in self.poll.passed_over:
            self._tell_once(f"passed over what holds no weights: {printable(name)}")
        self.poll.passed_over.clear()

    def _retry(self, path: Path, error: CheckpointError) -> None:
        """Read a file again later, or give it up."""
        try:
            if self.poll.fail(path, error, time.monotonic()):
                self._tell_once(f"{error.what}; it may not be whole yet: trying again")
        except CheckpointError:
            self._record_bad(path, error)

    def _record_bad(self, path: Path, error: CheckpointError) -> None:
        bad = BadCheckpoint(str(path), error.what)
        self.options.report(bad)
        self._tell_once(error.remedy)
        self.recorder.record_bad(bad)

    def _judge(self, measurement: Measurement | None) -> None:
        self._verdict = judge(self.store, thresholds=self.options.thresholds)
        epoch = max(self.recorder.committed) if measurement is None else measurement.checkpoint.epoch
        self.options.report(Judged(epoch, self._verdict, measurement, self.recorder.unit))
        if self.command is not None and is_collapse(self._verdict):
            self._tell(self.command.start(self.store, epoch, self._verdict))

    def _outlast_command(self, ended: End = "collapse") -> End:
        """Wait until the user's command has ended, so that it can be told how, or until it is asked to stop."""
        while self.command is not None and self.command.runs:
            if not self._wait(_NAP):
                break
        return ended

    def _wait(self, seconds: float) -> bool:
        """Wait; False as soon as it is asked to stop."""
        until = time.monotonic() + seconds
        while not self.options.should_stop():
            if self.command is not None:
                self._tell(self.command.outcome())
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _NAP))
        return False

    def _tell(self, text: str) -> None:
        if text:
            self.options.report(Note(text))

    def _tell_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._tell(text)
