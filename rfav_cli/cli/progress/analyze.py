"""What an analysis tells: a progress bar on a terminal, one line a checkpoint elsewhere; all on stderr."""

import math
import time
from collections.abc import Iterator

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn

from rfav_cli import records
from rfav_cli.cli.progress.base import BarReporter
from rfav_cli.records.tasks import TASKS
from rfav_cli.render.subject import in_words
from rfav_cli.text import printable


class AnalysisReporter(BarReporter):
    """Shows the events of a run."""

    waiting = ("reading", "-")

    def __init__(self, *, quiet: bool = False, beside: bool = False) -> None:
        super().__init__(quiet=quiet, beside=beside)
        self._started = time.monotonic()
        self._done_before: int | None = None
        self._of = ""
        self._unit = "epoch"

    def _columns(self) -> Iterator[ProgressColumn]:
        yield TextColumn("{task.description}")
        yield BarColumn(bar_width=None)
        yield MofNCompleteColumn()
        yield TextColumn("{task.fields[figures]} samples/s")
        yield TimeRemainingColumn()

    def report(self, event: records.Event) -> None:
        """Show one event of a run."""
        if isinstance(event, records.Note):
            self.say(f"note: {event.text}")
        elif isinstance(event, records.Doubt):
            self.doubt(event)
        elif isinstance(event, records.BadCheckpoint):
            self.say(f"skipped: {event.path}: {event.reason}")
        elif isinstance(event, records.Subject):
            self.say(in_words(event))
        elif isinstance(event, records.Progress):
            self._advance(event)
        elif not self._has_bar or event.columns["nonfinite"].any():
            self.say(f"{self._of}{_described(event, self._unit)}")

    def _advance(self, event: records.Progress) -> None:
        self._of, self._unit = f"{event.done + 1}/{event.total} ", event.unit
        if self._done_before is None:
            self._done_before = event.done
        if self._bar:
            samples = (event.done - self._done_before) * event.size + event.samples
            rate = samples / max(1e-9, time.monotonic() - self._started)
            self._bar.update(
                self._task,
                description=escape(name_of(event)),
                completed=event.done,
                total=event.total,
                figures=f"{rate:,.0f}",
            )


def name_of(event: records.Progress) -> str:
    """The name of the file that runs through the net, as it fits a bar."""
    return printable(event.checkpoint.replace("\\", "/").rsplit("/", 1)[-1][-32:])


READ = frozenset({"probe/sample_prediction", "probe/sample_confidence", "probe/prediction_spread"})
"""Columns of which one is there where the net's output is measured."""


def figures_of(measurement: records.Measurement) -> Iterator[str]:
    """The held-out figures of a checkpoint, where there are labels and class scores, and how many are not finite."""
    loss, accuracy = (float(measurement.columns[name]) for name in ("probe/loss", "probe/accuracy"))
    if math.isfinite(loss):
        yield f"loss {loss:.4f}"
        if math.isfinite(accuracy):
            yield f"accuracy {accuracy:.4f}"
        elif "probe/figure" in measurement.columns:
            yield f"{TASKS['regression'].figure} {float(measurement.columns['probe/figure']):.4f}"
    elif "probe/sample_loss" in measurement.columns and READ & measurement.columns.keys():
        yield "loss not finite"
    if nonfinite := int(measurement.columns["nonfinite"].sum()):
        yield f"{nonfinite:,} entropies are not finite"


def _described(measurement: records.Measurement, unit: str) -> str:
    checkpoint = measurement.checkpoint
    return "  ".join([f"{unit} {checkpoint.epoch}", checkpoint.path, *figures_of(measurement)])
