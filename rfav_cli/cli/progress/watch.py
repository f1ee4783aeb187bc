"""What `rfav watch` tells: the verdict after each epoch, a line on stdout, and on a terminal what it is waiting for."""

from collections.abc import Iterator

from rich.markup import escape
from rich.progress import ProgressColumn, SpinnerColumn, TextColumn

from rfav_cli import records
from rfav_cli.cli.output import emit, held
from rfav_cli.cli.progress.analyze import AnalysisReporter, figures_of, name_of
from rfav_cli.cli.progress.base import LONGEST
from rfav_cli.render.states import since, state_words
from rfav_cli.text import printable

WAITING = "waiting for checkpoints"


class WatchReporter(AnalysisReporter):
    """Shows what happens while a training is watched."""

    waiting = (WAITING, "")

    def _columns(self) -> Iterator[ProgressColumn]:
        yield SpinnerColumn()
        yield TextColumn("{task.description}")
        yield TextColumn("{task.fields[figures]}")

    def report(self, event: records.WatchEvent) -> None:
        """Show one event."""
        if isinstance(event, records.Judged):
            self._tell(judged(event))
        elif isinstance(event, records.Progress):
            self._advance(event)
        elif not isinstance(event, records.Measurement):
            super().report(event)

    def _advance(self, event: records.Progress) -> None:
        if self._bar:
            self._show(name_of(event), f"{event.samples:,}/{event.size:,} samples")

    def _show(self, description: str, figures: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=escape(description), figures=figures)

    def _tell(self, line: str) -> None:
        """Print a result on stdout; not while there is a bar, which takes what is printed to stderr."""
        if self._quiet:
            return
        if self._bar:
            self._show(WAITING, "")
            self._bar.stop()
        emit(f"{line}\n")
        if self._bar:
            self._bar.start()


def judged(event: records.Judged) -> str:
    """The verdict after an epoch, as a line."""
    run, layers = event.verdict.run, event.verdict.in_state("collapsed")
    parts = [f"{event.unit} {event.epoch}", f"{state_words(run)}{since(run.onset)}"]
    if event.verdict.doubts:
        parts.append("in doubt")
    if layers:
        parts.append("collapsed: " + ", ".join(printable(layer.name) for layer in layers))
    if event.measurement is not None:
        parts += figures_of(event.measurement)
    return printable("  ".join(parts), LONGEST)


def summary(store: object, watched: records.Watched) -> str:
    """What became of the run in the end, as a line."""
    history, verdict = watched.history, watched.verdict
    if history is None or verdict is None:
        return "nothing was measured\n"
    state, reason = verdict.run.state, printable(verdict.run.reason, LONGEST)
    return f"{held(store, history)}: {reason if reason.startswith(state) else f'{state}: {reason}'}\n"
