"""What `rfav recommend` found, as a table and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from rfav_cli.render.base import SCHEMA, shorten
from rfav_cli.render.document import advice_document
from rfav_cli.render.remarks import LONGEST, advice_items, set_in
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from rfav_cli.records import LayerRecipe, Recipe
    from rfav_cli.render.base import Screen

NAME = 16
"""Cells that a layer's name has at least, where something else can give way."""
NARROWER: tuple[tuple[int, frozenset[str]], ...] = (
    (2, frozenset()),
    (1, frozenset()),
    (2, frozenset({"finding"})),
    (1, frozenset({"finding"})),
)
"""What gives way in turn: (blanks between columns, columns left out). The lines below say the finding, too."""


def as_table(recipe: Recipe, screen: Screen) -> str:
    """Text that fits the screen: the verdict, what to do, and of a recipe a row a layer and the reason for each."""
    console = screen.console()
    console.print(Text(printable(f"{recipe.store}: {recipe.reason}", LONGEST)))
    for doubt in recipe.doubts:
        console.print(Text(printable(f"In doubt: {doubt}", LONGEST)))
    if recipe.advice and recipe.advice.steps:
        console.print("", Text("What to do", style="bold"), sep="\n")
        for number, item in enumerate(advice_items(recipe.advice), 1):
            console.print(set_in(f"  {number}. ", item, console, 5))
    if recipe.warning:
        console.print("", Text(printable(f"Not advised: {recipe.warning}", LONGEST), style="bold yellow"), sep="\n")
    if recipe.layers:
        console.print("", _table(recipe.layers, screen), "", sep="\n")
        _print_notes(recipe, console)
    return screen.printed(console)


def as_json(recipe: Recipe, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    document = {
        "schema": SCHEMA,
        "store": recipe.store,
        "digest": recipe.digest,
        "rule": recipe.rule,
        "reason": recipe.reason,
        "doubts": list(recipe.doubts),
        "advice": recipe.advice and advice_document(recipe.advice),
        "warning": recipe.warning or None,
        "rewind": recipe.rewind,
        "rewind_by": recipe.rewind_by or None,
        "checkpoint": recipe.checkpoint,
        "loss": recipe.loss,
        "with_bias": recipe.with_bias,
        "fold_norm": recipe.fold_norm,
        "centering": recipe.centering,
        "squared": recipe.squared,
        "layers": [
            {
                "name": layer.name,
                "finding": layer.finding,
                "target": layer.target,
                "lambda": layer.lambda_,
                "kappa": layer.kappa,
                "sparsity": layer.sparsity,
                "decorrelation": layer.decorrelation,
                "why": layer.why,
            }
            for layer in recipe.layers
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _table(layers: tuple[LayerRecipe, ...], screen: Screen) -> Table:
    """A row a layer; as many columns as fit beside the names."""
    columns = {
        "finding": [layer.finding for layer in layers],
        "lambda": [_number(layer.lambda_) for layer in layers],
        "kappa": [_number(layer.kappa) for layer in layers],
        "sparsity": [_size(layer.sparsity) for layer in layers],
        "decorr": [_size(layer.decorrelation) for layer in layers],
    }
    names = [shorten(layer.name, screen.width, screen) for layer in layers]
    widest = max(map(cell_len, ("layer", *names)))
    for gap, dropped in NARROWER:
        fitting = {title: cells for title, cells in columns.items() if title not in dropped}
        room = screen.width - sum(max(map(len, (title, *cells))) + gap for title, cells in fitting.items())
        if room >= min(widest, NAME):
            break
    width = min(widest, room)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    table.add_column("layer", no_wrap=True, width=width)
    for title in fitting:
        table.add_column(title, no_wrap=True, justify="left" if title == "finding" else "right")
    for name, *cells in zip(names, *fitting.values(), strict=True):
        table.add_row(Text(shorten(name, width, screen)), *map(Text, cells))
    return table


def _print_notes(recipe: Recipe, console: Console) -> None:
    loss = "" if recipe.loss is None else f", beside the held-out loss of {recipe.loss:.3f} in the last epoch"
    sizes = f"what the penalties would add to the training loss by the last figures{loss}"
    follows = ": at first, then as the validation samples say" if recipe.rule == "adaptive" else ""
    note = f"lambda by the rule {recipe.rule!r}{follows}. sparsity (Eq. 5), decorr (Eq. 7): {sizes}."
    console.print(Text(note, style="dim"))
    console.print("", Text(_start(recipe)), "", sep="\n")
    for layer in recipe.layers:
        console.print(Text(f"{printable(layer.name)}: {printable(layer.why, LONGEST)}"))


def _start(recipe: Recipe) -> str:
    """Where another training starts, and why that is not the checkpoint that is kept as it is."""
    if recipe.rewind is None:
        return "Train anew from the start."
    by = f" ({recipe.rewind_by})" if recipe.rewind_by else ""
    path = f": {printable(recipe.checkpoint, LONGEST)}" if recipe.checkpoint else ""
    kept = recipe.advice.keep if recipe.advice else None
    if recipe.advice is None or kept is None or kept == recipe.rewind:
        return f"Rewind to epoch {recipe.rewind}{by}{path}"
    measure = f" by {recipe.advice.keep_by}" if recipe.advice.keep_by else ""
    return (
        f"Rewind to epoch {recipe.rewind}{by}{path}\nThat is another measure than the one above: epoch {kept} is kept "
        f"as it is{measure}, another training starts before what the penalties hold down has grown."
    )


def _number(value: float) -> str:
    return f"{value:g}" if value else "-"


def _size(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3g}"
