"""SARIF fits its published schema, and what GitHub asks beside it."""

from __future__ import annotations

import json
import re

import jsonschema

from rfav_cli.diagnosis import RULES
from rfav_cli.records import CheckReport, SourceLocation
from tests.render.ci.reports import SCHEMAS, each_report, make, rendered


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
    moved = CheckReport(other.stores, other.checked, RULES, SourceLocation("pyproject.toml", {"": 99}))
    assert prints(make()) == prints(moved)
    assert set(prints(make())).isdisjoint(prints(make(path="other.h5"))[:-1])


def test_a_finding_points_at_its_key() -> None:
    results = json.loads(rendered(make(), "sarif"))["runs"][0]["results"]
    lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in results]
    assert lines == [7, 7, 7, 12, 7]
