from __future__ import annotations

import pytest
import torch

from rfav_cli.errors import ModelError
from rfav_cli.measure.device import exact_arithmetic, pick_device
from rfav_cli.records import ALONE, Ranks


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert pick_device("auto") == torch.device(device)


@pytest.mark.parametrize("name", ["gpu", "cpu:x", ""])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ModelError, match=f"--device {name}: ") as caught:
        pick_device(name)
    assert "auto, cpu, cuda or mps" in caught.value.remedy


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert pick_device("cuda", Ranks(rank=3, world=4, local=1, local_world=2)) == torch.device("cuda:1")
    assert taken == [1]
    with pytest.raises(ModelError, match="2 GPUs for 3 ranks"):
        pick_device("cuda", Ranks(rank=0, world=3, local=0, local_world=3))
    assert pick_device("cpu", ALONE) == torch.device("cpu")


def test_arithmetic_is_exact_within_and_as_it_was_after() -> None:
    for precision in ("high", "highest"):
        torch.set_float32_matmul_precision(precision)
        with exact_arithmetic():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.is_grad_enabled()
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == precision
        assert torch.is_grad_enabled()
