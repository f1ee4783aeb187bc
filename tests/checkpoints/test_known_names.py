from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rfav_cli.checkpoints.known_names import meaning
from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.storages import Storage, StorageKind
from rfav_cli.checkpoints.unpickler import Maker

if TYPE_CHECKING:
    from pathlib import Path


class Own(Tensor):
    """A class of tensors."""


def saved(path: Path, value: Any, **how: Any) -> Any:
    torch.save(value, path, **how)
    return load_pickle(path, trust=False)


TENSORS = {
    "float": torch.arange(6.0).reshape(2, 3),
    "a view": torch.arange(24.0).reshape(2, 3, 4).transpose(0, 2)[1:, :2],
    "expanded": torch.ones(1, 3).expand(5, 3),
    "a number": torch.tensor(3),
    "nothing": torch.zeros(0, 3),
    "half": torch.ones(3, dtype=torch.float16),
    "bfloat16": torch.ones(3, dtype=torch.bfloat16),
    "bool": torch.tensor([True, False]),
    "complex": torch.tensor([1 + 2j]),
    "a conjugate": torch.tensor([1 + 2j]).conj(),
    "the imaginary part of a conjugate": torch.tensor([1 + 2j]).conj().imag,
    "uint16": torch.tensor([1, 2], dtype=torch.uint16),
    "float8": torch.ones(3).to(torch.float8_e4m3fn),
    "a parameter": nn.Parameter(torch.ones(2)),
    "a buffer": nn.Buffer(torch.ones(2)),
    "of a class": torch.ones(2).as_subclass(Own),
}


@pytest.mark.parametrize("what", TENSORS)
@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("protocol", [2, 5])
def test_a_tensor_is_the_one_that_was_saved(what: str, archive: bool, protocol: int, tmp_path: Path) -> None:
    right = TENSORS[what].detach()
    how = {"_use_new_zipfile_serialization": archive, "pickle_protocol": protocol}
    tensor = saved(tmp_path / "net.pt", TENSORS[what], **how)
    assert type(tensor) is Tensor
    assert (tensor.dtype, tensor.shape, tensor.stride()) == (right.dtype, right.shape, right.stride())
    assert tensor.is_conj() == right.is_conj()
    assert tensor.is_neg() == right.is_neg()
    if right.dtype == torch.float8_e4m3fn:
        tensor, right = tensor.float(), right.float()
    assert torch.equal(tensor, right.as_subclass(Tensor))


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation:UserWarning")
@pytest.mark.parametrize("archive", [True, False])
def test_a_quantized_tensor_is_the_one_that_was_saved(archive: bool, tmp_path: Path) -> None:
    scales, zeros = torch.tensor([0.1, 0.2]), torch.tensor([0, 1])
    whole = torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 3, torch.qint8)
    for right in (whole, torch.quantize_per_channel(torch.ones(2, 3), scales, zeros, 0, torch.qint8)):
        assert torch.equal(saved(tmp_path / "net.pt", right, _use_new_zipfile_serialization=archive), right)


def test_tensors_of_one_storage_share_it(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    content = saved(tmp_path / "net.pt", {"a": whole, "b": whole[2:]})
    content["a"][2] = -1
    assert content["b"][0] == -1
    assert whole[2] == 2


def test_what_a_mapping_holds_is_kept_in_order(tmp_path: Path) -> None:
    state = nn.BatchNorm1d(2).state_dict()
    content = saved(tmp_path / "net.pt", {"state": state, "log": defaultdict(list, loss=[1.0])})
    assert type(content["state"]) is OrderedDict
    assert list(content["state"]) == list(state)
    assert content["state"]._metadata == state._metadata  # type: ignore[attr-defined]
    assert content["log"] == {"loss": [1.0]}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_themselves(protocol: int, tmp_path: Path) -> None:
    values = [None, True, 1, -(2**70), 0.5, "tëxt", "x" * 300, b"bytes\xff", [1], (), (1, 2, 3, 4), {"a": {1: 2}}]
    values += [torch.float16, torch.Size([2, 3]), {1.5: 1, None: 2, b"k": 3}]
    assert saved(tmp_path / "net.pt", values, pickle_protocol=protocol) == [
        *values[:-2], (2, 3), values[-1]
    ]  # fmt: skip


def test_other_keys_are_wrapped(tmp_path: Path) -> None:
    content = saved(tmp_path / "net.pt", {(1, 2): "tuple", 2**70: "number", "a": "text"})
    assert [key.args if type(key) is StandIn else key for key in content] == [((1, 2),), (2**70,), "a"]


@pytest.mark.parametrize("value", [np.float64(0.5), np.int16(-3), np.bool_(True), np.dtype(">f4").type(2.5)])
def test_numbers_of_numpy_are_numbers(value: Any, tmp_path: Path) -> None:
    assert saved(tmp_path / "net.pt", value) == value.item()


def test_a_number_in_the_other_order_of_bytes() -> None:
    make = meaning("numpy.core.multiarray", "scalar").make
    dtype = StandIn("numpy.dtype", ("f8", False, True))
    dtype.state = (3, ">", None)
    assert make(dtype, np.array(2.5, ">f8").tobytes()) == 2.5
    assert make(dtype, np.array(2.5, ">f8").tobytes()[:7]) is None


def test_what_names_mean() -> None:
    assert meaning("torch", "FloatStorage") == StorageKind(torch.float32)
    assert meaning("torch.storage", "UntypedStorage") == StorageKind(torch.uint8)
    assert meaning("torch", "bfloat16") is torch.bfloat16
    assert type(meaning("collections", "OrderedDict")) is Maker
    for module, name in (("a", "FloatStorage"), ("torch", "load"), ("torch", "nn"), ("builtins", "getattr")):
        assert meaning(module, name) is None


def test_each_function_that_is_known_refuses_what_it_does_not_expect() -> None:
    storage = Storage(torch.UntypedStorage(8), torch.float32)
    make = meaning("torch._utils", "_rebuild_tensor_v2").make
    assert make(storage, 0, (2,), (1,), False, None).shape == (2,)
    for wrong in (("0", (2,), (1,)), (0, [2], (1,)), (0, (True,), (1,)), (0, (2,), (1, 1)), (1, (2,), (1,))):
        with pytest.raises((TypeError, ValueError)):
            make(storage, *wrong)
