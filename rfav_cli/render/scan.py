"""What `rfav scan` found, for people, for programs and for code scanning."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from rfav_cli.records import SCAN_RULES
from rfav_cli.render.ci.base import plain
from rfav_cli.render.scan_documents import RESULTS, as_json, as_sarif
from rfav_cli.render.text_table import TextColumn, text_table
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import ScannedFile, ScanReport, Some
    from rfav_cli.render.base import Screen

__all__ = ["as_json", "as_listing", "as_sarif", "as_text", "size_of"]

COLOURS = {"clean": "32", "flagged": "31", "incomplete": "33"}
_LEVEL_COLOURS = {"danger": "1;31", "refused": "31", "incomplete": "33", "note": "36"}
_EACH = 20
"""Files without findings that are listed one by one; of more, how many of each kind there are."""
_NAMED = 5
"""Classes, operators and values that the text names."""
_DIGITS = 1000


def as_text(report: ScanReport, screen: Screen) -> str:
    """The files with findings, how many others there are, and the result."""
    return _text(report, screen, listing=False)


def as_listing(report: ScanReport, screen: Screen) -> str:
    """The same with all that is in each file, its tensors in a table."""
    return _text(report, screen, listing=True)


def _text(report: ScanReport, screen: Screen, *, listing: bool) -> str:
    quiet = [file for file in report.files if not file.findings]
    grouped = quiet if len(quiet) > _EACH and not listing else []
    lines: list[str] = []
    for file in report.files:
        if file.findings or not grouped:
            lines += _file(file, screen, listing=listing)
    if grouped:
        kinds = ", ".join(count(number, kind) for kind, number in Counter(f.what for f in grouped).most_common())
        lines += _wrapped(f"{count(len(grouped), 'file')} without a finding: {kinds}", screen)
    lines += [line for note in report.notes for line in _wrapped(f"note: {plain(note)}", screen)]
    first, *others = _wrapped(_ending(report), screen)
    word = RESULTS[report.code]
    lines += [first.replace(word, f"\x1b[1;{COLOURS[word]}m{word}\x1b[0m", 1) if screen.colour else first, *others]
    lines += _wrapped(_remedy(report), screen) if report.code else []
    return screen.inert("".join(f"{line}\n" for line in lines))


def _file(file: ScannedFile, screen: Screen, *, listing: bool) -> Iterator[str]:
    """What a file is and holds, then a finding a line."""
    size = f", {size_of(file.bytes)}" if file.bytes else ""
    opens = "; rfav would open it" if file.opens else f"; rfav would not open it: {plain(file.why_not)}"
    known = any(finding.message == file.why_not for finding in file.findings)
    yield from _wrapped(f"{plain(file.path)}: {plain(file.what)}{size}{'' if known else opens}", screen)
    if held := ", ".join(_held(file)):
        yield from _wrapped(f"  {held}", screen)
    for words in _named(file):
        yield from _wrapped(f"  {words}", screen)
    for finding in file.findings:
        rule = SCAN_RULES[finding.rule]
        words = f"  {finding.level}: {plain(finding.message)} ({rule.id} {rule.name})"
        first, *others = _wrapped(words, screen)
        yield _coloured(first, finding.level, screen)
        yield from others
    if listing:
        yield from _listing(file, screen)


def _held(file: ScannedFile) -> Iterator[str]:
    """What there is in a file, in sums."""
    if file.tensors.count:
        types = list(file.dtypes)
        of = f" of {printable(types[0], 40)}" if len(types) == 1 else f" of {len(types)} types"
        yield f"{count(file.tensors.count, 'tensor')}{of}, {size_of(file.tensor_bytes)}"
    if file.member_bytes > file.bytes:
        yield f"{size_of(file.member_bytes)} unpacked"
    if file.operators.count:
        yield count(file.operators.count, "operator")


def _named(file: ScannedFile) -> Iterator[str]:
    """The first of what a file says and names."""
    if file.metadata:
        said = [f"{printable(key, 40)} = {printable(value, 40)}" for key, value in file.metadata.items()]
        more = f", {len(said) - _NAMED:,} more" if len(said) > _NAMED else ""
        yield f"says: {', '.join(said[:_NAMED])}{more}"


def _listing(file: ScannedFile, screen: Screen) -> Iterator[str]:
    """All that is in a file, as far as it was taken down."""
    by = "×" if screen.unicode else "x"
    shapes = [by.join(map(str, tensor.shape)) or "one number" for tensor in file.tensors.first]
    yield from _table(
        screen,
        TextColumn("tensor", [plain(tensor.name) for tensor in file.tensors.first], "left"),
        TextColumn("type", [printable(tensor.dtype, 40) for tensor in file.tensors.first], "left"),
        TextColumn("shape", [printable(shape, 60) for shape in shapes]),
        TextColumn("bytes", [size_of(tensor.bytes) for tensor in file.tensors.first]),
    )
    yield from _more(file.tensors, "tensor")
    for title, names in (("class", file.classes), ("call", file.calls), ("operator", file.operators)):
        yield from _table(screen, TextColumn(title, [plain(name) for name in names.first], "left"))
        yield from _more(names, title)
    yield from _table(
        screen,
        TextColumn("member", [plain(member.name) for member in file.members.first], "left"),
        TextColumn("bytes", [size_of(member.bytes) for member in file.members.first]),
        TextColumn("in the file", [size_of(member.stored) for member in file.members.first]),
    )
    yield from _more(file.members, "member")


def _table(screen: Screen, *columns: TextColumn) -> Iterator[str]:
    """A table, two blanks in; on a narrow screen a cell a line is kept whole, wherever it ends."""
    if not columns[0].cells:
        return
    console = screen.console()
    console.width = max(console.width, sum(column.width + 2 for column in columns))
    console.print(text_table(columns, 2))
    yield from (f"  {line}" for line in screen.printed(console).splitlines())


def _more(things: Some[Any], noun: str) -> Iterator[str]:
    if things.more:
        yield f"  … {count(things.more, f'more {noun}')}"


def _ending(report: ScanReport) -> str:
    levels = Counter[str](finding.level for file in report.files for finding in file.findings)
    found = ", ".join(f"{levels[level]:,} {level}" for level in _LEVEL_COLOURS if levels[level])
    return f"{RESULTS[report.code]}: {count(len(report.files), 'file')}{f'; {found}' if found else ''}"


def _remedy(report: ScanReport) -> str:
    """What to do about the gravest of what was found."""
    rules = [SCAN_RULES[finding.rule] for file in report.files for finding in file.findings]
    return min(rules, key=lambda rule: list(_LEVEL_COLOURS).index(rule.level)).remedy if rules else "Name a file."


def _coloured(line: str, level: str, screen: Screen) -> str:
    return line.replace(level, f"\x1b[{_LEVEL_COLOURS[level]}m{level}\x1b[0m", 1) if screen.colour else line


def _wrapped(text: str, screen: Screen) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(text, screen.width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def size_of(number: int) -> str:
    """Bytes in words.

    >>> size_of(999), size_of(92_963), size_of(3_200_000_000)
    ('999 B', '93.0 kB', '3.2 GB')
    """
    value = float(min(number, 10**24))
    for unit in ("B", "kB", "MB", "GB"):
        if value < _DIGITS:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= _DIGITS
    return f"{value:,.1f} TB"
