"""A policy that would open the gate by a slip is refused."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from rfav_cli.diagnosis import check_policy
from rfav_cli.errors import UsageError
from rfav_cli.records import Allowance, Policy

LATER = "2026-12-31"


def until(date: str, rule: str = "RFAV002", layer: str = "*", store: str = "*") -> Allowance:
    return Allowance(rule, "a reason", datetime.date.fromisoformat(date), layer, store)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fail_on": ("overfit",)}, "--fail-on"),
        ({"fail_on": ()}, "nothing would be checked"),
        ({"final": True}, "nothing would be checked"),
        ({"min_accuracy": float("nan")}, "--min-accuracy nan"),
        ({"min_accuracy": 1.5}, "--min-accuracy"),
        ({"min_accuracy": "0.5"}, "--min-accuracy"),
        ({"min_accuracy": True}, "--min-accuracy"),
        ({"min_entropy": (("*", float("inf")),)}, "--min-entropy"),
        ({"max_correlation": (("*", -0.1),)}, "--max-correlation"),
        ({"max_accuracy_drop": 0.1}, "--baseline"),
        ({"last_epoch": -1}, "--last-epoch"),
        ({"allow": (until(LATER, "RFAV102"),)}, "RFAV102"),
        ({"allow": (until(LATER, "RFAV010"),)}, "RFAV010"),
        ({"allow": (replace(until(LATER), reason=" "),)}, "without a reason"),
        ({"allow": (replace(until(LATER), expires="2027"),)}, "no date"),
    ],
)
def test_a_policy_that_says_nothing_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_policy(Policy(**options), compared=False)
