"""What people keep beside their weights, and how they write them: each file is read, with its weights."""

from __future__ import annotations

import argparse
import array
import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import logging
import pathlib
import pickle
import random
import re
import types
import uuid
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn, optim

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.contents import look_into
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WEIGHTS = {"weight": torch.arange(12.0).view(3, 4), "bias": torch.tensor([1.0, 2.0, 3.0])}


@dataclasses.dataclass
class Config:
    rate: float = 0.1
    layers: tuple[int, ...] = (64, 128)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    rate: float = 0.1


class Phase(enum.Enum):
    TRAIN = "train"


class Level(enum.IntEnum):
    LOW = 1


class Flag(enum.Flag):
    A = 1
    B = 2


class Score(NamedTuple):
    accuracy: float
    loss: float


class AttrDict(dict):  # type: ignore[type-arg]
    def __getattr__(self, name: str) -> Any:
        return self[name]


class Ordered(collections.OrderedDict):  # type: ignore[type-arg]
    pass


class Meter:
    def __init__(self) -> None:
        self.value = 3.0
        self.history = [1.0, 2.0]


class Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 3.0


class Numbers(list):  # type: ignore[type-arg]
    pass


class Text(str):
    __slots__ = ()


class Shadow:
    """Averages of weights, as many trainings keep them."""

    def __init__(self) -> None:
        self.shadow = {name: value * 0.5 for name, value in WEIGHTS.items()}
        self.decay = 0.999


def optimizer(kind: type[optim.Optimizer], **options: Any) -> optim.Optimizer:
    net = nn.Linear(4, 3)
    made = kind(net.parameters(), **options)
    net(torch.ones(2, 4)).sum().backward()
    made.step()
    return made


def itself() -> list[Any]:
    held: list[Any] = []
    held.append(held)
    return held


