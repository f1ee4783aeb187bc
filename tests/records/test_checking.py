"""What a check says as a whole: its findings, and the exit code that follows."""

from __future__ import annotations

import datetime
from itertools import product

import pytest

from rfav_cli.diagnosis import RULES
from rfav_cli.records import Allowance, Checked, CheckReport, SourceLocation
from rfav_cli.records.checking import FLAGGED, NO_VERDICT, PASSED, Outcome

ALLOWANCE = Allowance("RFAV002", "a reason", datetime.date(2027, 1, 31))


def report(*outcomes: Outcome) -> CheckReport:
    checked = tuple(Checked("RFAV002", "rfav.h5", f"l{i}", outcome, "", "") for i, outcome in enumerate(outcomes))
    return CheckReport((), checked, RULES, SourceLocation())


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), NO_VERDICT),
        (("passed",), PASSED),
        (("allowed",), PASSED),
        (("passed", "flagged"), FLAGGED),
        (("flagged", "allowed"), FLAGGED),
        (("passed", "missing"), NO_VERDICT),
        (("flagged", "missing", "passed"), NO_VERDICT),
    ],
)
def test_the_exit_code(outcomes: tuple[Outcome, ...], code: int) -> None:
    assert report(*outcomes).code == code


def test_a_gate_never_fails_open() -> None:
    """Whatever is missing among three things, the code is 2; whatever is flagged, it is not 0."""
    for outcomes in product(("passed", "flagged", "allowed", "missing"), repeat=3):
        code = report(*outcomes).code
        assert (code == NO_VERDICT) == ("missing" in outcomes)
        assert (code == PASSED) == (not {"missing", "flagged"} & set(outcomes))


def test_findings_are_what_decides_the_code_in_their_order() -> None:
    mixed = report("missing", "passed", "flagged", "allowed", "flagged")
    assert [found.layer for found in mixed.findings] == ["l0", "l2", "l4"]
    assert [found.layer for found in mixed.having("passed", "allowed")] == ["l1", "l3"]
    assert mixed.having() == ()


def test_a_key_that_is_not_in_the_file_is_where_the_policy_begins() -> None:
    location = SourceLocation("pyproject.toml", {"": 7, "min-entropy": 12})
    assert [location.line(key) for key in ("min-entropy", "fail-on", "")] == [12, 7, 7]
    assert SourceLocation().line("min-entropy") == 1


def test_an_allowance_is_for_every_layer_and_store_unless_it_says_which() -> None:
    assert (ALLOWANCE.layer, ALLOWANCE.store) == ("*", "*")
