"""What `rfav train` tells while it goes on: a line an epoch, and on a terminal a bar with the figures of the step."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeRemainingColumn

from rfav_cli import records
from rfav_cli.cli.progress.base import LONGEST, BarReporter
from rfav_cli.text import printable

BESIDE = 40
"""Columns of a terminal that the epoch, the step and the time take."""
ROOM_FOR_A_BAR = 100
"""Columns from which on there is one."""


class TrainingReporter(BarReporter):
    """Shows the events of a training."""

    waiting = ("reading the data", "")

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._last: list[str] = []

    def _columns(self) -> Iterator[ProgressColumn]:
        yield TextColumn("{task.description}")
        if self._console.width >= ROOM_FOR_A_BAR:
            yield BarColumn(bar_width=None)
        yield TextColumn("{task.fields[figures]}")
        yield TimeRemainingColumn()

    def report(self, event: records.TrainingEvent) -> None:
        """Show one event of a training."""
        if isinstance(event, records.Note):
            self.say(f"note: {event.text}")
        elif isinstance(event, records.Doubt):
            self.doubt(event)
        elif isinstance(event, records.TrainingStep):
            self._advance(event)
        elif isinstance(event, records.TrainingEpoch):
            loss, accuracy = event.validation_loss, event.validation_accuracy
            self._last = [] if loss is None or accuracy is None else [f"val {loss:.3f}", f"{accuracy:.1%}"]
            self.say(described(event))
        elif nonfinite := int(event.columns["nonfinite"].sum()):
            self.say(f"epoch {event.checkpoint.epoch}: {nonfinite:,} entropies are not finite")

    def _advance(self, event: records.TrainingStep) -> None:
        if self._bar:
            parts = [f"loss {event.loss:.3f}", *([f"pen {event.penalty:+.3f}"] if event.penalty else []), *self._last]
            while len(" ".join(parts)) > max(self._console.width - BESIDE, 0):
                parts.pop()
            self._bar.update(
                self._task,
                description=f"epoch {event.epoch}/{event.epochs - 1} step {event.step}/{event.steps}",
                completed=event.epoch * event.steps + event.step,
                total=event.epochs * event.steps,
                figures=" ".join(parts),
            )


def described(event: records.TrainingEpoch) -> str:
    """An epoch as a line."""
    parts = [f"epoch {event.epoch}"]
    if event.train_loss is not None:
        parts.append(f"train loss {event.train_loss:.4f}  accuracy {event.train_accuracy or 0:.4f}")
    if event.penalties:
        parts.append("penalties " + " ".join(f"{name} {value:+.4f}" for name, value in event.penalties.items()))
    return "  ".join(parts) + _held_out(event.row()) + f"  {event.seconds:.1f} s"


def summary(done: records.Training) -> str:
    """What became of a training, as a line."""
    if not done.path:
        return f"nothing to train: {printable(done.reason, LONGEST)}\n"
    from rfav_cli.render.base import count

    rows = [row for row in done.rows if "validation_loss" in row]
    text = f"{printable(done.path, LONGEST)}: {count(len([row for row in done.rows if row['epoch'] >= 0]), 'epoch')}"
    if rows:
        finite = [row for row in rows if row["validation_loss"] is not None]
        sound = max((place for place, row in enumerate(rows) if row["validation_loss"] is not None), default=-1)
        since = f" since epoch {rows[sound + 1]['epoch']}" if 0 <= sound < len(rows) - 1 else ""
        text += f", validation loss {_shown(rows[-1]['validation_loss'])}{since}"
        if finite:
            best = min(finite, key=lambda row: float(row["validation_loss"]))
            text += f" (lowest {best['validation_loss']:.4f} at epoch {best['epoch']})"
        text += f", accuracy {rows[-1]['validation_accuracy']:.4f}"
    return text + ("\n" if done.ended else "; --resume goes on\n")


def _held_out(row: Mapping[str, Any]) -> str:
    if "validation_accuracy" not in row:
        return ""
    text = f"  validation loss {_shown(row['validation_loss'])}  accuracy {row['validation_accuracy']:.4f}"
    return text + (f"  lambda x {row['lambda_factor']:.3g}" if "lambda_factor" in row else "")


def _shown(loss: float | None) -> str:
    return "not finite" if loss is None else f"{loss:.4f}"
