from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest

from rfav_cli.records import SCAN_RULES, ScanFinding, ScanReport
from rfav_cli.render import SCAN_FORMATS, render_scan
from rfav_cli.render.scan_documents import mark_of
from tests.render.test_scan import CLEAN, DANGER, file_of

SCHEMAS = Path(__file__).parents[1] / "schemas"


def test_the_json_is_that_of_its_schema() -> None:
    schema = json.loads((SCHEMAS / "rfav-scan-1.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    for report in (CLEAN, DANGER, ScanReport(())):
        document = json.loads(render_scan(report, "json"))
        jsonschema.validate(document, schema)
        assert document["exit_code"] == report.code
    assert json.loads(render_scan(DANGER, "json"))["files"][0]["findings"][0]["rule"] == "RFAV301"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"exit_code": 3}, schema)


def test_the_sarif_is_that_of_its_schema() -> None:
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    report = ScanReport((file_of("/abs/ä b.pt", ScanFinding("runs-code", "calls x")), *DANGER.files))
    document = json.loads(render_scan(report, "sarif"))
    jsonschema.validate(document, schema)
    (run,) = document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.id for rule in SCAN_RULES.values()]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert [place["uri"] for place in places] == ["abs/%C3%A4%20b.pt", "net.pt"]
    assert len({result["partialFingerprints"]["rfav/v1"] for result in run["results"]}) == 2


@pytest.mark.parametrize("output_format", SCAN_FORMATS)
def test_what_it_wrote_is_told_from_other_files(output_format: str) -> None:
    is_ours = mark_of(output_format)
    for report in (CLEAN, DANGER, ScanReport(())):
        assert is_ours(io.BytesIO(render_scan(report, output_format).encode()))
    sarif_of_check = b'{"runs": [{"tool": {"driver": {"name": "rfav", "rules": [{"id": "RFAV001"}]}}}]}'
    for other in (b"", b"a letter\nclean: no\n", b"{}", b"[]", b'{"runs": []}', sarif_of_check):
        assert not is_ours(io.BytesIO(other))
