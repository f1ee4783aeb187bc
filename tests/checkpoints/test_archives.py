from __future__ import annotations

import hashlib
import os
import re
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints import archives
from rfav_cli.checkpoints.formats import torchscript
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable
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


class Warns(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        warnings.warn("\x1b[31mCAREFUL\n::error::x")  # noqa: B028 - TorchScript knows no stacklevel
        return x


def save(net: nn.Module, path: Path) -> Path:
    torch.jit.save(torch.jit.script(net), str(path))
    return path


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], **more: bytes) -> Path:
    """The archive with each member as `change` gives it, and others beside it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: change(name, archive.read(name)) for name in archive.namelist()}
    root = next(iter(members)).partition("/")[0]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {f"{root}/{name}": content for name, content in more.items()}).items():
            if content is not None:
                archive.writestr(name, content)
    return path


STATE = [
    "_9 = torch._sparse_csr_tensor_unsafe(state[0], state[0], state[0], [2, 2])",
    "_9 = torch.resize_(state[0], [99999])",
    '_9 = torch.from_file("x")',
    "_9 = (state[0]).to_sparse_csr()",
    '_9 = getattr(state[0], "as_strided_")([1], [1])',
    'print("now")',
    'torch.warn("\\033[31mRED", 2)',
    "_9 = ops.quantized.embedding_bag_byte(state[0], state[0])",
    "_9 = __torch__.torch.classes.dist_c10d.Store()",
    "_9 = state[0].crow_indices()",
    "_9 = torch.wait(fork(torch.save, state))",
]


@pytest.mark.parametrize("line", STATE)
def test_setstate_is_looked_at_as_forward_is(line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tampered(Restoring(), tmp_path / "net.pt", "def __setstate__", line)
    with pytest.raises(CheckpointError, match=r"net\.pt: refused"):
        torchscript.read(path, CPU)
    assert capfd.readouterr() == ("", "")


def test_setstate_that_calls_a_function_that_warns_is_refused(tmp_path: Path) -> None:
    helper = b'def told(x: Tensor) -> Tensor:\n  torch.warn("\\033[31mRED", 2)\n  return x\n'
    path = tampered(Restoring(), tmp_path / "net.pt", "def __setstate__", "_9 = __torch__.other.told(state[0], )")
    rewritten(path, lambda _, content: content, **{"code/__torch__/other.py": helper})
    with pytest.raises(CheckpointError, match="warn in __setstate__"):
        torchscript.read(path, CPU)


def test_what_is_no_object_of_a_class_is_not_taken_for_one(tmp_path: Path) -> None:
    line = "self.training = (unchecked_cast(__torch__.other.Thing, state)).training"
    path = tampered(Restoring(), tmp_path / "net.pt", "def __setstate__", line)
    thing = b"class Thing(Module):\n  __parameters__ = []\n  first : int\n  training : bool\n"
    rewritten(path, lambda _, content: content, **{"code/__torch__/other.py": thing})
    with pytest.raises(CheckpointError, match="refused, it holds 'prim::unchecked_cast to __torch__"):
        torchscript.read(path, CPU)


def test_setstate_that_only_restores_is_run(tmp_path: Path) -> None:
    module = torchscript.read(save(Restoring(), tmp_path / "net.pt"), CPU).content
    assert module(torch.ones(2)).tolist() == [1, 1]


def test_what_setstate_raises_is_said_of_the_file(tmp_path: Path) -> None:
    path = tampered(Restoring(), tmp_path / "net.pt", "def __setstate__", 'ops.prim.RaiseException("\\n::error::now")')
    with pytest.raises(CheckpointError, match=r"net\.pt: not a TorchScript archive .*: ::error::now"):
        torchscript.read(path, CPU)


@pytest.mark.parametrize("version", [b"9" * 5000, b"two"])
def test_a_version_that_is_none(version: bytes, tmp_path: Path) -> None:
    path = save(Plain(), tmp_path / "net.pt")
    rewritten(path, lambda name, content: version if name.endswith("/version") else content)
    with pytest.raises(CheckpointError, match=r"net\.pt: .*damaged"):
        torchscript.read(path, CPU)


def test_warnings_of_an_archive_reach_no_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    module = torchscript.read(save(Warns(), tmp_path / "net.pt"), CPU).content
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert module(torch.ones(2)).tolist() == [1, 1]
    assert told == []
    assert capfd.readouterr() == ("", "")


def test_the_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, marker = save(Plain(), tmp_path / "net.pt"), tmp_path / "marker"
    evil = tampered(Restoring(), tmp_path / "evil.pt", "def __setstate__", f'torch.save(1, "{marker}")')
    whole = archives.read_whole
    opened: list[Path] = []

    def swapped(path: Path) -> bytes:
        content = whole(path)
        opened.append(path)
        evil.replace(path)
        return content

    monkeypatch.setattr(archives, "read_whole", swapped)
    payload = torchscript.read(path, CPU)
    assert payload.content(torch.zeros(1, 2)).shape == (1, 2)
    assert opened == [path]
    assert payload.sha256 != hashlib.sha256(path.read_bytes()).hexdigest()
    assert not marker.exists()


def test_errors_say_why_and_not_where(tmp_path: Path) -> None:
    path = save(Plain(), tmp_path / "net.pt")
    rewritten(
        path, lambda name, content: content.replace(b"= self.bias", b"= self.absent") if ".py" in name else content
    )
    with pytest.raises(CheckpointError, match="no attribute or method 'absent'"):
        torchscript.read(path, CPU)


def test_nothing_follows_notes_on_where_code_comes_from(tmp_path: Path) -> None:
    path = save(Honest(), tmp_path / "net.pt")
    rewritten(path, lambda name, content: b"\xff" * 99 if name.endswith(".debug_pkl") else content)
    module = torchscript.read(path, CPU).content
    with pytest.raises(Exception, match="cannot save"):
        module(torch.zeros(1, 3))


@pytest.mark.parametrize("name", ["model.json", "attributes.pkl"])
def test_archives_of_another_layout_are_refused(name: str, tmp_path: Path) -> None:
    path = rewritten(save(Plain(), tmp_path / "net.pt"), lambda _, content: content, **{name: b"{}"})
    with pytest.raises(CheckpointError, match=rf"refused, it holds '{name}'"):
        torchscript.read(path, CPU)


def test_a_pickle_that_makes_what_nets_do_not_need_is_refused(tmp_path: Path) -> None:
    sparse = b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n(K\x01tR."
    for pickle in ("/data.pkl", "/constants.pkl"):
        path = save(Plain(), tmp_path / "net.pt")
        rewritten(path, lambda name, content, end=pickle: sparse if name.endswith(end) else content)  # type: ignore[misc]
        with pytest.raises(CheckpointError, match="_rebuild_sparse_tensor"):
            torchscript.read(path, CPU)


def test_who_trusts_a_program_may_run_any_operator(tmp_path: Path) -> None:
    path = tampered(Plain(), tmp_path / "net.pt", "def forward", "x = torch.to_dense(torch.to_sparse(x))")
    with pytest.raises(CheckpointError, match=r"--i-trust-this-program"):
        torchscript.read(path, CPU)
    trusted = ReadOptions(trust_program=True)
    assert torchscript.read(path, trusted).content(torch.zeros(1, 2)).shape == (1, 2)
    rewritten(path, lambda name, content: content[:-8] if "/data/0" in name else content)
    with pytest.raises(CheckpointError, match="damaged"):
        torchscript.read(path, trusted)


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match="is a FIFO"):
        archives.read_whole(tmp_path / "net.pt")


def test_code_in_which_nothing_can_be_hidden_by_depth(tmp_path: Path) -> None:
    path = tampered(Plain(), tmp_path / "net.pt", "def forward", "y = " + "(" * 100_000 + "x" + ")" * 100_000)
    with pytest.raises(CheckpointError, match="nested too deep"):
        torchscript.read(path, CPU)


def respelled(path: Path, old: str, new: str) -> Path:
    """An archive with a part of the names of its members in another spelling."""
    with zipfile.ZipFile(path) as archive:
        inside = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in inside.items():
            archive.writestr(re.sub(old, new, name), content)
    return path


@pytest.mark.parametrize(("old", "new"), [("code/", "CODE/"), (r"py$", "PY"), (r"\.py\.debug", ".Py.debug")])
def test_code_is_looked_at_however_its_name_is_spelled(old: str, new: str, tmp_path: Path) -> None:
    path = respelled(save(Plain(), tmp_path / "net.pt"), old, new)
    torch.jit.load(str(path))  # it is code for torch
    with pytest.raises(CheckpointError, match=rf"refused, it holds '{new if new == 'CODE/' else 'code'}"):
        torchscript.read(path, CPU)


def test_members_of_one_name_in_two_spellings_are_refused(tmp_path: Path) -> None:
    path = save(Plain(), tmp_path / "net.pt")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{archive.namelist()[0].partition('/')[0]}/DATA.pkl", b"")
    with pytest.raises(CheckpointError, match="two members of one name"):
        torchscript.read(path, CPU)


def test_an_archive_whose_list_of_members_is_elsewhere_for_torch_is_refused(tmp_path: Path) -> None:
    content = save(Plain(), tmp_path / "net.pt").read_bytes()
    at = content.rindex(b"PK\5\6")
    size, start = struct.unpack_from("<II", content, at + 12)
    listed = content[start : start + size]
    for_python = listed.replace(b".debug_pkl", b".debug_off")
    changed = content[:at] + for_python + content[at:]  # torch goes by the place, Python by the size
    with pytest.raises(CheckpointError, match="two lists of its members"):
        archives.load_torchscript(tmp_path / "net.pt", changed, torch.device("cpu"), trust=True)


def test_an_object_of_another_class_than_the_code_declares_is_refused(tmp_path: Path) -> None:
    mangled = rb"(\.___torch_mangle_\d+)?"  # where other classes of the name were compiled before
    declared = rb"c__torch__\.torch\.nn\.modules\.container" + mangled + rb"\nSequential\n"
    other = rb"c__torch__\.torch\.nn\.modules\.linear" + mangled + rb"\nLinear\n"

    def change(name: str, content: bytes) -> bytes:
        found = re.search(other, content) if name.endswith("data.pkl") else None
        return content if found is None else re.sub(declared, found[0], content)

    path = rewritten(save(Plain(), tmp_path / "net.pt"), change)
    with pytest.raises(CheckpointError, match=r"an object of another class in __torch__\S*\.Plain\.layers"):
        torchscript.read(path, CPU)
