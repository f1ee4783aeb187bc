"""The layers of a net, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from rfav_cli.render.base import SCHEMA, count, shorten, whole
from rfav_cli.render.subject import in_words
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import LayerList, ListedLayer
    from rfav_cli.render.base import Screen

LONGEST = 1000
"""Characters of a text that is wrapped."""
NAME, REASON = 12, 18
"""Cells that a layer's name and the reason why it is not measured have at least, where something else can give way."""
OPTIONAL = ("kind", "parameters")
"""Columns that give way on a narrow screen, in turn."""


def as_table(listed: LayerList, screen: Screen) -> str:
    """A row a layer, as many columns as fit the screen; then what a run would look at, and what is doubted."""
    console = screen.console()
    console.print(_table(listed, screen))
    for text in listed.notes:
        console.print(Text(printable(f"note: {text}", LONGEST)))
    for doubt in listed.doubts:
        console.print(Text(printable(f"In doubt: {doubt.sentence}", LONGEST)))
    console.print(Text(_closing(listed)))
    return screen.printed(console)


def as_json(listed: LayerList, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    document = {
        "schema": SCHEMA,
        "layers": [{**asdict(layer), "measured": _is_measured(listed, layer)} for layer in listed.layers],
        "subject": None if listed.subject is None else asdict(listed.subject),
        "notes": list(listed.notes),
        "doubts": [asdict(doubt) for doubt in listed.doubts],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _closing(listed: LayerList) -> str:
    if listed.subject is not None:
        return in_words(listed.subject)
    known = sum(layer.parameters or 0 for layer in listed.layers)
    layers = count(len(listed.layers), "layer")
    return f"{layers}, {count(known, 'parameter')}; --probe shows which of them a run would measure"


def _is_measured(listed: LayerList, layer: ListedLayer) -> bool | None:
    """None without a probe, which it takes to tell."""
    return None if listed.subject is None else not layer.reason


def _table(listed: LayerList, screen: Screen) -> Table:
    rows = listed.layers
    columns = {
        "kind": [layer.kind for layer in rows],
        "weight": [_shape(layer.weight_shape) for layer in rows],
        "output": [_shape((layer.channels or 0, *(layer.positions or ()))) if layer.uses else "" for layer in rows],
        "parameters": ["" if layer.parameters is None else f"{layer.parameters:,}" for layer in rows],
        "measured": [layer.reason or _uses(layer) for layer in rows],
    }
    if listed.subject is None:
        del columns["output"], columns["measured"]
    widths = {title: max(map(len, (title, *cells))) for title, cells in columns.items()}
    widths["measured"] = min(REASON, widths.get("measured", 0))
    longest = max([cell_len("layer"), *(cell_len(whole(layer.name)) for layer in rows)])
    least = _least_room(rows, longest, screen)
    for title in OPTIONAL:
        if least + sum(2 + widths[each] for each in columns) > screen.width:
            del columns[title]
    room = max(least, screen.width - sum(2 + widths[each] for each in columns))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("layer", no_wrap=True)
    for title in columns:
        table.add_column(
            title, justify="right" if title == "parameters" else "left", overflow="fold", no_wrap=title != "measured"
        )
    for index, layer in enumerate(rows):
        style = "dim" if layer.reason else ""
        cells = [printable(cells[index], LONGEST) for cells in columns.values()]
        table.add_row(*(Text(cell, style=style) for cell in (shorten(layer.name, room, screen), *cells)))
    return table


def _least_room(rows: Sequence[ListedLayer], longest: int, screen: Screen) -> int:
    """The cells in which no two layers have the same shortened name; `NAME` at least, if there is as long a name."""
    rooms = range(min(NAME, longest), longest)
    return next((room for room in rooms if _told_apart([layer.name for layer in rows], room, screen)), longest)


def _told_apart(names: Sequence[str], room: int, screen: Screen) -> bool:
    return len({shorten(name, room, screen) for name in names}) == len(names)


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _uses(layer: ListedLayer) -> str:
    return "yes" if layer.uses == 1 else f"yes, used {layer.uses} times"
