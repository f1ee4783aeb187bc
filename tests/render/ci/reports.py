"""Reports of `rfav check` made by hand: a clean one, one with findings of every outcome, and one of hostile texts."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from rfav_cli.diagnosis import RULES
from rfav_cli.records import Allowance, Checked, CheckedStore, CheckReport, SourceLocation
from rfav_cli.render.base import Screen
from rfav_cli.render.ci import render_check
from tests.render.conftest import HOSTILE

SCHEMAS = Path(__file__).parents[2] / "schemas"


EVIL = HOSTILE + "\r\n::error::x %0A ]]> | `@all` [a](http://b) \x00 \ud800 \ufffe </failure>"


REASON = Allowance("RFAV002", EVIL, datetime.date(2027, 1, 31))


def store(path: str = "rfav.h5", name: str = "conv1") -> CheckedStore:
    return CheckedStore(path, "ab" * 32, "overfitting", "it does", (31, -1, 29), (name,) * 5, 1000, False, ("a note",))


def make(path: str = "rfav.h5", layer: str = "conv1", message: str = "16% lost") -> CheckReport:
    checked = (
        Checked("RFAV001", path, "", "flagged", message, "fail-on"),
        Checked("RFAV002", path, layer, "flagged", message, "fail-on"),
        Checked("RFAV002", path, layer + "2", "flagged", message, "fail-on"),
        Checked("RFAV002", path, "fc1", "allowed", message, "fail-on", allowance=REASON),
        Checked("RFAV002", path, "conv9", "passed", message, "fail-on"),
        Checked("RFAV106", path, layer, "missing", message, "min-entropy", None, 0.5),
        Checked("RFAV010", "", "", "flagged", message, "allow"),
    )
    location = SourceLocation("models/my project/pyproject.toml", {"": 7, "min-entropy": 12})
    return CheckReport((store(path, layer),), checked, RULES, location, (REASON,))


CLEAN = CheckReport((store(),), (Checked("RFAV001", "rfav.h5", "", "passed", "", "fail-on"),), RULES, SourceLocation())


REPORTS = {"clean": CLEAN, "found": make(), "hostile": make(EVIL, EVIL, EVIL)}


each_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def rendered(report: CheckReport, name: str) -> str:
    return render_check(report, name, Screen())
