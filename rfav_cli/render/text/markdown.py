"""`--format markdown`: the verdict and a table for a pull request, an issue or a notebook."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.render.base import Screen, entropies, finite_or_none, sparkline
from rfav_cli.render.document import show_document
from rfav_cli.render.epoch_figures import epoch_figures
from rfav_cli.render.remarks import LONGEST, headline, remarks
from rfav_cli.render.states import certainty
from rfav_cli.text import printable, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rfav_cli.records import History, Verdict

TREND = 16
"""Marks of a trend at most."""
_SPECIAL = re.compile(r"([\\`*_\[\]#!|~$@]|:(?=//)|\A[-+=>])")


def render(history: History, verdict: Verdict, *, epochs: bool, screen: Screen) -> str:
    """Headings, lists and one table; text from files is no markup in it, and no HTML."""
    document = show_document(history, verdict)
    blocks = [
        f"**{escaped(headline(verdict.run, len(verdict.doubts)).plain)}**",
        escaped(verdict.run.beside_state) + (f" ({sure})" if (sure := certainty(verdict.run)) else ""),
        _epoch_table(document, history) if epochs else _layer_table(document, history, screen),
    ]
    for title, items in remarks(history, verdict):
        lines = (" ".join(escaped(printable(part, LONGEST)) for part in item) for item in items)
        blocks.append("\n".join([f"**{title}**\n", *(f"- {line}" for line in lines)]))
    return screen.encodable("\n\n".join(blocks) + "\n")


def escaped(text: str) -> str:
    r"""Untrusted text as Markdown shows it letter by letter.

    >>> escaped("a|b <b> [x](y) @me")
    'a\\|b &lt;b&gt; \\[x\\](y) \\@me'
    """
    return html.escape(_SPECIAL.sub(r"\\\1", whole(text)), quote=False)


def _layer_table(document: dict[str, Any], history: History, screen: Screen) -> str:
    head = ["layer", "kind", "D", "state", "since", "first", "last", "of max", "corr", "abs corr", "trend"]
    return _table(head, {0, 1, 3, 10}, _layer_rows(document, history, screen))


def _layer_rows(document: dict[str, Any], history: History, screen: Screen) -> Iterator[list[str]]:
    for row, layer, curve in zip(document["layers"], history.run.layers, entropies(history).T, strict=True):
        entropy, correlation = row["entropy"], row["correlation"]
        trend = sparkline(curve, 0.0, layer.max_entropy, TREND, screen) if len(curve) else ""
        yield [
            escaped(row["name"]),
            escaped(row["kind"]),
            str(row["channels"]),
            row["state"] or "",
            _number(row["onset"], "{}"),
            _number(entropy["first"]),
            _number(entropy["last"]),
            _number(entropy["fraction"], "{:.0%}"),
            _number(correlation["mean"]),
            _number(correlation["abs_mean"]),
            trend.replace("~", r"\~").replace("_", r"\_").replace("*", r"\*"),
        ]


def _epoch_table(document: dict[str, Any], history: History) -> str:
    names = [escaped(layer.name) for layer in history.run.layers]
    figures = list(epoch_figures(document))
    trained = {} if history.run.train_probe is None else {"confidence": "confidence on training samples", "gap": "gap"}
    rows = (
        [
            str(epoch["epoch"]),
            *(cells[row] or "" for _, cells in figures),
            *(_number(epoch["train"][name], "{:.3f}") for name in trained),
            *(_number(finite_or_none(value)) for value in values),
        ]
        for row, (epoch, values) in enumerate(zip(document["epochs"], np.atleast_2d(entropies(history)), strict=True))
    )
    return _table([history.unit, *(title for title, _ in figures), *trained.values(), *names], set(), rows)


def _table(head: Sequence[str], left: set[int], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---" if column in left else "---:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _number(value: float | None, form: str = "{:.2f}") -> str:
    return "" if value is None else form.format(value)
