from __future__ import annotations

import io
import struct
import zipfile

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.script_pickles import NotPlainError, Numbers, read_objects

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def several(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def storage(count: int) -> bytes:
    return several(text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), number(count)) + b"Q"


def tensor(count: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    hooks = named("collections", "OrderedDict") + b")R"
    sizes = (several(*map(number, numbers)) for numbers in (shape, strides))
    return (
        named("torch._utils", "_rebuild_tensor_v2")
        + several(storage(count), number(offset), *sizes, b"\x89", hooks)
        + b"R"
    )


def quantised(channels: int, scales: int, axis: int) -> bytes:
    scheme = several(
        named("torch", "per_channel_affine"), *(tensor(scales, 0, (scales,), (1,)) for _ in range(2)), number(axis)
    )
    args = several(storage(6), number(0), several(number(channels)), several(number(1)), scheme, b"\x89", b"N")
    return named("torch._utils", "_rebuild_qtensor") + args + b"R"


def read(body: bytes, classes: tuple[str, ...] = ()) -> object:
    return read_objects(b"\x80\x02" + body + b".", classes)[0]


def test_what_torch_writes_is_read() -> None:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.ReLU())), buffer)
    with zipfile.ZipFile(buffer) as archive:
        content = archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl")))
    with pytest.raises(NotPlainError, match="container"):
        read_objects(content, ())

    class Any(frozenset):  # names are mangled where another test scripted the same
        def __contains__(self, name: object) -> bool:
            return str(name).startswith("__torch__.torch.nn.modules.")

    assert len(read_objects(content, Any())[1]) == 3
    assert read(tensor(4, 0, (2, 2), (2, 1))) == Numbers((2, 2))
    assert read(quantised(3, 3, 0)) == Numbers((3,))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        *((0, (2, 3), (2, 1)), (3, (2,), (1,)), (-1, (2,), (1,)), (0, (-2, 2), (2, 1)), (0, (2,), (-1,))),
        *((0, (2,), (2**62,)), (0, (2**62, 0, 2), (1, 1)), (0, (2**40,), (1,))),
    ],
)
def test_tensors_that_reach_beyond_their_storage_are_damage(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="tensor"):
        read(tensor(4, offset, shape, strides))


@pytest.mark.parametrize(("channels", "scales", "axis"), [(6, 3, 0), (3, 3, 1), (3, 3, -1), (3, 4, 0)])
def test_scales_that_are_not_those_of_the_channels_are_damage(channels: int, scales: int, axis: int) -> None:
    with pytest.raises(ValueError, match="quantised"):
        read(quantised(channels, scales, axis))


FOREIGN = [
    *(("torch._utils", "_rebuild_sparse_tensor"), ("torch._tensor", "_rebuild_from_type_v2"), ("os", "system")),
    *(
        ("torch.distributed.rpc", "rref"),
        ("__torch__.torch.classes.rpc", "Store"),
        ("torch.jit._pickle", "build_tensor_from_id"),
    ),
    *(("__torch__", "Other"), ("__main__", "TensorID"), ("builtins", "eval"), ("torch", "load")),
]


@pytest.mark.parametrize(("module", "name"), FOREIGN)
def test_names_that_nets_do_not_need_are_refused(module: str, name: str) -> None:
    with pytest.raises(NotPlainError, match=name):
        read(named(module, name) + b")R", ("__torch__.Net",))


def test_types_that_torch_would_parse_are_looked_at() -> None:
    tag = named("torch.jit._pickle", "restore_type_tag")
    assert read(tag + several(b"]", text("List[int]")) + b"R") == []
    with pytest.raises(ValueError, match="nested too deep"):
        read(tag + several(b"]", text("List[" * 9999)) + b"R")


def test_marks_that_torch_would_read_beyond_its_stack_for_are_damage() -> None:
    for body in (b"K\x01(\x85t", b"t", b"N(b", b"((t\x86"):
        with pytest.raises(Exception, match=r"."):  # of any kind
            read(body)
