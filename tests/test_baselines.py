"""A baseline's file."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli import baselines
from rfav_cli.errors import BaselineError
from rfav_cli.records import Baseline, BaselineLayer

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Baseline(
    "good.json", "ab" * 32, "cd" * 32, 1000, False, True, 27, 0.75,
    {"conv1": BaselineLayer(12, 2.25), 'b"\u202e\n': BaselineLayer(1, None)},
)  # fmt: skip


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = type(tmp_path)("good.json")
    path.write_text(baselines.dump(GOOD))
    assert baselines.load(path) == GOOD
    assert path.read_text().isascii()


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (baselines.dump(GOOD), True), (json.dumps(json.loads(baselines.dump(GOOD)), sort_keys=True), True),
        ('{"kind": "rfav baseline", "schema": 9}', True), ("notes", False), ("[1]", False), ('{"kind": 1}', False),
    ],
)  # fmt: skip
def test_a_baseline_is_told_whatever_is_wrong_with_it(text: str, ours: bool) -> None:
    assert baselines.is_ours(io.BytesIO(text.encode())) is ours


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"}, {"schema": 2}, {"schema": True}, {"epoch": 1.5}, {"accuracy": 2}, {"accuracy": "1"},
        {"layers": []}, {"layers": {"a": {"channels": 0, "entropy": None}}}, {"settings": {}},
        {"layers": {"a": {"channels": 4, "entropy": 9}}}, {"layers": {"a": {"channels": 4}}}, {"probe": None},
    ],
)  # fmt: skip
def test_what_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(json.loads(baselines.dump(GOOD)) | change))
    with pytest.raises(BaselineError, match=r"bad\.json"):
        baselines.load(path)


@pytest.mark.parametrize("text", ["", "[", "3", "[" * 100_000, '{"a": NaN}', "\udc80"])
def test_no_json(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BaselineError, match=r"bad\.json"):
        baselines.load(path)
    with pytest.raises(BaselineError, match="cannot be read"):
        baselines.load(tmp_path / "none.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "good.json")
    with pytest.raises(BaselineError, match=r"good\.json: is a FIFO, not a regular file"):
        baselines.load(tmp_path / "good.json")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 100_000, "9" * 100_000, '{"kind": "\\ud800"}'])
def test_no_nesting_and_no_number_is_more_than_no_baseline(tmp_path: Path, text: str) -> None:
    (tmp_path / "good.json").write_text(text)
    with pytest.raises(BaselineError, match=r"good\.json: no (JSON|baseline)"):
        baselines.load(tmp_path / "good.json")
