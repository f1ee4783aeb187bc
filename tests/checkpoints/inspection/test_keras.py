import json
from pathlib import Path

from tests.checkpoints.inspection.files import levels, messages, scanned, write_zip


def test_code_in_its_configuration_is_a_danger(tmp_path: Path) -> None:
    layers = [{"class_name": "Dense"}]
    members = {"config.json": json.dumps({"config": {"layers": layers}}).encode(), "model.weights.h5": b"\x89HDF"}
    file = scanned(write_zip(tmp_path / "net.keras", members))
    assert (file.format, levels(file)) == ("keras", {"incomplete"})
    members["config.json"] = json.dumps({"config": {"layers": [*layers, {"class_name": "Lambda"}]}}).encode()
    assert "Lambda" in messages(scanned(write_zip(tmp_path / "net.keras", members)))
    members["config.json"] = b"{"
    assert "no JSON" in messages(scanned(write_zip(tmp_path / "net.keras", members)))
