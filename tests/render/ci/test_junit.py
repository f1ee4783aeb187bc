"""JUnit's XML is read as pytest's dialect, and as GitLab reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Tree

import xmlschema

from tests.render.ci.reports import SCHEMAS, each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


@each_report
def test_junit_fits_pytests_dialect(report: CheckReport) -> None:
    text = rendered(report, "junit")
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(text)
    suites = Tree.fromstring(text)
    assert int(suites.attrib["tests"]) == len(report.checked) == len(list(suites.iter("testcase")))


@each_report
def test_junit_is_read_as_gitlab_reads_it(report: CheckReport) -> None:
    """GitLab takes each case's classname, name and time, and the text of a failure, an error or a skip."""
    outcomes = []
    for case in Tree.fromstring(rendered(report, "junit")).iter("testcase"):
        assert case.attrib["classname"]
        assert case.attrib["name"]
        float(case.attrib["time"])
        found = [child.tag for child in case]
        assert all(child.text for child in case)
        outcomes.append(found[0] if found else "success")
    names = {"passed": "success", "flagged": "failure", "missing": "error", "allowed": "skipped"}
    assert sorted(outcomes) == sorted(names[each.outcome] for each in report.checked)
