"""Markdown for the summary of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.render.check.base import looked_at, plain, result

if TYPE_CHECKING:
    from rfav_cli.records import Checked, CheckReport
    from rfav_cli.render.base import Screen

MEANING = set("\\`*_{}[]()<>#+!|~&@:$^=\"'")
"""Characters that can begin something in one dialect or another."""


def render(report: CheckReport, screen: Screen) -> str:
    """The result, what was looked at, and a table of findings."""
    lines = [f"## rfav check: {result(report)}", ""]
    lines += [f"- {escaped(store.path)}: {escaped(looked_at(store))}" for store in report.stores]
    found = report.having("flagged", "missing", "allowed")
    if found:
        lines += ["", "| rule | store | layer | finding |", "|---|---|---|---|"]
        lines += [_row(report, each) for each in found]
    notes = [f"- {escaped(store.path)}: {escaped(note)}" for store in report.stores for note in store.notes]
    if notes:
        lines += ["", *notes]
    return screen.encodable("".join(f"{line}\n" for line in lines))


def _row(report: CheckReport, each: Checked) -> str:
    message = escaped(each.message)
    if each.allowance:
        message += f" (allowed until {each.allowance.expires.isoformat()}: {escaped(each.allowance.reason)})"
    rule = f"{each.rule} {report.rules[each.rule].name}"
    return f"| {rule} | {escaped(each.store)} | {escaped(each.layer)} | {message} |"


def escaped(text: str) -> str:
    """Untrusted text as text: what could begin anything is written as a character reference."""
    marked = "".join(f"&#{ord(c)};" if c in MEANING else c for c in plain(text))
    return marked.replace("www.", "www&#46;")
