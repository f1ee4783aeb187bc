"""JUnit's XML, in the dialect that pytest writes and GitLab and Jenkins read: a test for each thing looked at."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree as Tree

from rfav_cli.render.ci.base import plain, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import Checked, CheckReport
    from rfav_cli.render.base import Screen

NAME = "rfav check"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(report: CheckReport, _: Screen) -> str:
    """A suite for each store, and one for the policy where an exception has expired."""
    counts = _counts(report.checked)
    counts.pop("skipped")  # which pytest's dialect has for each suite alone
    top = Tree.Element("testsuites", {"name": NAME, **counts})
    for name in dict.fromkeys(finding.store for finding in report.checked):
        checked = [finding for finding in report.checked if finding.store == name]
        suite = Tree.SubElement(top, "testsuite", {"name": plain(name) or "policy", **_counts(checked), "time": "0"})
        for finding in checked:
            _case(suite, report, finding)
    Tree.indent(top)
    body = Tree.tostring(top, encoding="ascii", xml_declaration=False).decode()
    return f"{_HEAD}{body}\n"


def is_ours(file: IO[bytes]) -> bool:
    """Whether it begins as ours do, with the name of all suites."""
    beginning = f'{_HEAD}<testsuites name="{NAME}"'.encode()
    return file.read(len(beginning)) == beginning


def _counts(checked: Sequence[Checked]) -> dict[str, str]:
    outcomes = [finding.outcome for finding in checked]
    counts = {"failures": "flagged", "errors": "missing", "skipped": "allowed"}
    return {"tests": str(len(outcomes)), **{name: str(outcomes.count(what)) for name, what in counts.items()}}  # type: ignore[arg-type]


def _case(suite: Tree.Element, report: CheckReport, finding: Checked) -> None:
    name = f"{finding.rule} {report.rules[finding.rule].name}"
    if finding.layer:
        name += f" [{plain(finding.layer)}]"
    attributes = {"classname": plain(finding.store) or "policy", "name": name, "time": "0"}
    case = Tree.SubElement(suite, "testcase", attributes)
    if finding.outcome == "passed":
        return
    tag = {"flagged": "failure", "missing": "error", "allowed": "skipped"}[finding.outcome]
    text = sentence(report, finding)
    if finding.allowance:
        text = f"allowed until {finding.allowance.expires.isoformat()} ({plain(finding.allowance.reason)}): {text}"
    problem = Tree.SubElement(case, tag, {"message": text, "type": finding.rule})
    problem.text = f"{text}\n{report.rules[finding.rule].remedy}"
