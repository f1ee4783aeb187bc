"""TorchScript and exported programs of nets of many kinds."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tests.corpus.case import Case, make_net
from tests.corpus.programs import SHAPE, Holder, exported_as_before

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Normed(nn.Module):
    """Batch normalisation, a residual, dropout, adaptive pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.GroupNorm(2, 8)
        self.drop, self.fc = nn.Dropout(0.5), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.nn.functional.silu(self.norm1(self.conv1(x)))
        x = x + torch.nn.functional.gelu(self.norm2(self.conv2(x)))
        return self.fc(self.drop(torch.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)))


class Recurrent(nn.Module):
    """An LSTM over the rows of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.lstm = nn.Linear(24, 16), nn.LSTM(16, 8, batch_first=True)
        self.fc1, self.fc2 = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.relu(self.into(x.permute(0, 2, 1, 3).flatten(2)))
        out, _ = self.lstm(rows)
        return self.fc2(torch.relu(self.fc1(out[:, -1])))


class Attentive(nn.Module):
    """Attention over the rows of an image, as it is written out and as torch has it."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.qkv, self.out = nn.Linear(24, 16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.norm, self.fc = nn.LayerNorm(16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.into(x.permute(0, 2, 1, 3).flatten(2))
        q, k, v = self.qkv(self.norm(rows)).chunk(3, dim=-1)
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        scores = torch.softmax(q @ k.transpose(1, 2) / 4.0, dim=-1) @ v
        return self.fc((rows + self.out(mixed + scores)).mean(1))


class Branching(nn.Module):
    """Control flow of Python: a loop over parts, a branch on a number, a list."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(192, 16), nn.Linear(16, 16), nn.Linear(16, 16)])
        self.fc = nn.Linear(16, 3)
        self.depth: int = 3

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        kept: list[Tensor] = []
        for part in self.parts:
            x = torch.tanh(part(x))
            kept.append(x)
        step = 0
        while step < self.depth:
            step += 1
            if step % 2 == 0:  # noqa: SIM108 - a branch is what the case is
                x = x * 0.5
            else:
                x = x + kept[0]
        assert x.dim() == 2, "two axes"
        return self.fc(x)


class Updown(nn.Module):
    """Transposed convolution, interpolation, padding, concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.mix, self.fc = nn.Conv2d(7, 4, 1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.nn.functional.leaky_relu(self.up(torch.nn.functional.hardswish(self.down(x))))
        y = torch.nn.functional.interpolate(y, size=(8, 8), mode="bilinear", align_corners=False)
        y = torch.cat([x, torch.nn.functional.pad(y, [0, 0, 0, 0])], 1)
        return self.fc(self.mix(y).amax((2, 3)))


class Mathematical(nn.Module):
    """Operators that nets have beside layers: einsum, gather, where, cumsum, normalize, clamp, topk, index_select."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(192, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        self.register_buffer("order", torch.arange(15, -1, -1))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.nn.functional.normalize(self.fc1(x.flatten(1)), dim=1)
        x = torch.where(x > 0, x, torch.expm1(x)) + torch.cumsum(x, 1).clamp(-1.0, 1.0)
        x = x.index_select(1, self.order) + torch.einsum("ni,nj->ni", x, x)
        top, where = torch.topk(x, 4, dim=1)
        x = self.fc2(x) + x.gather(1, where).sum(1, keepdim=True) + top.logsumexp(1, keepdim=True)
        return self.fc3(torch.log1p(x.abs()).sqrt() * torch.sigmoid(x))


class Named(nn.Module):
    """A tuple for its output."""

    def __init__(self) -> None:
        super().__init__()
        self.net = make_net()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.net(x)
        return scores, torch.softmax(scores, 1)


NETS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "plain": (make_net, 3),
    "normed": (Normed, 2),
    "recurrent": (Recurrent, 2),
    "attentive": (Attentive, 3),
    "branching": (Branching, 3),
    "updown": (Updown, 3),
    "mathematical": (Mathematical, 2),
}
"""Name -> what makes the net, and how many of its layers are measured."""


def net_of(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return NETS[name][0]().eval()


def _script(name: str, path: Path) -> None:
    _saved(lambda: torch.jit.script(net_of(name)), path)


def _traced(name: str, path: Path) -> None:
    _saved(lambda: torch.jit.trace(net_of(name), torch.zeros(2, *SHAPE)), path)


def _frozen(name: str, path: Path) -> None:
    _saved(lambda: torch.jit.freeze(torch.jit.script(net_of(name))), path)


def _saved(make: Callable[[], torch.jit.ScriptModule], path: Path, **extra: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(make(), str(path), _extra_files={name: text.encode() for name, text in extra.items()})


def _with_extra(path: Path) -> None:
    _saved(lambda: torch.jit.script(net_of("plain")), path, **{"labels.txt": "cat\ndog\nbird", "config.json": "{}"})


def _with_state(path: Path) -> None:
    _saved(lambda: torch.jit.script(Holder().eval()), path)


def _exported(name: str, dynamic: bool, path: Path) -> None:
    shapes = ({0: torch.export.Dim("batch", min=1, max=512)},) if dynamic else None
    program = torch.export.export(net_of(name), (torch.zeros(24, *SHAPE),), dynamic_shapes=shapes)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    path.write_bytes(buffer.getvalue())


def _old(path: Path) -> None:
    path.write_bytes(exported_as_before())


STATIC = ("plain", "attentive")
CASES = [
    *(
        Case(f"scripted-{name}", "TorchScript", partial(_script, name), "program", layers=layers, whole=name == "plain")
        for name, (_, layers) in NETS.items()
    ),
    *(
        Case(f"traced-{name}", "TorchScript", partial(_traced, name), "program", layers=layers)
        for name, (_, layers) in NETS.items()
    ),
    *(
        Case(f"frozen-{name}", "TorchScript", partial(_frozen, name), "program", layers=NETS[name][1])
        for name in ("plain", "branching", "mathematical")
    ),
    Case("scripted-with-extra-files", "TorchScript", _with_extra, "program"),
    Case("scripted-with-a-state", "TorchScript", _with_state, "program", layers=2),
    *(
        Case(
            f"exported-{name}",
            "exported",
            partial(_exported, name, True),
            "program",
            "epoch_1.pt2",
            layers=layers,
            whole=name == "plain",
        )
        for name, (_, layers) in NETS.items()
        if name != "recurrent"
    ),
    *(
        Case(
            f"exported-static-{name}",
            "exported",
            partial(_exported, name, False),
            "program",
            "epoch_1.pt2",
            layers=NETS[name][1],
        )
        for name in STATIC
    ),
    Case("exported-before-2-8", "exported", _old, "program", "epoch_1.pt2"),
]
CASES = [replace(case, ends=(0,)) for case in CASES]
