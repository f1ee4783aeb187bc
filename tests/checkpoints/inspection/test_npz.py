from pathlib import Path

import numpy as np

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned


def test_each_array_is_told(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((8, 3), "u1"), labels=np.arange(8))
    file = scanned(tmp_path / "a.npz")
    assert (file.format, file.findings, file.opens) == ("npz", (), False)
    assert {tensor.name: tensor.shape for tensor in file.tensors.first} == {"images": (8, 3), "labels": (8,)}


def test_objects_are_walked_through(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([Calls()], dtype=object), allow_pickle=True)
    assert "danger" in levels(scanned(tmp_path / "a.npz"))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros(2**25, "f8"))
    assert "unpack to" in messages(scanned(tmp_path / "a.npz"))
