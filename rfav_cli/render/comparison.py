"""What `rfav compare` found, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from rfav_cli.render.base import SCHEMA, shorten
from rfav_cli.render.document import run_document
from rfav_cli.render.remarks import headline
from rfav_cli.render.text_table import TextColumn, text_table
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from rich.console import Console

    from rfav_cli.records import Comparison, Difference, EpochFigures, RunSide
    from rfav_cli.render.base import Screen

    Row: TypeAlias = tuple[
        str, Callable[[EpochFigures], str], EpochFigures | None, EpochFigures | None, str, Difference | None
    ]
    """Title, form, what A and B have, the difference in words, and the difference that decides which is better."""

LONGEST = 1000
"""Characters of a text that is wrapped."""
NAME = 12
"""Cells that a layer's name has at least, where something else can give way."""
NARROWER: tuple[tuple[int, frozenset[str]], ...] = (
    (2, frozenset()),
    (1, frozenset()),
    (1, frozenset({"|corr|"})),
    (1, frozenset({"|corr|", "of max"})),
    (1, frozenset({"|corr|", "of max", "entropy"})),
)
"""What gives way in turn in the table of layers: (blanks between columns, columns left out)."""
ABSENT = "n/a"


def as_table(comparison: Comparison, screen: Screen) -> str:
    """Text that fits the screen: the runs, which is better in words, the figures, the layers, and what limits them."""
    console = screen.console()
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        console.print(
            Text(f"{name}: {shorten(side.store, screen.width - 3, screen)}"), headline(side.finding), sep="\n"
        )
    console.print("", *(_item(line, console) for line in comparison.summary), sep="\n")
    if comparison.a.best or comparison.b.best:
        console.print("", text_table(_run_columns(comparison, screen), 2 if screen.width >= 60 else 1), sep="\n")
    if comparison.layers:
        _print_layers(comparison, console, screen)
    if comparison.notes:
        console.print("", Text("Notes", style="bold"), *(_item(line, console) for line in comparison.notes), sep="\n")
    return screen.printed(console)


