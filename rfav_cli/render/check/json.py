"""For programs: one document, with the names of `rfav show --format json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rfav_cli.render.base import SCHEMA
from rfav_cli.render.check.base import fingerprint, looked_at, result

if TYPE_CHECKING:
    from rfav_cli.records import Allowance, Checked, CheckReport
    from rfav_cli.render.base import Screen


def render(report: CheckReport, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    document = {
        "schema": SCHEMA,
        "result": result(report),
        "exit_code": report.code,
        "stores": [
            {
                "store": store.path,
                "digest": store.digest,
                "summary": looked_at(store),
                "run": {"state": store.state, "reason": store.reason},
                "epochs": dict(zip(("count", "first", "last"), store.epochs, strict=True)),
                "layers": list(store.layers),
                "probe": {"size": store.samples},
                "final": store.final,
                "notes": list(store.notes),
            }
            for store in report.stores
        ],
        "findings": [_checked(report, each) for each in report.findings],
        "allowed": [_checked(report, each) for each in report.having("allowed")],
        "passed": [_checked(report, each) for each in report.having("passed")],
        "unused_exceptions": [_allowance(each) for each in report.unused],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _checked(report: CheckReport, each: Checked) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "name": report.rules[each.rule].name,
        "kind": report.rules[each.rule].kind,
        "store": each.store,
        "layer": each.layer or None,
        "message": each.message,
        "key": each.key,
        "value": each.value,
        "limit": each.limit,
        "allowed": each.allowance and _allowance(each.allowance),
        "fingerprint": fingerprint(each),
    }


def _allowance(allowance: Allowance) -> dict[str, str]:
    return {
        "rule": allowance.rule,
        "layer": allowance.layer,
        "store": allowance.store,
        "expires": allowance.expires.isoformat(),
        "reason": allowance.reason,
    }
