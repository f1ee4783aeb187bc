"""Every format of `rfav check`: what its readers ask for, and text that does not break out of it."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import jsonschema
import pytest
import xmlschema

from rfav_cli.diagnosis import RULES
from rfav_cli.records import Allowance, Checked, CheckedStore, CheckReport, Place
from rfav_cli.render.base import Screen
from rfav_cli.render.check import CHECK_FORMATS, render_check
from tests.render.conftest import HOSTILE

SCHEMAS = Path(__file__).parents[2] / "schemas"
EVIL = HOSTILE + "\r\n::error::x %0A ]]> | `@all` [a](http://b) \x00 \ud800 \ufffe </failure>"
REASON = Allowance("RFAV002", EVIL, datetime.date(2027, 1, 31))


def store(path: str = "rfav.h5", name: str = "conv1") -> CheckedStore:
    return CheckedStore(path, "ab" * 32, "overfitting", "it does", (31, -1, 29), (name,) * 5, 1000, False, ("a note",))


def make(path: str = "rfav.h5", layer: str = "conv1", message: str = "16% lost") -> CheckReport:
    checked = (
        Checked("RFAV001", path, "", "flagged", message, "fail-on"),
        Checked("RFAV002", path, layer, "flagged", message, "fail-on"),
        Checked("RFAV002", path, layer + "2", "flagged", message, "fail-on"),
        Checked("RFAV002", path, "fc1", "allowed", message, "fail-on", allowance=REASON),
        Checked("RFAV002", path, "conv9", "passed", message, "fail-on"),
        Checked("RFAV106", path, layer, "missing", message, "min-entropy", None, 0.5),
        Checked("RFAV010", "", "", "flagged", message, "allow"),
    )
    place = Place("models/my project/pyproject.toml", {"": 7, "min-entropy": 12})
    return CheckReport((store(path, layer),), checked, RULES, place, (REASON,))


CLEAN = CheckReport((store(),), (Checked("RFAV001", "rfav.h5", "", "passed", "", "fail-on"),), RULES, Place())
REPORTS = {"clean": CLEAN, "found": make(), "hostile": make(EVIL, EVIL, EVIL)}
each_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def rendered(report: CheckReport, name: str) -> str:
    return render_check(report, name, Screen())


@pytest.mark.parametrize("name", CHECK_FORMATS)
@each_report
def test_no_control_character_comes_through(report: CheckReport, name: str) -> None:
    text = rendered(report, name)
    assert [c for c in text if not (c.isprintable() or c == "\n")] == []
    assert text.endswith("\n")
    text.encode()


@each_report
def test_sarif_fits_the_published_schema_and_what_github_asks(report: CheckReport) -> None:
    document = json.loads(rendered(report, "sarif"))
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    (run,) = document["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert len(rule["properties"]["tags"]) <= 20
    assert len(results) == len(report.findings)
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["message"]["text"]) > 0
        location = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[\w.%/-]+", location["artifactLocation"]["uri"])
        assert not location["artifactLocation"]["uri"].startswith("/")
        assert location["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(prints)) == len(prints)


def test_fingerprints_outlast_the_figures_and_the_line() -> None:
    def prints(report: CheckReport) -> list[str]:
        return [
            each["partialFingerprints"]["rfav/v1"]
            for each in json.loads(rendered(report, "sarif"))["runs"][0]["results"]
        ]

    other = make(message="17% lost")
    moved = CheckReport(other.stores, other.checked, RULES, Place("pyproject.toml", {"": 99}))
    assert prints(make()) == prints(moved)
    assert set(prints(make())).isdisjoint(prints(make(path="other.h5"))[:-1])


def test_a_finding_points_at_its_key() -> None:
    results = json.loads(rendered(make(), "sarif"))["runs"][0]["results"]
    lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in results]
    assert lines == [7, 7, 7, 12, 7]


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


@each_report
def test_gitlab_has_the_fields_it_needs(report: CheckReport) -> None:
    issues: list[dict[str, Any]] = json.loads(rendered(report, "gitlab"))
    assert len(issues) == len(report.findings)
    for issue in issues:
        assert {"description", "check_name", "fingerprint", "severity", "location"} == set(issue)
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not issue["location"]["path"].startswith(("/", "./"))
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@each_report
def test_github_has_a_command_a_finding(report: CheckReport) -> None:
    lines = rendered(report, "github").splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(report.findings)
    for line in commands:
        found = re.fullmatch(r"::error ([^:]*)::(.*)", line)
        assert found
        assert [part.split("=")[0] for part in found[1].split(",")] == ["file", "line", "title"]
    assert not [line for line in lines if line not in commands and not line.startswith("rfav check: ")]


@each_report
def test_markdown_has_no_markup_of_others(report: CheckReport) -> None:
    text = rendered(report, "markdown")
    for line in text.splitlines():
        assert line.count("|") in {0, 5}
        assert not re.search(r"[<>`@\[\]\\]|://", line)


@each_report
def test_json_has_all(report: CheckReport) -> None:
    document = json.loads(rendered(report, "json"))
    assert (document["schema"], document["exit_code"]) == (1, report.code)
    assert len(document["findings"]) == len(report.findings)
    assert len(document["findings"] + document["allowed"] + document["passed"]) == len(report.checked)


@pytest.mark.parametrize("width", [40, 60, 120])
def test_text_fits_and_says_what_was_looked_at(width: int) -> None:
    for report in REPORTS.values():
        lines = render_check(report, "text", Screen(width=width)).splitlines()
        assert max(map(len, lines)) <= max(width, 70)
    assert "5 layers × 31 epochs × 1,000 samples: overfitting" in rendered(CLEAN, "text")
    assert "\x1b[1;31mno" not in render_check(make(), "text", Screen())
    assert "\x1b[" in render_check(make(), "text", Screen(colour=True))
