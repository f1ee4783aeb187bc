from __future__ import annotations

import json

import pytest

from rfav_cli.errors import RfavError
from rfav_cli.records import Finding
from rfav_cli.render import FINDING_FORMATS, Screen, render_findings

FINDINGS = (
    Finding("Python", "ok", "3.11"),
    Finding("cuda", "missing", "no CUDA device that this torch can use, " * 4),
    Finding("torch\x1b[31m", "warning", "[bold]old\u202e"),
)


def test_a_line_a_finding_that_fits() -> None:
    text = render_findings(FINDINGS, screen=Screen(60))
    assert text.splitlines()[0].split() == ["ok", "Python", "3.11"]
    assert max(len(line) for line in text.splitlines()) <= 60
    assert "[bold]old" in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_json_holds_every_finding() -> None:
    document = json.loads(render_findings(FINDINGS, "json"))
    assert document["findings"][0] == {"name": "Python", "state": "ok", "detail": "3.11"}
    assert len(document["findings"]) == 3


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(RfavError) as error:
        render_findings(FINDINGS, "csv")
    assert "table, json" in error.value.remedy


def test_every_format_is_found() -> None:
    for name in FINDING_FORMATS:
        assert render_findings(FINDINGS, name).endswith("\n")
