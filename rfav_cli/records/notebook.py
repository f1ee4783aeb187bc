"""How a history shows itself in a notebook: a table of its layers, as HTML in which text from files is text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.records.history import History

WIDTH, HEIGHT = 120, 18
"""Pixels of a curve."""
LONGEST = 200


def as_html(history: History) -> str:
    """A table with a row a layer: its entropy in the first epoch and the last, and a curve from 0 to ln D."""
    span = f"{len(history)} epochs, {history.epochs[0]} to {history.epochs[-1]}" if len(history) else "no epochs"
    head = f"<b>{_text(history.path)}</b>: {span}; {history.run.probe.size:,} samples of "
    head += _text(history.run.probe.source)
    titles = "".join(f"<th>{title}</th>" for title in ("layer", "kind", "D", "first", "last", "of ln D", "0 to ln D"))
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in _rows(history))
    return f"<div>{head}{_loss(history)}<table><tr>{titles}</tr>{rows}</table></div>"


def _rows(history: History) -> Iterator[tuple[str, ...]]:
    for layer, values in zip(history.run.layers, history.entropy.T, strict=True):
        first, last = (values[0], values[-1]) if len(values) else (np.nan, np.nan)
        share = last / layer.max_entropy if layer.max_entropy else np.nan
        yield (
            _text(layer.name),
            _text(layer.kind),
            str(layer.channels),
            _number(first),
            _number(last),
            _number(share, "{:.0%}"),
            _curve(values / layer.max_entropy) if layer.max_entropy else "",
        )


def _loss(history: History) -> str:
    if not np.isfinite(history.loss).any():
        return "; no held-out loss"
    best = int(np.nanargmin(history.loss))
    return (
        f"; held-out loss {_number(history.loss[0])} &rarr; {_number(history.loss[best])} (epoch "
        f"{history.epochs[best]}) &rarr; {_number(history.loss[-1])}"
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


def _text(text: str) -> str:
    return escape(printable(text, LONGEST))


def _number(value: float, form: str = "{:.3f}") -> str:
    return form.format(value) if np.isfinite(value) else "n/a"
