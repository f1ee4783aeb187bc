"""Checkpoints of many writers: what they put beside the weights, how they nest and save them, and what they call them."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import random
import sys
import types
import uuid
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from tests.corpus.case import Case, make_net, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 0


class Flags(enum.Flag):
    A = 1
    B = 2


class Place(collections.namedtuple("Place", "x y")):
    pass


@dataclasses.dataclass
class Settings:
    width: int = 3
    inner: Any = None


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a, self.b = 1, [2]


class Tracked(dict[str, Any]):
    """As containers of configuration libraries are: a mapping with attributes."""

    def __init__(self, **entries: Any) -> None:
        super().__init__(entries)
        self.__dict__["_metadata"] = {"flags": None}


class Words(list[str]):
    pass


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    net = make_net().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    net(torch.ones(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    return net, optimizer


def optimizer(name: str) -> dict[str, Any]:
    net = make_net().train()
    made = getattr(torch.optim, name)(net.parameters(), lr=0.01)
    net(torch.ones(2, 3, 8, 8)).sum().backward()
    made.step()
    return made.state_dict()


def schedule(name: str, **more: Any) -> dict[str, Any]:
    return getattr(torch.optim.lr_scheduler, name)(trained()[1], **more).state_dict()


def vanished() -> Any:
    """An object of a class whose module is gone when the file is read."""
    module = types.ModuleType("corpus_vanished")
    made = dataclasses.make_dataclass("Config", ["width", "depth"])
    made.__module__ = "corpus_vanished"
    module.Config = made  # type: ignore[attr-defined]
    sys.modules["corpus_vanished"] = module
    return made(3, {"deep": made(1, 2)})


def averaged() -> Any:
    return torch.optim.swa_utils.AveragedModel(make_net()).state_dict()


MORE: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "numbers": lambda: {"epoch": 1, "loss": 0.5, "best": True, "steps": 10**20, "lr": 1e-300, "bad": float("nan")},
    "texts": lambda: ["a", "\u00e9\u4e2d\U0001f600", "", "x" * 100_000],
    "bytes": lambda: [b"\0\xff", bytearray(b"abc")],
    "nested": lambda: {"a": [{"b": ({"c": [1, 2, {3: 4}]},)}]},
    "sets": lambda: [{1, 2}, frozenset({"a"})],
    "keys-of-any-kind": lambda: {1: "a", 1.5: "b", None: "c", False: "d", (1, 2): "e", b"x": "f"},
    "ordered-dict": lambda: collections.OrderedDict(a=1, b=2),
    "default-dict": lambda: collections.defaultdict(list, a=[1]),
    "default-dict-of-a-lambda": lambda: collections.defaultdict(functools.partial(int, 5)),
    "counter": lambda: collections.Counter("abca"),
    "deque": lambda: collections.deque([1, 2], 5),
    "namespace": lambda: argparse.Namespace(lr=0.1, layers=[1, 2], inner=argparse.Namespace(a=None)),
    "simple-namespace": lambda: types.SimpleNamespace(lr=0.1),
    "named-tuple": lambda: Place(1, 2),
    "data-class": lambda: Settings(4, Settings()),
    "data-class-vanished": vanished,
    "slots": Slotted,
    "mapping-with-attributes": lambda: Tracked(lr=0.1, net=Tracked(width=3)),
    "list-of-its-own-class": lambda: Words(["a"]),
    "enum": lambda: [Colour.RED, Level.LOW, Flags.A | Flags.B],
    "numpy-array": lambda: np.arange(12.0).reshape(3, 4),
    "numpy-fortran": lambda: np.asfortranarray(np.ones((3, 4), np.float32)),
    "numpy-scalars": lambda: [np.float64(1.5), np.int32(3), np.bool_(True), np.float32("nan"), np.str_("x")],
    "numpy-types": lambda: [np.dtype("f4"), np.dtype([("a", "i4"), ("b", "f8")])],
    "numpy-objects": lambda: np.array([{"a": 1}, None, "x"], dtype=object),
    "numpy-texts": lambda: np.array(["cat", "dog"]),
    "numpy-dates": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "numpy-records": lambda: np.zeros(3, [("a", "i4"), ("b", "f8")]),
    "numpy-big-endian": lambda: np.arange(3, dtype=">f8"),
    "numpy-empty": lambda: np.zeros((0, 5)),
    "numpy-generator": lambda: np.random.default_rng(0).bit_generator.state,
    "numpy-random-state": lambda: np.random.RandomState(0).get_state(),
    "random-state": random.getstate,
    "torch-random-state": torch.get_rng_state,
    "dates": lambda: [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), datetime.date(2020, 1, 1), datetime.timedelta(1)],
    "paths": lambda: [pathlib.PurePosixPath("runs/a"), pathlib.PurePosixPath("/etc")],
    "paths-of-windows": lambda: pathlib.PureWindowsPath("C:\\runs"),
    "numbers-exact": lambda: [decimal.Decimal("0.1"), fractions.Fraction(1, 3), 1 + 2j],
    "uuid": lambda: uuid.UUID(int=5),
    "range-and-slice": lambda: [range(5), slice(1, 2), Ellipsis],
    "classes": lambda: [nn.Linear, torch.optim.Adam, int, dict, torch.relu],
    "partial": lambda: functools.partial(nn.ReLU, inplace=True),
    "device-and-types": lambda: [torch.device("cpu"), torch.device("cuda:0"), torch.float16, torch.Size([1, 2]), torch.strided],
    "net-inside": make_net,
    "modules": lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Dropout()),
    "loss": lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
    "parameter": lambda: nn.Parameter(torch.ones(3)),
    "optimizer-adam": lambda: optimizer("Adam"),
    "optimizer-sgd": lambda: optimizer("SGD"),
    "optimizer-adagrad": lambda: optimizer("Adagrad"),
    "optimizer-rmsprop": lambda: optimizer("RMSprop"),
    "optimizer-itself": lambda: trained()[1],
    "schedule-cosine": lambda: schedule("CosineAnnealingLR", T_max=5),
    "schedule-one-cycle": lambda: schedule("OneCycleLR", max_lr=0.1, total_steps=10),
    "schedule-lambda": lambda: schedule("LambdaLR", lr_lambda=lambda epoch: 0.9**epoch),
    "schedule-plateau": lambda: torch.optim.lr_scheduler.ReduceLROnPlateau(trained()[1]).state_dict(),
    "scaler": lambda: torch.amp.GradScaler("cpu").state_dict(),
    "averages": averaged,
    "tensors-of-all-types": lambda: [torch.zeros(3, dtype=kind) for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool, torch.complex64, torch.complex128)],
    "tensors-of-new-types": lambda: [torch.zeros(4).to(kind) for kind in (torch.float8_e4m3fn, torch.float8_e5m2)],
    "tensors-of-unsigned-types": lambda: [torch.zeros(3, dtype=kind) for kind in (torch.uint16, torch.uint32, torch.uint64)],
    "tensor-sparse": lambda: torch.eye(3).to_sparse(),
    "tensor-quantized": lambda: _quantized(),
    "tensor-views": lambda: [torch.arange(100.0)[::7], torch.ones(3, 4).t(), torch.ones(1).expand(100, 5)],
    "tensor-empty": lambda: [torch.zeros(0), torch.zeros(3, 0, 2), torch.tensor(5.0)],
    "tensor-conjugate": lambda: torch.ones(3, dtype=torch.complex64).conj(),
    "tensor-meta": lambda: torch.empty(5, device="meta"),
    "tensor-nan": lambda: torch.full((3,), float("nan")),
    "metrics": lambda: {"train/loss": [0.5] * 1000, "val/acc": np.linspace(0, 1, 1000).tolist()},
    "warnings-and-errors": lambda: [ValueError("x"), UserWarning("y")],
    "lightning": lambda: {"pytorch-lightning_version": "2.5", "hyper_parameters": {"lr": 0.1}, "callbacks": {"ModelCheckpoint{'monitor': 'x'}": {"best": None}}, "loops": {"fit_loop": {"state_dict": {}}}},
    "many-objects": lambda: [argparse.Namespace(number=number) for number in range(3000)],
    "shared-and-cyclic": lambda: _cyclic(),
    "deep-lists": lambda: functools.reduce(lambda inner, _: [inner], range(300), []),
}  # fmt: skip
"""Name -> what lies beside the weights."""


def _quantized() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that such tensors will be removed
        return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


def _cyclic() -> Any:
    made: dict[str, Any] = {"list": [1]}
    made["again"], made["me"] = made["list"], made
    return made


SHAPES: dict[str, Callable[[], Any]] = {
    "bare": state,
    "under-model": lambda: {"model": state(), "epoch": 1},
    "under-state-dict": lambda: {"state_dict": state(), "epoch": 1},
    "under-model-state-dict": lambda: {"model_state_dict": state(), "optimizer_state_dict": optimizer("Adam"), "epoch": 1},
    "under-net": lambda: {"net": state(), "acc": 0.5},
    "under-weights": lambda: {"weights": state()},
    "under-module": lambda: {"module": state()},
    "under-ema": lambda: {"model": state(), "ema": state(0.5)},
    "data-parallel": lambda: {f"module.{name}": value for name, value in state().items()},
    "compiled": lambda: {f"_orig_mod.{name}": value for name, value in state().items()},
    "compiled-in-parallel": lambda: {f"module._orig_mod.{name}": value for name, value in state().items()},
    "lightning-prefix": lambda: {"state_dict": {f"model.{name}": value for name, value in state().items()}, "epoch": 1, "global_step": 10},
    "pair-with-optimizer": lambda: (state(), optimizer("SGD")),
    "parameters": lambda: {name: nn.Parameter(value) for name, value in state().items()},
    "ordered-dict-with-metadata": lambda: make_net().state_dict(),
    "other-order": lambda: dict(reversed(state().items())),
    "views": lambda: {name: torch.stack([value, value])[0] for name, value in state().items()},
    "not-contiguous": lambda: {name: value.clone(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in state().items()},
    "float16": lambda: {name: value.half() for name, value in state().items()},
    "bfloat16": lambda: {name: value.bfloat16() for name, value in state().items()},
    "float64": lambda: {name: value.double() for name, value in state().items()},
    "whole-net": make_net,
}  # fmt: skip
"""Name -> the whole that is saved."""
NAMES = {
    "space": "my run epoch_1.pt",
    "unicode": "\u00e9poque_\u4e2d\u6587_1.pt",
    "emoji": "\U0001f525epoch_1\U0001f680.pt",
    "long": "x" * 200 + "_epoch_1.pt",
    "quotes": 'it\'s "epoch_1".pt',
    "percent": "100%_epoch_1.pt",
    "brackets": "run[1]_epoch_1.pt",
    "hash-and-at": "a#b@c_epoch_1.pt",
    "equals": "epoch=1-step=20.ckpt",
    "decimal": "epoch_1_loss_0.25.pt",
    "no-ending": "epoch_1",
    "tar": "checkpoint_1.pth.tar",
    "bin": "epoch_1.bin",
    "deep-folder": "a/b c/\u00fc/epoch_1.pt",
    "right-to-left": "\u05e2\u05d1\u05e8\u05d9\u05ea_1.pt",
    "backslash": "a\\b_epoch_1.pt",
    "new-line": "a\nb_epoch_1.pt",
    "braces": "epoch_{1}_1.pt",
}
METADATA = {
    "none": None,
    "of-transformers": {"format": "pt"},
    "epoch": {"epoch": "1", "global_step": "20"},
    "unicode": {"author": "\u00e9\u4e2d\U0001f600", "json": '{"a": [1]}'},
    "long": {"notes": "x" * 100_000},
    "many": {f"key{number}": "v" for number in range(500)},
}


def save(content: Callable[[], Any], path: Path, **how: Any) -> None:
    torch.save(content(), path, **how)
    sys.modules.pop("corpus_vanished", None)


def _beside(more: Callable[[], Any], path: Path, **how: Any) -> None:
    save(lambda: {"state_dict": state(), "more": more()}, path, **how)


def _safetensors(metadata: dict[str, str] | None, path: Path) -> None:
    save_file(state(), path, metadata=metadata)


def _run(path: Path) -> None:
    path.mkdir()
    for epoch in range(3):
        save(lambda: {"state_dict": state(1 + epoch / 10), "epoch": epoch}, path / f"epoch_{epoch}.pt")  # noqa: B023 - called here
    (path / "log.txt").write_text("x")
    (path / "events.out.tfevents").write_bytes(b"\0" * 10)


def _deflated(path: Path) -> None:
    """Packed again by a zip program, as some who publish files do."""
    import zipfile

    torch.save(state(), path)
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name, content in members.items():
            target.writestr(name, content)


LEGACY = {"_use_new_zipfile_serialization": False}
CASES = [
    *(Case(f"beside-{name}", "torch zip", partial(_beside, more)) for name, more in MORE.items()),
    *(
        Case(f"legacy-beside-{name}", "legacy", partial(_beside, MORE[name], **LEGACY))
        for name in (
            "namespace",
            "numpy-array",
            "optimizer-adam",
            "data-class-vanished",
            "tensors-of-all-types",
            "enum",
            "paths",
        )
    ),
    *(
        Case(f"protocol-{protocol}-{name}", "torch zip", partial(_beside, MORE[name], pickle_protocol=protocol))
        for protocol in (3, 4, 5)
        for name in ("namespace", "numpy-array", "sets", "slots")
    ),
    *(Case(f"shape-{name}", "torch zip", partial(save, content)) for name, content in SHAPES.items()),
    *(
        Case(f"legacy-{name}", "legacy", partial(save, SHAPES[name], **LEGACY))
        for name in ("bare", "under-model", "data-parallel", "float16")
    ),
    *(
        Case(f"safetensors-metadata-{name}", "safetensors", partial(_safetensors, metadata), file="epoch_1.safetensors")
        for name, metadata in METADATA.items()
    ),
    *(Case(f"name-{name}", "name", partial(save, state), file=file) for name, file in NAMES.items()),
    Case("run-of-three", "torch zip", _run, file="run", epochs=3),
    Case("zip-packed-again", "torch zip", _deflated),
]
CASES = [dataclasses.replace(case, ends=(0,)) for case in CASES]
