"""For people: what was looked at, then a finding a line."""

from __future__ import annotations

import re
import textwrap
from typing import IO, TYPE_CHECKING

from rfav_cli.files.outputs import LARGEST
from rfav_cli.render.base import count
from rfav_cli.render.ci.base import looked_at, plain, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Checked, CheckReport
    from rfav_cli.render.base import Screen

COLOURS = {"clean": "32", "flagged": "31", "no verdict": "33"}
"""Result -> the code that a terminal shows it in."""

_LOOKED_AT = re.compile(r": \d[\d,]* layers? [x×] \d[\d,]* \w+ [x×] \d[\d,]* samples?: ")
_ENDING = re.compile(
    r"(clean: \d.* checks?.*|(flagged|no verdict): \d.* findings?|`rfav check --explain RFAV\d+` says .*)\n\Z"
)


def render(report: CheckReport, screen: Screen) -> str:
    """Text that fits the screen."""
    lines: list[str] = []
    for store in report.stores:
        lines += _wrapped(f"{plain(store.path)}: {looked_at(store, '×' if screen.unicode else 'x')}", screen, "")
        for finding in report.having("flagged", "missing", "allowed"):
            if finding.store == store.path:
                lines += _wrapped(f"  {_finding(report, finding)}", screen)
        for note in store.notes:
            lines += _wrapped(f"  note: {plain(note)}", screen)
    for finding in report.findings:
        if not finding.store:
            lines += _wrapped(_finding(report, finding), screen)
    for unused in report.unused:
        lines += _wrapped(f"note: the exception for {unused.rule} in {plain(unused.layer)} allows nothing now", screen)
    text = "".join(f"{line}\n" for line in (*lines, *_ending(report, screen)))
    return screen.inert(text)


def is_ours(file: IO[bytes]) -> bool:
    """Whether it says what was looked at, and ends as ours do."""
    text = file.read(LARGEST).decode("utf-8", "replace")
    return bool(_ENDING.search(text) and _LOOKED_AT.search(" ".join(text.split())))


def _finding(report: CheckReport, finding: Checked) -> str:
    name = report.rules[finding.rule].name
    layer = f" {plain(finding.layer)}" if finding.layer else ""
    text = f"{finding.rule} {name}{layer}: {plain(finding.message)}"
    if finding.allowance:
        return f"allowed until {finding.allowance.expires.isoformat()} ({plain(finding.allowance.reason)}): {text}"
    return text


def _ending(report: CheckReport, screen: Screen) -> Iterator[str]:
    word = result(report)
    shown = f"\x1b[1;{COLOURS[word]}m{word}\x1b[0m" if screen.colour else word
    looked = len({(finding.rule, finding.store, finding.layer) for finding in report.having("passed", "allowed")})
    if report.code == 0:
        allowed = len(report.having("allowed"))
        yield f"{shown}: {count(looked, 'check')}{f', {allowed} allowed by exceptions' if allowed else ''}"
        return
    yield f"{shown}: {count(len(report.findings), 'finding')}"
    if report.findings:
        yield f"`rfav check --explain {report.findings[0].rule}` says what that means and what to do."


def _wrapped(text: str, screen: Screen, indent: str = "    ") -> list[str]:
    return textwrap.wrap(text, screen.width, subsequent_indent=indent, break_on_hyphens=False) or [""]
