"""What it means that a watched training has a file of an epoch that is measured already, or one of another epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.errors import CheckpointError, RunError, StoreError
from rfav_cli.records import Checkpoint, Doubt
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.checkpoints.poll import Poll, PolledCheckpoint
    from rfav_cli.checkpoints.stored_epochs import NamedFile
    from rfav_cli.commands.store_recorder import StoreRecorder

_ANEW = "Give --fresh to measure the whole run anew, or another --out."


@dataclass
class EpochFiles:
    """Keeps the epochs of a watched run apart, whichever files claim them.

    Attributes:
        poll: the files.
        recorder: has measured some of them.
    """

    poll: Poll
    recorder: StoreRecorder
    _is_of_run: bool = False
    _overwritten: bool = False
    _named: list[NamedFile] = field(default_factory=list)

    def measured(self, polled: PolledCheckpoint) -> None:
        """Take note of a file that was measured, and doubt its epoch where its name says another."""
        from rfav_cli.checkpoints.stored_epochs import NamedFile, epoch_doubts

        self._is_of_run = True
        if polled.named is None or polled.stored is None:
            return
        file = NamedFile(polled.path, polled.named, polled.stored)
        if doubts := epoch_doubts([*self._named, file]):
            self.recorder.record_doubt(doubts[0])
        else:
            self._named.append(file)

    def not_measured(self, polled: PolledCheckpoint, checkpoint: Checkpoint) -> str:
        """What to say of a file whose epoch the store has; empty where it is that file, or a copy.

        Raises:
            StoreError: the store is likely of another run.
            RunError: two files are named after one epoch, and hold other weights: the folder is of two runs.
        """
        stored = self.recorder.committed[checkpoint.epoch]
        if stored.sha256 == checkpoint.sha256:
            self._is_of_run = True
            return ""
        if not self._is_of_run:
            raise StoreError(
                f"{checkpoint.path}: another file than epoch {checkpoint.epoch} of the store was measured on "
                f"({stored.path}), or changed since",
                _ANEW,
            )
        skipped = (
            f"skipped {printable(checkpoint.path)}: the store has epoch {checkpoint.epoch} of another file, or of this "
            f"one before it changed ({printable(stored.path)})"
        )
        # A name that says no epoch, such as last.pt, may be written several times in an epoch.
        says_epoch = polled.named is not None and abs(polled.named - checkpoint.epoch) <= 1
        if polled.named is None and self._is_copy(polled, checkpoint.epoch):
            return ""
        if not says_epoch or self._has_weights(polled, checkpoint.epoch):
            return skipped
        if stored.path == checkpoint.path:
            self._doubt_overwritten(checkpoint)
        elif self.poll.named(Path(stored.path)) == polled.named:
            self._refuse_second(checkpoint, stored)
        return skipped

    def _has_weights(self, polled: PolledCheckpoint, epoch: int) -> bool:
        """Whether a file holds what an epoch was measured on, or nothing that can be compared."""
        try:
            return self.recorder.has_weights(polled.payload, epoch) is not False
        except CheckpointError:
            return True

    def _is_copy(self, polled: PolledCheckpoint, epoch: int) -> bool:
        """Whether a file surely holds what an epoch was measured on."""
        try:
            return self.recorder.has_weights(polled.payload, epoch) is True
        except CheckpointError:
            return False

    def _doubt_overwritten(self, checkpoint: Checkpoint) -> None:
        if self._overwritten:
            return
        self._overwritten = True
        words = (
            f"{printable(Path(checkpoint.path).name)} was written again after it was measured, with other weights: the "
            "figures from there on may be of two trainings"
        )
        self.recorder.record_doubt(Doubt("run", f"epoch {checkpoint.epoch}", words, _ANEW, 0.9))

    def _refuse_second(self, checkpoint: Checkpoint, stored: Checkpoint) -> None:
        both = f"{printable(stored.path)} and {printable(checkpoint.path)}"
        remedy = "Leave the files of one of them out, by a glob or with --epochs, and measure with --fresh."
        words = f"{both} are two files of one epoch with other weights, so that two runs may have been measured"
        self.recorder.record_doubt(Doubt("run", f"epoch {checkpoint.epoch}", words, remedy, 0.9))
        raise RunError(f"epoch {checkpoint.epoch} is there twice, as in two runs: {both}", remedy)
