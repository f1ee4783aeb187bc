"""SARIF 2.1.0, as GitHub's code scanning takes it.

GitHub refuses a whole file for one result without a relative location, so each points at the file that configures the
check. What an exception allows is left out: GitHub would show it, suppressed or not.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from rfav_cli.files.outputs import json_document
from rfav_cli.render.ci.base import explain, fingerprint, plain, sentence
from rfav_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import Checked, CheckReport, CheckRule
    from rfav_cli.render.base import Screen

DRIVER = "rfav"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: CheckReport, _: Screen) -> str:
    """One run with all rules, and a result for each finding."""
    rules = [_rule(rule) for rule in report.rules.values()]
    return document(rules, [_result(report, finding) for finding in report.findings], report.code)


def document(rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], code: int) -> str:
    """A document of one run.

    Args:
        rules: all there are.
        results: what was found; each names its rule.
        code: the exit code.
    """
    run = {
        "tool": {"driver": {"name": DRIVER, "version": __version__, "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": code != 2, "exitCode": code}],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, allow_nan=False) + "\n"


def is_ours(file: IO[bytes]) -> bool:
    """Whether rfav is the tool of each run in it; another's run may have been added."""
    try:
        return {run["tool"]["driver"]["name"] for run in json_document(file)["runs"]} == {DRIVER}
    except (KeyError, TypeError):
        return False


def _rule(rule: CheckRule) -> dict[str, Any]:
    page = explain(rule)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.meaning},
        "help": {"text": f"{rule.meaning} {rule.remedy}", "markdown": page},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["model", rule.kind], "precision": "high", "problem.severity": "error"},
    }


def _result(report: CheckReport, finding: Checked) -> dict[str, Any]:
    key = fingerprint(finding)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(report.location.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": report.location.line(finding.key)},
        }
    }
    if finding.layer:
        location["logicalLocations"] = [{"name": plain(finding.layer), "kind": "module"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": list(report.rules).index(finding.rule),
        "level": "error",
        "message": {"text": sentence(report, finding)},
        "locations": [location],
        # The first is what GitHub goes by; several findings stand on one line, which its own hash could not tell apart.
        "partialFingerprints": {"primaryLocationLineHash": f"{key[:16]}:1", "rfav/v1": key},
    }
