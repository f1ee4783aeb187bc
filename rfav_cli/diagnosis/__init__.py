"""Decisions on what was measured: pure functions on records."""

from rfav_cli.diagnosis.advice import advise
from rfav_cli.diagnosis.comparison import compare
from rfav_cli.diagnosis.doubts import derive
from rfav_cli.diagnosis.gate import check, with_exceptions
from rfav_cli.diagnosis.limits import baseline_of
from rfav_cli.diagnosis.overfitting import smoothed_loss
from rfav_cli.diagnosis.policy import check_policy
from rfav_cli.diagnosis.recipe import recommend
from rfav_cli.diagnosis.remedies import penalties_are_advised, rule_by_advice, warning_on_penalties
from rfav_cli.diagnosis.rules import RULES
from rfav_cli.diagnosis.temperature import lowers_loss, says_nothing
from rfav_cli.diagnosis.verdict import judge

__all__ = [
    "RULES",
    "advise",
    "baseline_of",
    "check",
    "check_policy",
    "compare",
    "derive",
    "judge",
    "lowers_loss",
    "penalties_are_advised",
    "recommend",
    "rule_by_advice",
    "says_nothing",
    "smoothed_loss",
    "warning_on_penalties",
    "with_exceptions",
]
