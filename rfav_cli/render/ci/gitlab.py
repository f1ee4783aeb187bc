"""The code quality report that GitLab shows in merge requests: a list of findings."""

from __future__ import annotations

import json
import re
from typing import IO, TYPE_CHECKING

from rfav_cli.files.outputs import json_document
from rfav_cli.render.ci.base import fingerprint, sentence

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport
    from rfav_cli.render.base import Screen

SEVERITIES = {"flag": "critical", "no verdict": "blocker", "unclear": "blocker", "doubt": "blocker"}

_OURS = re.compile(r"RFAV\d{3} [a-z-]+")


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


def is_ours(file: IO[bytes]) -> bool:
    """Whether each finding in it is of a rule of ours; an empty list holds nothing of anybody's."""
    issues = json_document(file)
    try:
        return isinstance(issues, list) and all(_OURS.match(issue["description"]) for issue in issues)
    except (KeyError, TypeError):
        return False
