"""`--format csv`: a row a layer, or a row an epoch, under the names of the JSON document joined by dots."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from rfav_cli.render.base import entropies, finite_or_none, show_document, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rfav_cli.records import History
    from rfav_cli.render.base import Screen


def render(history: History, *, epochs: bool, screen: Screen) -> str:
    """A header and rows, comma-separated, an empty cell where there is no number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in _epoch_rows(history) if epochs else _layer_rows(history):
        writer.writerow([_cell(value) for value in row])
    return screen.encodable(out.getvalue())


def _layer_rows(history: History) -> Iterator[Iterable[Any]]:
    rows = [_flat(layer) for layer in show_document(history)["layers"]]
    names = rows[0].keys() if rows else ("name", "kind", "channels")
    yield names
    for row in rows:
        yield row.values()


def _epoch_rows(history: History) -> Iterator[Iterable[Any]]:
    entropy = entropies(history)
    yield ["epoch", "loss", "accuracy", "checkpoint", *(f"entropy:{layer.name}" for layer in history.run.layers)]
    for row, epoch in enumerate(show_document(history)["epochs"]):
        yield [*epoch.values(), *(finite_or_none(value) for value in entropy[row])]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is marked as text; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = whole(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