BESIDE: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "numbers": lambda: [3, -(2**70), 1.5, float("nan"), float("inf"), True, 2 + 3j],
    "text": lambda: ["", "a" * 1000, "ü\u4e00\U0001f600", "\ud800"],
    "bytes": lambda: [b"", b"abc", bytearray(b"abc")],
    "sets": lambda: [set(), {1, 2}, frozenset({"a"})],
    "ranges": lambda: [range(5), slice(1, 2), Ellipsis, NotImplemented],
    "odd keys": lambda: {1: 2, (1, "a"): 3, None: 4, 1.5: 5, b"k": 6, False: 7, frozenset({1}): 8},
    "deep": lambda: functools.reduce(lambda inner, _: [inner], range(300), []),
    "itself": itself,
    "counter": lambda: collections.Counter("abca"),
    "defaultdict": lambda: collections.defaultdict(list, {"loss": [1.0]}),
    "deque": lambda: collections.deque([1.0, 2.0], maxlen=5),
    "chain map": lambda: collections.ChainMap({"a": 1}, {"b": 2}),
    "ordered dictionary": lambda: collections.OrderedDict(a=1),
    "its subclass": lambda: Ordered(a=1),
    "array": lambda: array.array("d", [1.0, 2.0]),
    "datetime": lambda: [datetime.datetime.now(tz=datetime.timezone.utc), datetime.timedelta(1), datetime.date.today()],
    "decimal": lambda: [decimal.Decimal("1.5"), fractions.Fraction(1, 3)],
    "uuid": lambda: uuid.UUID(int=5),
    "address": lambda: ipaddress.ip_address("127.0.0.1"),
    "enum": lambda: [Phase.TRAIN, Level.LOW, Flag.A | Flag.B],
    "dataclass": lambda: [Config(), Frozen()],
    "named tuple": lambda: Score(0.5, 1.5),
    "simple namespace": lambda: types.SimpleNamespace(lr=0.1),
    "namespace": lambda: argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("runs")),
    "path": lambda: [pathlib.Path("runs"), pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("c:/d")],
    "attribute dictionary": lambda: AttrDict(lr=0.1),
    "objects": lambda: [Meter(), Slotted(), Numbers([1]), Text("a")],
    "functions": lambda: [len, np.mean, torch.relu, dataclasses.replace],
    "classes": lambda: [Meter, nn.Linear, int, type(None)],
    "partial": lambda: functools.partial(nn.Linear, 3, bias=False),
    "pattern": lambda: re.compile("a+"),
    "logger": lambda: logging.getLogger("training"),
    "error": lambda: ValueError("stopped early"),
    "random states": lambda: [random.getstate(), np.random.get_state(), torch.get_rng_state()],
    "generators": lambda: [random.Random(0), np.random.default_rng(0), np.random.RandomState(0)],
    "numpy scalars": lambda: [
        np.float32(1),
        np.float64(2),
        np.int64(3),
        np.bool_(True),
        np.complex64(1j),
        np.str_("a"),
    ],
    "numpy arrays": lambda: [np.ones(3), np.zeros((0, 2)), np.array("a"), np.array([1, "a", None], dtype=object)],
    "more numpy arrays": lambda: [np.asfortranarray(np.ones((2, 3))), np.array([1], ">f4"), np.zeros(2, "i4,f8")],
    "numpy times": lambda: [np.datetime64("2024-01-01"), np.array(["2024-01-01"], "datetime64[D]"), np.dtype("f4")],
    "masked array": lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    "torch's own": lambda: [
        torch.Size([1, 2]),
        torch.float32,
        torch.device("cuda:1"),
    ],
    "info": lambda: [torch.finfo(torch.float32).max, torch.__version__, torch.per_tensor_affine],
    "SGD": lambda: optimizer(optim.SGD, lr=0.1, momentum=0.9).state_dict(),
    "Adam": lambda: optimizer(optim.Adam).state_dict(),
    "AdamW, whole": lambda: optimizer(optim.AdamW),
    "scheduler": lambda: optim.lr_scheduler.StepLR(optimizer(optim.SGD, lr=0.1), 3).state_dict(),
    "scheduler, whole": lambda: optim.lr_scheduler.CosineAnnealingLR(optimizer(optim.SGD, lr=0.1), 3),
    "scaler": lambda: torch.amp.GradScaler("cpu").state_dict(),
    "shadow": Shadow,
    "averaged": lambda: optim.swa_utils.AveragedModel(nn.Linear(4, 3)).state_dict(),
    "net": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
    "loss": nn.CrossEntropyLoss,
    "parameters": lambda: [nn.Parameter(torch.ones(2)), nn.Buffer(torch.ones(2)), nn.ParameterList([torch.ones(1)])],
    "samples": lambda: torch.utils.data.TensorDataset(torch.ones(3, 2)),
    "half": lambda: [torch.ones(2, dtype=kind) for kind in (torch.float16, torch.bfloat16)],
    "eighths": lambda: [torch.ones(2).to(kind) for kind in (torch.float8_e4m3fn, torch.float8_e5m2)],
    "unsigned": lambda: [torch.ones(2).to(kind) for kind in (torch.uint16, torch.uint32, torch.uint64)],
    "complex": lambda: [torch.ones(2, dtype=torch.complex64).conj(), torch.ones(2, dtype=torch.complex128).imag],
    "sparse": lambda: [torch.eye(3).to_sparse(), torch.eye(3).to_sparse_csr()],
    "meta": lambda: torch.ones(3, device="meta"),
    "views": lambda: [
        torch.arange(9.0)[3:],
        torch.ones(2, 3).T,
        torch.ones(1).expand(5),
        torch.ones(0, 4),
        torch.ones(()),
    ],
    "gradients": lambda: torch.ones(2, requires_grad=True),
    "strided": lambda: torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "storages": lambda: torch.arange(3.0).untyped_storage(),
    "history": lambda: [{"epoch": epoch, "loss": 1 / (epoch + 1), "lr": np.float64(0.1)} for epoch in range(300)],
}
"""What stands in the file beside the weights."""
HOW: dict[str, Callable[[Any, Path], object]] = {
    "as usual": torch.save,
    "protocol 4": functools.partial(torch.save, pickle_protocol=4),
    "legacy": functools.partial(torch.save, _use_new_zipfile_serialization=False),
    "legacy, protocol 5": functools.partial(torch.save, _use_new_zipfile_serialization=False, pickle_protocol=5),
}


