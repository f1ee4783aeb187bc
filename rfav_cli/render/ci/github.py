"""Workflow commands of GitHub Actions: an annotation for each finding, and a line for people."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rfav_cli.files.outputs import LARGEST
from rfav_cli.render.ci.base import looked_at, plain, result, sentence

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport
    from rfav_cli.render.base import Screen

_SAYS = b"rfav check: "


def render(report: CheckReport, screen: Screen) -> str:
    """Only what begins a line is a command, and no text of a store can begin one."""
    location, lines = report.location, []
    for finding in report.findings:
        properties = {
            "file": location.path,
            "line": str(location.line(finding.key)),
            "title": f"{finding.rule} {report.rules[finding.rule].name}",
        }
        attributes = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        lines.append(f"::error {attributes}::{_data(sentence(report, finding))}")
    lines += [f"rfav check: {plain(store.path)}: {looked_at(store)}" for store in report.stores]
    lines.append(f"rfav check: {result(report)}")
    return screen.encodable("".join(f"{line}\n" for line in lines))


def is_ours(file: IO[bytes]) -> bool:
    """Whether its lines are annotations, and the last ones are for people."""
    lines = file.read(LARGEST).splitlines()
    return (
        bool(lines)
        and lines[-1].startswith(_SAYS)
        and all(line.startswith((_SAYS, b"::error file=")) for line in lines)
    )


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
