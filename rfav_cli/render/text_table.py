"""Tables of text for a terminal, whose columns are as wide as their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class TextColumn:
    """A column of cells below its title; `style` is rich's, of the whole column."""

    title: str
    cells: Sequence[str]
    justify: Literal["left", "right"] = "right"
    style: str = ""

    @property
    def width(self) -> int:
        """Cells of the terminal that the widest text takes."""
        return max(cell_len(text) for text in (self.title, *self.cells))


def text_table(columns: Sequence[TextColumn], gap: int, style_of: Callable[[str], str] = lambda _: "") -> Table:
    """A table without lines that breaks no text.

    Args:
        columns: all of one length.
        gap: blanks between two columns.
        style_of: rich's style of a cell, from its text.
    """
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.title), justify=column.justify, width=column.width, no_wrap=True, style=column.style
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell, style=style_of(cell)) for cell in cells))
    return table
