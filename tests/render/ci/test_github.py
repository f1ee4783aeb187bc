"""Each finding is one workflow command, and no text begins another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.render.ci.reports import each_report, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


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
