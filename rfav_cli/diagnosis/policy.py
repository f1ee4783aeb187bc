"""Whether a policy says what can be: limits that are numbers, states and rules that exist."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, get_args

from rfav_cli.diagnosis.rules import RULES
from rfav_cli.errors import UsageError
from rfav_cli.records.checking import FailState
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Policy


def check_policy(policy: Policy, *, compared: bool) -> None:
    """Refuse a policy that would open the gate by a slip.

    Args:
        policy: what is asked.
        compared: there is a baseline.

    Raises:
        UsageError: a value is no number or out of its range, or nothing is asked.
    """
    for problem, remedy in _problems(policy, compared=compared):
        raise UsageError(problem, remedy)


def _problems(policy: Policy, *, compared: bool) -> Iterator[tuple[str, str]]:
    states = get_args(FailState)
    for state in policy.fail_on:
        if state not in states:
            yield f"--fail-on: there is no state {printable(state)!r}", f"Give any of: {', '.join(states)}, or none."
    for option, limits in _numbers(policy):
        for value in limits:
            if not _is_share(value):
                yield f"--{option} {value!r:.60}: out of range", "Give a number from 0 to 1."
    if policy.last_epoch is not None and not _is_epoch(policy.last_epoch):
        yield f"--last-epoch {policy.last_epoch!r:.60}: out of range", "Give a whole number from 0 on."
    drops = policy.max_accuracy_drop is not None or policy.max_entropy_drop
    if drops and not compared:
        yield "a largest drop is given, but no --baseline to drop from", "Give --baseline."
    yield from _wrong_exceptions(policy)
    limited = policy.min_entropy or policy.max_correlation or policy.min_accuracy is not None or compared
    if not limited and (policy.final or not policy.fail_on):
        alone = "--final judges the last checkpoint alone" if policy.final else "no state is flagged"
        yield (
            f"{alone}, and there is no limit: nothing would be checked",
            "Give --min-entropy, --min-accuracy, --max-correlation or --baseline.",
        )


def _numbers(policy: Policy) -> Iterator[tuple[str, list[object]]]:
    for option in ("min_accuracy", "max_accuracy_drop"):
        value = getattr(policy, option)
        yield option.replace("_", "-"), [] if value is None else [value]
    for option in ("min_entropy", "max_correlation", "max_entropy_drop"):
        yield option.replace("_", "-"), [limit for _, limit in getattr(policy, option)]


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1  # NaN is in no range


def _is_epoch(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _wrong_exceptions(policy: Policy) -> Iterator[tuple[str, str]]:
    allowable = [rule.id for rule in RULES.values() if rule.kind != "no verdict" and rule.id != "RFAV010"]
    for exception in policy.allow:
        if exception.rule not in allowable:
            yield (
                f"--allow {printable(exception.rule)!r}: no finding that can be allowed",
                f"Give one of {', '.join(allowable)}; what cannot be said cannot be allowed.",
            )
        if not isinstance(exception.reason, str) or not exception.reason.strip():
            yield f"--allow {exception.rule}: without a reason", "Say why it is allowed."
        if not isinstance(exception.expires, datetime.date) or isinstance(exception.expires, datetime.datetime):
            yield f"--allow {exception.rule}: expires on no date", "Give the last day on which it holds, as 2027-01-31."
