"""TorchScript archives and exported programs of the net, which cases change before they write them."""

from __future__ import annotations

import functools
import io
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tests.corpus.net import make_net

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHAPE = (3, 8, 8)


class Holder(nn.Module):
    """Keeps a submodule with a state of its own beside the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.keeper = Stateful()
        self.fc1, self.fc2, self.fc3 = nn.Linear(192, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(self.keeper(x.flatten(1)))))))


class Stateful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kept = torch.ones(2, 2)

    @torch.jit.export
    def __getstate__(self) -> tuple[Tensor, bool]:
        return self.kept, self.training

    @torch.jit.export
    def __setstate__(self, given: tuple[Tensor, bool]) -> None:
        self.kept = given[0]
        self.training = given[1]

    def forward(self, x: Tensor) -> Tensor:
        return x * 1.0


def scripted_of(net: nn.Module) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(net.eval()), buffer)
    return buffer.getvalue()


@functools.cache
def scripted(which: str = "Net") -> bytes:
    """A good TorchScript archive."""
    return scripted_of({"Net": make_net, "Holder": Holder}[which]())


@functools.cache
def exported(*, dynamic: bool = True) -> bytes:
    """A good archive of `torch.export.save`."""
    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if dynamic else None
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(make_net(), (torch.zeros(24, *SHAPE),), dynamic_shapes=shapes), buffer)
    return buffer.getvalue()


@functools.cache
def exported_as_before() -> bytes:
    """The same in the layout up to torch 2.7."""
    from torch._export.serde.serialize import serialize

    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},)
    artifact: Any = serialize(torch.export.export(make_net(), (torch.zeros(24, *SHAPE),), dynamic_shapes=shapes))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("serialized_exported_program.json", artifact.exported_program)
        target.writestr("serialized_state_dict.pt", artifact.state_dict)
        target.writestr("serialized_constants.pt", artifact.constants)
        target.writestr("serialized_example_inputs.pt", artifact.example_inputs)
        target.writestr("version", "8.8")
    return buffer.getvalue()


def rewritten(source: bytes, path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write an archive with its members changed."""
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
