"""What a notebook shows of a record, as HTML in which text from files is text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.render.states import certainty, since, state_words
from rfav_cli.text import count, printable, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from rfav_cli.records import History, LayerFinding, Verdict

WIDTH, HEIGHT = 120, 18
"""Pixels of a curve."""
LONGEST = 200


def of_history(history: History, verdict: Verdict) -> str:
    """The verdict, and a row a layer: state, onset, entropy in the first epoch and the last, a curve from 0 to ln D."""
    unit = history.unit
    measured = f"{count(len(history), unit)}, {span(history.epochs.tolist())}" if len(history) else f"no {unit}s"
    head = f"<b>{_text(history.path)}</b>: {measured}; {count(history.run.probe.size, 'sample')} of "
    head += _text(history.run.probe.source)
    titles = ("layer", "kind", "D", "state", "onset", "first", "last", "of ln D", "0 to ln D")
    table = _table(titles, _rows(history, verdict))
    return f"<div>{head}{_loss(history)}{_verdict_line(verdict)}{table}</div>"


def of_verdict(verdict: Verdict) -> str:
    """What became of the run and of each layer."""
    rows = ((_text(layer.name), *_state(layer), _text(layer.evidence)) for layer in verdict.layers)
    return f"<div>{_verdict_line(verdict)}{_table(('layer', 'state', 'onset', 'evidence'), rows)}</div>"


def of_text(text: str) -> str:
    """A text in columns, as a terminal shows it."""
    lines = "\n".join(_text(line) for line in text.splitlines())
    return f"<pre>{lines}</pre>"


def _verdict_line(verdict: Verdict) -> str:
    run = verdict.run
    sure = f" ({words})" if (words := certainty(run)) else ""
    state = _text(state_words(run) + since(run.onset))
    return f"<p><b>{state}</b>{sure}: {_text(run.beside_state, 1000)}</p>" + _doubts(verdict) + _advice(verdict)


def _doubts(verdict: Verdict) -> str:
    """Why the verdict may be unsafe; nothing where there is no doubt."""
    lines = "".join(f"<li>{_text(doubt.sentence, 1000)}</li>" for doubt in verdict.doubts)
    return f"<p>In doubt:</p><ul>{lines}</ul>" if lines else ""


def _advice(verdict: Verdict) -> str:
    """What to do; nothing where there is nothing."""
    steps = verdict.advice.steps if verdict.advice else ()
    lines = "".join(
        f"<li>{_text(step.words, 1000)}{f' <code>{_text(step.command, 1000)}</code>' if step.command else ''}</li>"
        for step in steps
    )
    return f"<p>What to do:</p><ol>{lines}</ol>" if lines else ""


def _table(titles: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _state(layer: LayerFinding) -> tuple[str, str]:
    return _text(layer.state or "n/a"), "" if layer.onset is None else str(layer.onset.epoch)


def _rows(history: History, verdict: Verdict) -> Iterator[tuple[str, ...]]:
    for layer, finding, values in zip(history.run.layers, verdict.layers, history.entropy.T, strict=True):
        first, last = (values[0], values[-1]) if len(values) else (np.nan, np.nan)
        share = last / layer.max_entropy if layer.max_entropy else np.nan
        yield (
            _text(layer.name),
            _text(layer.kind),
            str(layer.channels),
            *_state(finding),
            _number(first),
            _number(last),
            _number(share, "{:.0%}"),
            _curve(values / layer.max_entropy) if layer.max_entropy else "",
        )


def _loss(history: History) -> str:
    if not np.isfinite(history.loss).any():
        return "; no held-out loss"
    best = int(np.argmin(np.where(np.isfinite(history.loss), history.loss, np.inf)))
    return (
        f"; {_text(history.loss_words)} {_number(history.loss[0])} &rarr; {_number(history.loss[best])} "
        f"({history.unit} {history.epochs[best]}) &rarr; {_number(history.loss[-1], absent='not finite')}"
    )


def _curve(shares: NDArray[np.float64]) -> str:
    """A line over the epochs, from shares of the height; what is no number is left out."""
    at = np.linspace(1, WIDTH - 1, len(shares))
    points = " ".join(
        f"{x:.1f},{HEIGHT - 1 - min(max(share, 0.0), 1.0) * (HEIGHT - 2):.1f}"
        for x, share in zip(at, shares, strict=True)
        if np.isfinite(share)
    )
    line = f'<polyline points="{points}" fill="none" stroke="#0072B2" stroke-width="1.5"/>'
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="entropy over the epochs">{line}</svg>'


def _text(text: str, limit: int = LONGEST) -> str:
    return escape(printable(text, limit))


def _number(value: float, form: str = "{:.3f}", absent: str = "n/a") -> str:
    return form.format(value) if np.isfinite(value) else absent
