from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rfav_cli.checkpoints.arrays import bytes_of, number_of, plain_dtype, tensor_of
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.state_dicts import payload_of
from rfav_cli.errors import CheckpointError
from tests.checkpoints.test_unpickler import read

ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3)),
    np.arange(6, dtype=">i2").reshape(3, 2),
    np.array([True, False]),
    np.zeros((0, 3), "f2"),
    np.array(3.5),
    np.arange(12).reshape(3, 4)[1:, ::2],
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_array_is_the_tensor_that_it_would_be(protocol: int) -> None:
    for array in ARRAYS:
        tensor = tensor_of(read(pickle.dumps(array, protocol)))
        right = torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C"))
        assert tensor is not None
        assert tensor.dtype == right.dtype
        assert torch.equal(tensor, right)


@pytest.mark.parametrize("protocol", [2, 5])
def test_other_arrays_are_none(protocol: int) -> None:
    for array in (np.array(["text"]), np.array([None]), np.array(["2020-01-01"], "M8[D]"), np.array([1j])):
        assert tensor_of(read(pickle.dumps(array, protocol))) is None


def test_arrays_of_the_same_bytes_are_not_copied_without_end() -> None:
    raw = bytes(2**22)
    arrays = {f"w{n}": StandIn("numpy.core.numeric._frombuffer", (raw, a_dtype(), (2**20,), "C")) for n in range(9)}
    with pytest.raises(CheckpointError, match="a net without end"):
        payload_of(Path("net.pt"), arrays)
    few = dict(list(arrays.items())[:4])
    assert len(payload_of(Path("net.pt"), few).content[0].weights) == 4
    assert bytes_of(arrays["w0"]) is raw
    assert bytes_of(StandIn("a.b", (raw,))) == b""


def a_dtype(code: Any = "f4", order: str = "<") -> StandIn:
    made = StandIn("numpy.dtype", (code, False, True))
    made.state = (3, order, None)
    return made


@pytest.mark.parametrize(
    "args",
    [
        (bytes(8), a_dtype(), (3,), "C"),
        (bytes(8), a_dtype(), (-2,), "C"),
        (bytes(8), a_dtype(), [2], "C"),
        (bytes(8), a_dtype(), (True, 2), "C"),
        (bytes(8), a_dtype(), (2,) + (1,) * 40, "C"),
        (bytes(8), a_dtype("O8"), (1,), "C"),
        (bytes(8), a_dtype("f3"), (1,), "C"),
        (bytes(8), StandIn("numpy.dtype"), (1,), "C"),
        ("12345678", a_dtype(), (2,), "C"),
        (bytes(0), a_dtype(), (0, 2**62, 2**62), "C"),
    ],
)
def test_what_is_no_array(args: tuple[Any, ...]) -> None:
    assert tensor_of(StandIn("numpy.core.numeric._frombuffer", args)) is None
    made = StandIn("numpy.core.multiarray._reconstruct")
    made.state = (1, args[2], args[1], False, args[0])
    assert tensor_of(made) is None


def test_numbers_and_types() -> None:
    assert plain_dtype(a_dtype("f8", ">")) == np.dtype(">f8")
    assert plain_dtype(a_dtype(b"f8")) is None
    assert number_of(a_dtype("f8", ">"), np.array(2.5, ">f8").tobytes()) == 2.5
    assert number_of(a_dtype("u1"), "\xff") == 255
    assert number_of(a_dtype("f8"), bytes(7)) is None


def test_arrays_are_weights_where_there_are_no_tensors() -> None:
    weights = {"fc.weight": np.arange(6.0).reshape(2, 3), "fc.bias": np.zeros(2)}
    content = read(pickle.dumps({"model": weights, "epoch": 3}, 2))
    payload = payload_of(Path("net"), content)
    assert [candidate.name for candidate in payload.content] == ["model"]
    assert {name: tensor.tolist() for name, tensor in payload.content[0].weights.items()} == {
        name: array.tolist() for name, array in weights.items()
    }
    content["net"] = {"w": torch.ones(1)}
    assert [candidate.name for candidate in payload_of(Path("net"), content).content] == ["net"]
