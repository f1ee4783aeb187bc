"""A training under way: what comes out of the loop is put on disk, then told."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import StoreError
from rfav_cli.records import Note, Training, TrainingEpoch
from rfav_cli.training import log
from rfav_cli.training.folder import unwritable
from rfav_cli.training.loop import run
from rfav_cli.training.position import Position
from rfav_cli.training.settings import check_same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rfav_cli.commands.recording import Recorder
    from rfav_cli.records import TrainingEvent
    from rfav_cli.training.folder import RunFolder
    from rfav_cli.training.loop import Task


@dataclass(frozen=True)
class Run:
    """A training and where its files go.

    Attributes:
        folder: of the run; None in all processes but the one that writes.
        task: what is trained.
        recorder: measures each checkpoint, or None.
        out: the folder's path.
        record: all that decides the weights but the device.
        resume: go on with what is in the folder.
        keep: how many checkpoints; None for all.
        report: is told what goes on.
        should_stop: asked after each step and epoch.
    """

    folder: RunFolder | None
    task: Task
    recorder: Recorder | None
    out: Path
    record: dict[str, Any]
    resume: bool
    keep: int | None
    report: Callable[[TrainingEvent], None]
    should_stop: Callable[[], bool]

    def follow(self) -> Training:
        """Train to the end, or until it is asked to stop.

        Raises:
            TrainingError: the run there is of other settings, its files cannot be written, or the net broke down.
        """
        position, rows = self._restore()
        stopped = False
        events = run(self.task, position)
        with contextlib.closing(events):
            for event in events:
                if isinstance(event, TrainingEpoch):
                    self._commit(event, position, rows)
                self.report(event)
                if isinstance(event, TrainingEpoch) and self.folder is not None:
                    self._measure(event.epoch)
                    self.folder.prune(self.keep)
                if self.task.group.any(self.should_stop()):
                    stopped = position.epoch < self.task.how.epochs
                    if not isinstance(event, TrainingEpoch):
                        self._save_state(position, rows)
                    break
        if self.recorder is not None and self.folder is not None and not stopped:
            with _resumable(self.folder.store):
                self.recorder.pack()
        return Training(str(self.out), tuple(rows), ended=not stopped)

    def _restore(self) -> tuple[Position, list[dict[str, Any]]]:
        """Where to go on: at the start, or where a run in the folder was left."""
        state, rows = self.task.group.of_first(self._load())
        position = Position()
        if state is None:
            self._save_state(position, [])  # before any other file, so that a folder without it is none of ours
            return position, []
        self.task.net.model.load_state_dict(state["model"])
        self.task.optimizer.load_state_dict(state["optimizer"])
        rank, randoms = self.task.group.ranks.rank, [state["position"]["random"], *state["others"]]
        position = Position.restored(state["position"] | {"random": randoms[rank] if rank < len(randoms) else ()})
        where = f"epoch {position.epoch}" + (f", step {position.step + 1}" if position.step else "")
        done = position.epoch >= self.task.how.epochs
        self.report(Note("the run has all its epochs already" if done else f"going on at {where}"))
        return position, rows

    def _load(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The state of a run in the folder and its log, with nothing of what came after."""
        state = self.folder.load_state() if self.folder is not None and self.resume else None
        if state is None or self.folder is None:
            return None, []
        check_same(state["settings"], self.record, self.folder.path)
        done = state["position"]["epoch"] - 1
        for epoch in self.folder.checkpoints():
            if epoch <= done:
                self._measure(epoch)
        self.folder.remove_after(done)
        return state, list(log.truncate(self.folder.log, done, state["row"]))

    def _commit(self, event: TrainingEpoch, position: Position, rows: list[dict[str, Any]]) -> None:
        """Put an epoch on disk: its checkpoint first, so that a state never knows of one that is not there."""
        if self.folder is not None:
            self.task.net.save(self.folder, event.epoch)
        rows.append(event.row())
        self._save_state(position, rows)
        if self.folder is not None:
            log.append(self.folder.log, rows[-1])

    def _save_state(self, position: Position, rows: list[dict[str, Any]]) -> None:
        """Called in all processes, since each has generators of its own."""
        captured = position.capture()
        randoms = self.task.group.gathered(captured["random"])
        if self.folder is not None:
            self.folder.save_state(
                {
                    "settings": self.record,
                    "position": captured,
                    "others": randoms[1:],
                    "row": rows[-1] if rows else None,
                    "model": self.task.net.model.state_dict(),
                    "optimizer": self.task.optimizer.state_dict(),
                }
            )

    def _measure(self, epoch: int) -> None:
        if self.recorder is None or self.folder is None:
            return
        with _resumable(self.folder.store):
            measurement = self.recorder.measure(epoch, self.folder.path_of(epoch))
        if measurement:
            self.report(measurement)


@contextlib.contextmanager
def _resumable(store: Path) -> Iterator[None]:
    """Where a store cannot be written, say what to do about a training."""
    try:
        yield
    except StoreError as error:
        if isinstance(error.__cause__, OSError):
            raise unwritable(store, error.__cause__) from error
        raise StoreError(
            error.what,
            f"Give the --probe and the settings that it was made with, or move {store.name} and {store.name}.d away: "
            "the checkpoints that are kept are measured anew.",
        ) from error