def read(path: Path) -> dict[str, Any]:
    look_into(path, ReadOptions())
    found = {each.name: each.weights for each in formats.read(path, ReadOptions()).content}
    return dict(found["model"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("beside", BESIDE)
def test_what_stands_beside_weights_refuses_no_file(beside: str, tmp_path: Path) -> None:
    content = {"model": WEIGHTS, "beside": BESIDE[beside]()}
    for number, (how, save) in enumerate(HOW.items()):
        path = tmp_path / f"net_{number}.pt"
        try:
            save(content, path)
        except (pickle.PicklingError, TypeError, NotImplementedError, AttributeError, RuntimeError):
            if how == "as usual":
                raise
            continue  # torch writes it in the other way alone
        weights = read(path)
        assert all(torch.equal(weights[name], value) for name, value in WEIGHTS.items()), how


NETS: dict[str, Callable[[], dict[str, Any]]] = {
    "parameters": lambda: {name: nn.Parameter(value.clone()) for name, value in WEIGHTS.items()},
    "tied": lambda: {**WEIGHTS, "again": WEIGHTS["weight"], "transposed": WEIGHTS["weight"].T},
    "parts of one storage": lambda: {"weight": torch.arange(20.0)[4:16].view(3, 4), "bias": torch.arange(20.0)[1:4]},
    "every second": lambda: {"weight": torch.arange(24.0).view(3, 8)[:, ::2], "bias": torch.arange(6.0)[::2]},
    "expanded": lambda: {"weight": torch.arange(3.0)[:, None].expand(3, 4), "bias": torch.ones(1).expand(3)},
    "single numbers and nothing": lambda: {**WEIGHTS, "count": torch.tensor(3), "none": torch.zeros(0, 4)},
    "None": lambda: {**WEIGHTS, "running_mean": None},
    **{
        f"{kind}": functools.partial(lambda kind: {name: value.to(kind) for name, value in WEIGHTS.items()}, kind)
        for kind in (torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.complex64, torch.int8)
    },
    "ordered": lambda: nn.Linear(4, 3).state_dict(),
    "frozen dictionary": lambda: types.MappingProxyType(WEIGHTS).copy(),
    "extra state": lambda: {**WEIGHTS, "_extra_state": {"amax": torch.ones(3)}},
    "on another device": lambda: {**WEIGHTS, "gone": torch.ones(3)},
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("how", ["as usual", "legacy"])
def test_weights_of_every_kind(kind: str, how: str, tmp_path: Path) -> None:
    weights = NETS[kind]()
    expected = copy.deepcopy(weights)
    HOW[how]({"model": weights}, tmp_path / "net.pt")
    found = read(tmp_path / "net.pt")
    for name, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert found[name].dtype == value.dtype
            assert torch.equal(found[name].to(torch.complex128), value.to(torch.complex128)), name


@pytest.mark.parametrize("name", ["net\udcff.pt", "net\n\x1b[31m.pt", "ü\u4e00 \U0001f600.pt", "a" * 240 + ".pt"])
def test_names_of_every_kind(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        torch.save({"model": WEIGHTS}, file)
    assert torch.equal(read(path)["weight"], WEIGHTS["weight"])


def test_an_archive_with_more_in_it(tmp_path: Path) -> None:
    torch.save({"model": WEIGHTS}, tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt", "a") as archive:
        archive.writestr("notes.txt", "trained on Tuesday")
        archive.comment = b"mine"
    assert torch.equal(read(tmp_path / "net.pt")["weight"], WEIGHTS["weight"])
