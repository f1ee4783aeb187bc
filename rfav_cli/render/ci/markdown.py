"""Markdown for the summary of a job."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rfav_cli.render.ci.base import looked_at, plain, result

if TYPE_CHECKING:
    from rfav_cli.records import Checked, CheckReport
    from rfav_cli.render.base import Screen

HEADING = "## rfav check: "
MEANING = set("\\`*_{}[]()<>#+!|~&@:$^=\"'")
"""Characters that can begin something in one dialect or another."""


def render(report: CheckReport, screen: Screen) -> str:
    """The result, what was looked at, and a table of findings."""
    lines = [f"{HEADING}{result(report)}", ""]
    lines += [f"- {escaped(store.path)}: {escaped(looked_at(store))}" for store in report.stores]
    findings = report.having("flagged", "missing", "allowed")
    if findings:
        lines += ["", "| rule | store | layer | finding |", "|---|---|---|---|"]
        lines += [_row(report, finding) for finding in findings]
    notes = [f"- {escaped(store.path)}: {escaped(note)}" for store in report.stores for note in store.notes]
    if notes:
        lines += ["", *notes]
    return screen.encodable("".join(f"{line}\n" for line in lines))


def is_ours(file: IO[bytes]) -> bool:
    """Whether it begins with our heading."""
    return file.read(len(HEADING)) == HEADING.encode()


def _row(report: CheckReport, finding: Checked) -> str:
    message = escaped(finding.message)
    if finding.allowance:
        message += f" (allowed until {finding.allowance.expires.isoformat()}: {escaped(finding.allowance.reason)})"
    rule = f"{finding.rule} {report.rules[finding.rule].name}"
    return f"| {rule} | {escaped(finding.store)} | {escaped(finding.layer)} | {message} |"


def escaped(text: str) -> str:
    """Untrusted text as text: what could begin anything is written as a character reference."""
    marked = "".join(f"&#{ord(c)};" if c in MEANING else c for c in plain(text))
    return marked.replace("www.", "www&#46;")
