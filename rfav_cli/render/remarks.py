"""What a table cannot say, in words: the verdict, its evidence, and what was not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from rfav_cli.render.base import column, count
from rfav_cli.render.states import RUN_STATES, STYLES, since, state_words
from rfav_cli.text import printable, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from rich.console import Console

    from rfav_cli.records import Advice, History, RunFinding, Verdict

LONGEST = 1000
"""Characters of a text that is wrapped."""


def headline(run: RunFinding, doubts: int = 0) -> Text:
    """The verdict in a few words, and how many reasons there are to doubt it."""
    text = state_words(run) + since(run.onset, interval=True)
    style = f"bold {STYLES[RUN_STATES[run.state][0]]}".rstrip()
    basis = f", by {printable(run.basis, 80)}" if run.basis else ""
    doubted = (f"; in doubt, for {count(doubts, 'reason')}", "bold yellow") if doubts else ""
    return Text.assemble("verdict: ", (text, style), basis, doubted)


def remarks(history: History, verdict: Verdict) -> Iterator[tuple[str, Iterable[tuple[str, ...]]]]:
    """What to do, what the verdict rests on, and what was skipped with its reason: titles, and the items of each.

    An item is words, and a command where one does it.
    """
    if verdict.doubts:
        yield "Doubts", ((doubt.sentence,) for doubt in verdict.doubts)
    if verdict.advice and verdict.advice.steps:
        yield "What to do", advice_items(verdict.advice)
    for title, lines in _findings(history, verdict):
        yield title, ((line,) for line in lines)


def _findings(history: History, verdict: Verdict) -> Iterator[tuple[str, Iterable[str]]]:
    losing = verdict.in_state("falling", "collapsed")
    if losing:
        yield "Layers that lose entropy", (f"{layer.name}: {layer.evidence}" for layer in losing)
    filters = [(layer.name, problem.evidence) for layer in verdict.layers for problem in layer.filters]
    if filters:
        yield "Filters", (f"{name}: {evidence}" for name, evidence in filters)
    if history.run.skipped:
        yield "Layers not measured", (f"{layer.name}: {layer.reason}" for layer in history.run.skipped)
    if history.bad:
        yield "Checkpoints that could not be used", (f"{file.path}: {file.reason}" for file in history.bad)
    counts = np.nan_to_num(column(history, "nonfinite"))
    if counts.any():
        yield "Values skipped because they were NaN or infinite", _nonfinite(history, counts)


def advice_items(advice: Advice) -> Iterator[tuple[str, ...]]:
    """Each thing to do, and the command that does it."""
    for step in advice.steps:
        yield (step.words, f"`{step.command}`") if step.command else (step.words,)


def set_in(lead: str, parts: Iterable[str], console: Console, indent: int) -> Text:
    """Untrusted parts, each from a new line on; what is not the first line is set in, so that one sees what begins."""
    texts = [Text(printable(part, LONGEST)) for part in parts]
    lines = [line for text in texts for line in text.wrap(console, console.width - indent)]
    return Text.assemble(lead, Text(f"\n{' ' * indent}").join(lines))


def _nonfinite(history: History, counts: NDArray[np.float64]) -> Iterator[str]:
    for layer, values in zip(history.run.layers, counts.T, strict=True):
        epochs = [checkpoint.epoch for checkpoint, value in zip(history.checkpoints, values, strict=True) if value]
        if epochs:
            where = f"{count(len(epochs), history.unit)} ({span(epochs)})"
            yield f"{layer.name}: {count(int(values.sum()), 'value')} in {where}"
