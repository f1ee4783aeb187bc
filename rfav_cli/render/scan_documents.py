"""What `rfav scan` found as JSON and as SARIF, and what tells such files from others."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from rfav_cli.files.outputs import LARGEST, json_document
from rfav_cli.records import SCAN_RULES
from rfav_cli.render.base import SCHEMA
from rfav_cli.render.ci.base import plain
from rfav_cli.render.ci.sarif import document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.records import ScanFinding, ScannedFile, ScanReport, ScanRule
    from rfav_cli.render.base import Screen

RESULTS = ("clean", "flagged", "incomplete")
"""By exit code."""
_SARIF_LEVELS = {"danger": "error", "refused": "error", "incomplete": "warning", "note": "note"}


def as_json(report: ScanReport, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen."""
    document_of_scan = {
        "schema": SCHEMA,
        "result": RESULTS[report.code],
        "exit_code": report.code,
        "flag": report.flag,
        "files": [_json_of(file) for file in report.files],
        "notes": list(report.notes),
    }
    return json.dumps(document_of_scan, indent=2, allow_nan=False) + "\n"


def _json_of(file: ScannedFile) -> dict[str, Any]:
    return {
        "file": file.path,
        "format": file.format,
        "what": file.what,
        "bytes": file.bytes,
        "opens": file.opens,
        "why_not": file.why_not or None,
        "tensors": {
            "count": file.tensors.count,
            "bytes": file.tensor_bytes,
            "dtypes": dict(file.dtypes),
            "first": [
                {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype, "bytes": tensor.bytes}
                for tensor in file.tensors.first
            ],
        },
        "metadata": dict(file.metadata),
        **{
            name: {"count": names.count, "first": list(names.first)}
            for name, names in (("classes", file.classes), ("calls", file.calls), ("operators", file.operators))
        },
        "members": {
            "count": file.members.count,
            "bytes": file.member_bytes,
            "first": [{"name": m.name, "bytes": m.bytes, "stored": m.stored} for m in file.members.first],
        },
        "findings": [
            {
                "rule": SCAN_RULES[finding.rule].id,
                "name": finding.rule,
                "level": finding.level,
                "message": finding.message,
                "fingerprint": fingerprint(file, finding),
            }
            for finding in file.findings
        ],
    }


def as_sarif(report: ScanReport, _: Screen) -> str:
    """SARIF 2.1.0: a result a finding, each at its file."""
    rules = [_sarif_rule(rule) for rule in SCAN_RULES.values()]
    results = [_sarif_result(file, finding) for file in report.files for finding in file.findings]
    return document(rules, results, report.code)


def _sarif_rule(rule: ScanRule) -> dict[str, Any]:
    level = _SARIF_LEVELS[rule.level]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": f"{rule.summary} {rule.remedy}"},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["security", "model", rule.level],
            "precision": "high",
            "problem.severity": "recommendation" if level == "note" else level,
        },
    }


def _sarif_result(file: ScannedFile, finding: ScanFinding) -> dict[str, Any]:
    key = fingerprint(file, finding)
    path = PurePath(plain(file.path)).as_posix()
    uri = quote(path.lstrip("/") or ".", safe="/:") if "://" not in path else quote(path.replace("://", "/"))
    return {
        "ruleId": SCAN_RULES[finding.rule].id,
        "ruleIndex": list(SCAN_RULES).index(finding.rule),
        "level": _SARIF_LEVELS[finding.level],
        "message": {"text": f"{plain(file.path)}: {plain(finding.message)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{key[:16]}:1", "rfav/v1": key},
    }


def fingerprint(file: ScannedFile, finding: ScanFinding) -> str:
    """What tells one finding from others, in hex; the same in the next run."""
    parts: Sequence[str] = (SCAN_RULES[finding.rule].id, file.path.replace("\\", "/"), finding.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def mark_of(output_format: str) -> Callable[[IO[bytes]], bool]:
    """What tells a file that `rfav scan` wrote in a format."""
    return {"json": _is_json, "sarif": _is_sarif}.get(output_format, _is_text)


def _is_json(file: IO[bytes]) -> bool:
    found = json_document(file)
    return isinstance(found, dict) and {"schema", "result", "exit_code", "flag", "files", "notes"} == {*found}


def _is_sarif(file: IO[bytes]) -> bool:
    try:
        rules = json_document(file)["runs"][0]["tool"]["driver"]["rules"]
        return [rule["id"] for rule in rules] == [rule.id for rule in SCAN_RULES.values()]
    except (KeyError, TypeError, IndexError):
        return False


def _is_text(file: IO[bytes]) -> bool:
    """Whether one of the last lines is a result."""
    last = file.read(LARGEST).decode("utf-8", "replace").splitlines()[-3:]
    return any(line.startswith(f"{result}: ") and " file" in line for line in last for result in RESULTS)