def as_json(comparison: Comparison, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    differences = {
        "best_loss": comparison.best_loss,
        "best_accuracy": comparison.best_accuracy,
        "last_loss": comparison.last_loss,
        "last_accuracy": comparison.last_accuracy,
    }
    document = {
        "schema": SCHEMA,
        "a": _side_document(comparison.a),
        "b": _side_document(comparison.b),
        "same_probe": comparison.same_probe,
        "loss": comparison.loss_words,
        "figure": comparison.figure or None,
        "differences": {name: difference and asdict(difference) for name, difference in differences.items()},
        "summary": comparison.summary,
        "layers": [asdict(layer) for layer in comparison.layers],
        "notes": comparison.notes,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _side_document(side: RunSide) -> dict[str, Any]:
    return {
        "store": side.store,
        "run": run_document(side.finding),
        "best": side.best and asdict(side.best),
        "last": side.last and asdict(side.last),
    }


def _run_columns(comparison: Comparison, screen: Screen) -> list[TextColumn]:
    """The held-out figures of both runs: a row a figure."""
    a, b = comparison.a, comparison.b
    rows: list[Row] = []
    for name, one, other, loss, accuracy in (
        ("best", a.best, b.best, comparison.best_loss, comparison.best_accuracy),
        ("last", a.last, b.last, comparison.last_loss, comparison.last_accuracy),
    ):
        rows += [
            (f"{name} {comparison.unit}", _epoch, one, other, "", None),
            *_losses(one, other, loss, screen),
        ]
        if comparison.figure:
            rows.append((comparison.figure, _accuracy, one, other, _points(accuracy, screen), accuracy))
    columns = [
        TextColumn(_heading(comparison), [title for title, *_ in rows], "left"),
        TextColumn("A", [ABSENT if one is None else form(one) for _, form, one, _, _, _ in rows]),
        TextColumn("B", [ABSENT if other is None else form(other) for _, form, _, other, _, _ in rows]),
        TextColumn("B - A", [change for *_, change, _ in rows]),
        TextColumn("better", [(difference.better or "-") if difference else "" for *_, difference in rows], "left"),
    ]
    fits = sum(column.width + 1 for column in columns) - 1 <= screen.width
    return columns if fits else columns[:-1]


def _heading(comparison: Comparison) -> str:
    """What the losses below are, where they are not the usual ones."""
    return "held-out" if comparison.loss_words == "held-out loss" else printable(comparison.loss_words, 40)


def _losses(a: EpochFigures | None, b: EpochFigures | None, loss: Difference | None, screen: Screen) -> Iterator[Row]:
    """The measured losses, and where they were smoothed to be compared those that were."""
    if loss is None or loss.smoothed is None:
        yield "loss", _loss, a, b, _change_of_loss(loss, screen), loss
    else:
        yield "loss", _loss, a, b, _number(loss.value, "+"), None
        yield "- smoothed", _smoothed_loss, a, b, _change_of_loss(loss, screen), loss


def _epoch(figures: EpochFigures) -> str:
    return str(figures.epoch)


def _loss(figures: EpochFigures) -> str:
    return _number(figures.loss)


def _smoothed_loss(figures: EpochFigures) -> str:
    return ABSENT if figures.smoothed_loss is None else _number(figures.smoothed_loss)


def _accuracy(figures: EpochFigures) -> str:
    return ABSENT if figures.accuracy is None else f"{figures.accuracy:.1%}"


def _change_of_loss(difference: Difference | None, screen: Screen) -> str:
    if difference is None:
        return ABSENT
    error = None if difference.error is None else _number(difference.error)
    return _with_error(_number(difference.tested, "+"), error, screen)


def _points(difference: Difference | None, screen: Screen) -> str:
    """A difference of accuracies in percentage points."""
    if difference is None:
        return ABSENT
    error = None if difference.error is None else f"{100 * difference.error:.1f}"
    return _with_error(f"{100 * difference.value:+.1f}", error, screen)


def _with_error(value: str, error: str | None, screen: Screen) -> str:
    return value if error is None else f"{value} {'±' if screen.unicode else '+-'} {error}"


def _number(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}" if abs(value) < 1000 else f"{value:{sign}.2g}"


def _print_layers(comparison: Comparison, console: Console, screen: Screen) -> None:
    """A row a layer, then in words which of them changed."""
    layers = comparison.layers
    arrow = " → " if screen.unicode else " -> "

    def pairs(of: str, form: str) -> list[str]:
        return [arrow.join(_cell(side, of, form) for side in (layer.a, layer.b)) for layer in layers]

    columns = [
        TextColumn("state", pairs("state", "{}"), "left"),
        TextColumn("entropy", pairs("entropy", "{:.2f}")),
        TextColumn("of max", pairs("fraction", "{:.0%}")),
        TextColumn("|corr|", pairs("correlation", "{:.2f}")),
    ]
    names = [shorten(layer.name, screen.width, screen) for layer in layers]
    widest = max(map(cell_len, ("layer", *names)))
    for gap, dropped in NARROWER:
        fitting = [column for column in columns if column.title not in dropped]
        room = screen.width - sum(column.width + gap for column in fitting)
        if room >= min(widest, NAME):
            break
    width = max(min(widest, room), len("layer"))
    first = TextColumn("layer", [shorten(name, width, screen) for name in names], "left")
    measured = "Entropy in nats; of max: entropy / ln D; |corr|: mean |correlation| of the filters."
    note = f"A{arrow}B, last {comparison.unit}s. {measured}"
    if dropped:
        note += f" Left out at this width: {', '.join(sorted(dropped))}; --format json has all."
    console.print("", text_table([first, *fitting], gap), "", Text(note, style="dim"), sep="\n")
    changed = [layer for layer in layers if layer.a is None or layer.b is None or layer.a.state != layer.b.state]
    if changed:
        lines = (_item(f"{layer.name}: {layer.change}", console) for layer in changed)
        console.print("", Text("Layers that changed", style="bold"), *lines, sep="\n")


def _cell(side: object, of: str, form: str) -> str:
    value = getattr(side, of, None)
    return ABSENT if value is None else form.format(value)


def _item(text: str, console: Console) -> Text:
    """A line of a list; what does not fit on it goes on further in, so that each item is seen to begin."""
    lines = Text(printable(text, LONGEST)).wrap(console, console.width - 4)
    return Text.assemble("  ", Text("\n    ").join(lines))
