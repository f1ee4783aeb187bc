"""The code quality report has what GitLab needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.render.ci.reports import each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


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
