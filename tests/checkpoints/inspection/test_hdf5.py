import json
from pathlib import Path

import h5py
import numpy as np

from tests.checkpoints.inspection.files import levels, messages, scanned


def test_its_data_sets_are_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.zeros((3, 4))
        file.create_dataset("g/b", data=np.zeros(1000, "f4"), compression="gzip")
        file["again"] = file["g"]
    found = scanned(tmp_path / "a.h5")
    assert (found.what, found.opens, found.findings) == ("HDF5 file", False, ())
    assert sorted(tensor.shape for tensor in found.tensors.first) == [
        (3, 4),
        (1000,),
    ]  # each once, whatever links to it


def test_a_store_of_rfav_is_one(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rfav.h5", "w") as file:
        file.attrs["schema"], file.attrs["rfav_version"] = 2, "1.0"
    found = scanned(tmp_path / "rfav.h5")
    assert (found.what, found.opens, found.metadata) == ("rfav store", True, {"schema": "2", "rfav_version": "1.0"})


def test_what_leads_to_other_files_is_a_danger(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink("/etc/passwd", "/")
        file.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    found = scanned(tmp_path / "a.h5")
    assert "/etc/passwd" in messages(found)
    assert [finding.level for finding in found.findings] == ["danger", "danger"]


def test_code_in_a_net_of_keras_is_a_danger(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": [{"class_name": "Lambda"}]}})
    found = scanned(tmp_path / "net.h5")
    assert (found.what, levels(found)) == ("Keras net", {"danger"})


def test_a_damaged_file_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert levels(scanned(tmp_path / "a.h5")) == {"incomplete"}
