import io
from pathlib import Path

import torch

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned


def saved(thing: object) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


def test_each_tensor_of_it_is_looked_through(tmp_path: Path) -> None:
    path = tmp_path / "__0_0.distcp"
    path.write_bytes(saved(torch.ones(3)) + saved(torch.ones(2, 2)))
    file = scanned(path)
    assert (file.format, file.findings, file.opens) == ("distcp_shard", (), False)
    assert [tensor.shape for tensor in file.tensors.first] == [(3,), (2, 2)]
    path.write_bytes(saved(torch.ones(3)) + saved(Calls()) + saved(torch.ones(2)))
    assert "danger" in levels(scanned(path))


def test_a_rest_that_is_no_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "__0_0.distcp"
    path.write_bytes(saved(torch.ones(3)) + b"rest" * 20 + saved(torch.ones(3)))
    assert "belong to no tensor" in messages(scanned(path))
    assert "incomplete" in levels(scanned(path))
