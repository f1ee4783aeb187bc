"""What the benchmarks' pages share: tables in Markdown, and the marks that measured ones stand between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of rows that have the columns of its head."""
    cells = ([cell.replace("|", "\\|") for cell in row] for row in (head, ["---"] * len(head), *rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def marked(text: str, name: str) -> tuple[str, str, str]:
    """A page before, between and after the marks of some tables."""
    head, start, rest = text.partition(f"<!-- tables of {name} -->\n")
    between, end, tail = rest.partition(f"<!-- end of {name} -->")
    if not end:
        raise SystemExit(f"the page marks no tables of {name}")
    return head + start, between, end + tail


def put(page: Path, name: str, tables: str) -> None:
    """Replace what stands between the marks."""
    before, _, after = marked(page.read_text(encoding="utf-8"), name)
    page.write_text(f"{before}{tables}{after}", encoding="utf-8")
