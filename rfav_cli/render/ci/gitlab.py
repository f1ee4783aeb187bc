"""The code quality report that GitLab shows in merge requests: a list of findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rfav_cli.render.ci.base import fingerprint, sentence

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport
    from rfav_cli.render.base import Screen

SEVERITIES = {"flag": "critical", "no verdict": "blocker", "unclear": "blocker", "doubt": "blocker"}


def render(report: CheckReport, _: Screen) -> str:
    """A JSON list, empty where nothing was found."""
    location = report.location
    issues = [
        {
            "description": f"{finding.rule} {sentence(report, finding)}",
            "check_name": report.rules[finding.rule].name,
            "fingerprint": fingerprint(finding),
            "severity": SEVERITIES[report.rules[finding.rule].kind],
            "location": {"path": location.path, "lines": {"begin": location.line(finding.key)}},
        }
        for finding in report.findings
    ]
    return json.dumps(issues, indent=2) + "\n"
