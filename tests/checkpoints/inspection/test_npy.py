from pathlib import Path

import numpy as np

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned


def test_its_header_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 4), "f4"))
    file = scanned(tmp_path / "a.npy")
    assert (file.format, file.findings, file.opens) == ("npy", (), False)
    assert (file.tensors.first[0].shape, file.tensor_bytes) == ((3, 4), 48)


def test_objects_are_walked_through(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert levels(scanned(tmp_path / "a.npy")) == {"note"}
    np.save(tmp_path / "a.npy", np.array([Calls()], dtype=object), allow_pickle=True)
    assert "calls" in messages(scanned(tmp_path / "a.npy"))
    assert "danger" in levels(scanned(tmp_path / "a.npy"))


def test_a_cut_file_and_a_header_that_is_none_are_incomplete(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 4), "f4"))
    content = (tmp_path / "a.npy").read_bytes()
    for damaged in (content[:-1], content[:20], content.replace(b"(3, 4)", b"-3, -4"), b"\x93NUMPY\x01\x00\xff\xff{"):
        (tmp_path / "a.npy").write_bytes(damaged)
        assert levels(scanned(tmp_path / "a.npy")) == {"incomplete"}, damaged[:80]
