"""Every format of `rfav check`: what its readers ask for, and text that does not break out of it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from rfav_cli.render.ci import CHECK_FORMATS, mark_of
from tests.render.ci.reports import CLEAN, each_report, make, rendered

if TYPE_CHECKING:
    from rfav_cli.records import CheckReport


@pytest.mark.parametrize("name", CHECK_FORMATS)
@each_report
def test_no_control_character_comes_through(report: CheckReport, name: str) -> None:
    text = rendered(report, name)
    assert [c for c in text if not (c.isprintable() or c == "\n")] == []
    assert text.endswith("\n")
    text.encode()


@pytest.mark.parametrize("name", CHECK_FORMATS)
@each_report
def test_a_file_is_told_by_its_own_format_and_no_other(report: CheckReport, name: str) -> None:
    text = rendered(report, name).encode()
    assert [other for other in CHECK_FORMATS if mark_of(other)(io.BytesIO(text))] == [name]


def _another_tool(text: str) -> str:
    document = json.loads(text)
    return json.dumps({**document, "runs": [*document["runs"], {"tool": {"driver": {"name": "ruff"}}}]})


FOREIGN = {
    "text": ["", "clean: nothing was found\n", "my notes: 3 layers × 4 epochs × 5 samples: all well\n"],
    "json": ["", "{}", "[]", '{"schema": 1, "result": "clean"}', "[" * 100_000],
    "sarif": [
        "",
        "{}",
        '{"runs": []}',
        '{"runs": [{"tool": {"driver": {"name": "bandit"}}}]}',
        '{"runs": [3]}',
        _another_tool(rendered(CLEAN, "sarif")),
    ],
    "junit": ["", '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="pytest tests"></testsuites>\n'],
    "github": ["", "rfav check: I ran it\nand more\n", "::error file=a.py::unused\n"],
    "gitlab": [
        "",
        "{}",
        '[{"description": "E501 line too long"}]',
        "[3]",
        json.dumps([*json.loads(rendered(make(), "gitlab")), {"description": "F401 unused"}]),
    ],
    "markdown": ["", "# Notes\n", "## rfav\n"],
}


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_what_others_wrote_is_not_taken_for_ours(name: str) -> None:
    for text in FOREIGN[name]:
        assert not mark_of(name)(io.BytesIO(text.encode())), text
