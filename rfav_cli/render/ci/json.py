"""For programs: one document, with the names of `rfav show --format json`."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.files.outputs import json_document
from rfav_cli.render.base import SCHEMA
from rfav_cli.render.ci.base import fingerprint, looked_at, result

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
        "findings": [_checked(report, finding) for finding in report.findings],
        "allowed": [_checked(report, finding) for finding in report.having("allowed")],
        "passed": [_checked(report, finding) for finding in report.having("passed")],
        "unused_exceptions": [_allowance(exception) for exception in report.unused],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def is_ours(file: IO[bytes]) -> bool:
    """Whether it is a document with our keys."""
    document = json_document(file)
    return isinstance(document, dict) and {"schema", "result", "exit_code", "stores", "unused_exceptions"} <= {
        *document
    }


def _checked(report: CheckReport, finding: Checked) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": report.rules[finding.rule].name,
        "kind": report.rules[finding.rule].kind,
        "store": finding.store,
        "layer": finding.layer or None,
        "message": finding.message,
        "key": finding.key,
        "value": finding.value,
        "limit": finding.limit,
        "allowed": finding.allowance and _allowance(finding.allowance),
        "fingerprint": fingerprint(finding),
    }


def _allowance(allowance: Allowance) -> dict[str, str]:
    return {
        "rule": allowance.rule,
        "layer": allowance.layer,
        "store": allowance.store,
        "expires": allowance.expires.isoformat(),
        "reason": allowance.reason,
    }
