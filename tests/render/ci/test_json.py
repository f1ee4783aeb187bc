"""The document for programs holds all that was looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.render.ci.reports import each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


@each_report
def test_json_has_all(report: CheckReport) -> None:
    document = json.loads(rendered(report, "json"))
    assert (document["schema"], document["exit_code"]) == (1, report.code)
    assert len(document["findings"]) == len(report.findings)
    assert len(document["findings"] + document["allowed"] + document["passed"]) == len(report.checked)
