import sys
from pathlib import Path

import pytest

from rfav_cli.checkpoints.scanned_folders import inspect_folder


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_folder_of_transformers_is_one(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"12345678")
    (tmp_path / "config.json").write_text("{}")
    file = inspect_folder(tmp_path, names(tmp_path), "run")
    assert file is not None
    assert (file.format, file.what, file.bytes) == ("huggingface", "transformers or accelerate folder", 8)


def test_a_shard_that_is_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-00001.safetensors"}}')
    file = inspect_folder(tmp_path, names(tmp_path), "run")
    assert file is not None
    assert (file.opens, [finding.rule for finding in file.findings]) == (False, ["refused"])


def test_any_other_folder_is_none_and_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "epoch_0.pt").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "rfav_cli.checkpoints.formats.huggingface", None)
    assert inspect_folder(tmp_path, names(tmp_path), "run") is None
