"""JUnit's XML, in the dialect that pytest writes and GitLab and Jenkins read: a test for each thing looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Tree

from rfav_cli.render.check.base import plain, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import Checked, CheckReport
    from rfav_cli.render.base import Screen


def render(report: CheckReport, _: Screen) -> str:
    """A suite for each store, and one for the policy where an exception has expired."""
    counts = _counts(report.checked)
    counts.pop("skipped")  # which pytest's dialect has for each suite alone
    top = Tree.Element("testsuites", {"name": "rfav check", **counts})
    for name in dict.fromkeys(each.store for each in report.checked):
        checked = [each for each in report.checked if each.store == name]
        suite = Tree.SubElement(top, "testsuite", {"name": plain(name) or "policy", **_counts(checked), "time": "0"})
        for each in checked:
            _case(suite, report, each)
    Tree.indent(top)
    body = Tree.tostring(top, encoding="ascii", xml_declaration=False).decode()
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _counts(checked: Sequence[Checked]) -> dict[str, str]:
    outcomes = [each.outcome for each in checked]
    counts = {"failures": "flagged", "errors": "missing", "skipped": "allowed"}
    return {"tests": str(len(outcomes)), **{name: str(outcomes.count(what)) for name, what in counts.items()}}  # type: ignore[arg-type]


def _case(suite: Tree.Element, report: CheckReport, each: Checked) -> None:
    name = f"{each.rule} {report.rules[each.rule].name}"
    if each.layer:
        name += f" [{plain(each.layer)}]"
    attributes = {"classname": plain(each.store) or "policy", "name": name, "time": "0"}
    case = Tree.SubElement(suite, "testcase", attributes)
    if each.outcome == "passed":
        return
    tag = {"flagged": "failure", "missing": "error", "allowed": "skipped"}[each.outcome]
    text = sentence(report, each)
    if each.allowance:
        text = f"allowed until {each.allowance.expires.isoformat()} ({plain(each.allowance.reason)}): {text}"
    problem = Tree.SubElement(case, tag, {"message": text, "type": each.rule})
    problem.text = f"{text}\n{report.rules[each.rule].remedy}"
