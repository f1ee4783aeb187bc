from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.formats import torchscript
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
CPU = ReadOptions()


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Restoring(nn.Module):
    """Has code that runs as the archive is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.zeros(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.weight

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return self.weight, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        self.weight = state[0]
        self.training = state[1]


class Honest(nn.Module):
    """Uses the words that are looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.ops = nn.Linear(2, 2)
        self.saved = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != 2:
            raise ValueError("cannot save: print torch.classes")
        return self.saved(self.ops(x))


def tampered(net: nn.Module, path: Path, method: str, line: str) -> Path:
    """The archive of a net with a line of code put in at the start of a method."""
    torch.jit.save(torch.jit.script(net), str(path))
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            text = content
            if "test_archives" in name and name.endswith(".py"):
                position = content.find(method.encode())
                if position >= 0:
                    end = content.index(b":\n", position) + 2
                    text = content[:end] + f"    {line}\n".encode() + content[end:]
            archive.writestr(name, text)
    return path


def code_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".py"))


HOSTILE = [
    'ops.aten.save(x, "{marker}")',
    'torch.save(x, "{marker}")',
    'torch.add_(x, torch.from_file("{marker}", True, 2))',
    'torch.add_(x, getattr(torch, "from_file")("{marker}", True, 2))',
    'torch.add_(x, torch. # a comment\n    from_file("{marker}", True, 2))',
]


@pytest.mark.parametrize("line", HOSTILE)
def test_code_that_reaches_files_is_refused_before_it_is_loaded(line: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = tampered(Plain(), tmp_path / "net.pt", "def forward", line.format(marker=marker))
    with pytest.raises(CheckpointError, match=r"net\.pt: refused"):
        torchscript.read(path, CPU)
    assert not marker.exists()


def test_the_attack_would_work_on_a_plain_load(tmp_path: Path) -> None:
    """Shows that the tests above test something."""
    for number, line in enumerate(HOSTILE):
        marker = tmp_path / f"marker{number}"
        path = tampered(Plain(), tmp_path / "net.pt", "def forward", line.format(marker=marker))
        torch.jit.load(str(path))(torch.zeros(1, 2))
        assert marker.exists(), line


@pytest.mark.parametrize(
    "line",
    [
        "_9 = ops.c10d.barrier()",
        "_9 = ops",
        '_9 = getattr(ops, "c10d")',
        '_9 = getattr(self, "\\x73ave")',
        "_9 = __torch__.torch.classes.dist_c10d.ProcessGroup()",
    ],
)
def test_other_ways_out_are_refused(line: str, tmp_path: Path) -> None:
    path = tampered(Plain(), tmp_path / "net.pt", "def forward", line)
    assert line in code_of(path)
    with pytest.raises(CheckpointError, match=r"net\.pt: refused"):
        torchscript.read(path, CPU)


def test_printing_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tampered(Plain(), tmp_path / "net.pt", "def forward", 'print("to the terminal")')
    with pytest.raises(CheckpointError, match="Print"):
        torchscript.read(path, CPU)
    assert capfd.readouterr().out == ""


def test_code_that_runs_while_loading_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = tampered(Restoring(), tmp_path / "net.pt", "def __setstate__", f'torch.save(1, "{marker}")')
    with pytest.raises(CheckpointError, match=r"net\.pt: refused"):
        torchscript.read(path, CPU)
    assert not marker.exists()
    torch.jit.load(str(path))
    assert marker.exists()  # so it would have run


def test_words_in_names_and_messages_are_no_operators(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(Honest()), str(tmp_path / "net.pt"))
    assert torchscript.read(tmp_path / "net.pt", CPU).content(torch.zeros(1, 2)).shape == (1, 2)
