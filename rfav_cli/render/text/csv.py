"""`--format csv`: a row a layer, or a row an epoch, under the names of the JSON document joined by dots."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from rfav_cli.render.base import entropies, finite_or_none
from rfav_cli.render.document import OF_PREDICTIONS, show_document
from rfav_cli.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rfav_cli.records import History, Verdict
    from rfav_cli.render.base import Screen


FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of a formula; some take the wide signs, too."""


def render(history: History, verdict: Verdict, *, epochs: bool, screen: Screen) -> str:
    """A header and rows, comma-separated, an empty cell where there is no number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in _epoch_rows(history, verdict) if epochs else _layer_rows(history, verdict):
        writer.writerow([_cell(value) for value in row])
    return screen.encodable(out.getvalue())


def _layer_rows(history: History, verdict: Verdict) -> Iterator[Iterable[Any]]:
    rows = [_flat(layer) for layer in show_document(history, verdict)["layers"]]
    names = rows[0].keys() if rows else ("name", "kind", "channels")
    yield names
    for row in rows:
        yield row.values()


def _epoch_rows(history: History, verdict: Verdict) -> Iterator[Iterable[Any]]:
    entropy = entropies(history)
    names = [f"entropy:{layer.name}" for layer in history.run.layers]
    epochs = [_flat(epoch) for epoch in show_document(history, verdict)["epochs"]]
    yield [*(epochs[0] if epochs else ("epoch", *OF_PREDICTIONS, "nonfinite", "distance", "checkpoint")), *names]
    for row, epoch in enumerate(epochs):
        yield [*epoch.values(), *(finite_or_none(value) for value in entropy[row])]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        elif name == "interval":
            flat.update(zip((f"{prefix}interval.low", f"{prefix}interval.high"), value or (None, None), strict=True))
        elif name == "filters":
            flat[f"{prefix}{name}"] = "; ".join(finding["evidence"] for finding in value)
        elif isinstance(value, list):
            flat[f"{prefix}{name}"] = json.dumps(value)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is marked as text; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = whole(value)
    return f"'{text}" if text.lstrip().startswith(FORMULAS) else text
