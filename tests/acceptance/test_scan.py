"""`rfav scan` as a process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from torch import nn

from tests.checkpoints.inspection.files import Calls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


def state(path: Path, **more: object) -> None:
    torch.save({"state_dict": nn.Linear(3, 2).state_dict(), "epoch": 3, **more}, path)


def test_clean_flagged_and_incomplete_are_told_by_the_exit_code(rfav: Rfav, folder: Path) -> None:
    state(folder / "a.pt")
    done = rfav(folder, "scan", "a.pt")
    assert (done.code, done.err) == (0, "")
    assert "2 tensors of float32, 32 B" in done.out
    assert "epoch = 3" in done.out
    state(folder / "b.pt", hook=Calls(os.mkdir, "canary"))
    done = rfav(folder, "scan", "a.pt", "b.pt")
    assert (done.code, done.err) == (1, "")
    assert "danger: calls posix.mkdir (RFAV301 runs-code)" in done.out
    (folder / "c.pt").write_bytes((folder / "a.pt").read_bytes()[:-100])
    assert rfav(folder, "scan", ".").code == 2
    assert rfav(folder, "scan", "nowhere.pt").code == 2
    assert not (folder / "canary").exists()


def test_each_format_is_one_document(rfav: Rfav, folder: Path) -> None:
    state(folder / "a.pt")
    (document,) = rfav(folder, "scan", "a.pt", "--format", "json").json()["files"]
    assert [tensor["name"] for tensor in document["tensors"]["first"]] == ["state_dict.weight", "state_dict.bias"]
    assert document["opens"] is True
    assert rfav(folder, "scan", "a.pt", "--format", "sarif").json()["runs"][0]["results"] == []


def test_files_are_written_besides_and_nothing_of_the_users_is_replaced(rfav: Rfav, folder: Path) -> None:
    state(folder / "a.pt")
    outputs = ("--output", "sarif:a.sarif", "--output", "json:a.json")
    for _ in range(2):  # what it wrote itself is replaced
        assert rfav(folder, "scan", "a.pt", *outputs).code == 0
    assert '"runs"' in (folder / "a.sarif").read_text()
    (folder / "notes.txt").write_text("mine")
    for place in ("notes.txt", "a.pt"):
        done = rfav(folder, "scan", "a.pt", "--output", f"text:{place}")
        assert done.code == 2
        assert "stays as it is" in done.err
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_thousand_tensors_are_listed_where_that_is_asked(rfav: Rfav, folder: Path) -> None:
    torch.save({f"layer{number}.weight": torch.zeros(1) for number in range(1000)}, folder / "a.pt")
    assert len(rfav(folder, "scan", "a.pt").out.splitlines()) < 5
    listed = rfav(folder, "scan", "a.pt", "--tensors").out
    assert listed.count("layer") >= 1000


def test_names_steer_no_terminal(rfav: Rfav, folder: Path) -> None:
    torch.save({"a\x1b]0;x\x07\n::error::b": torch.zeros(2)}, folder / "a.pt")
    (folder / "a.pt").rename(folder / "\x1b[31m.pt")
    code, drawn = rfav.on_terminal(folder, "scan", ".", "--tensors", columns=50)
    assert code == 0
    assert "\x1b]" not in drawn
    assert "\x1b[31m.pt" not in drawn
    assert not any(line.startswith("::") for line in drawn.splitlines())


def test_a_narrow_terminal_takes_it(rfav: Rfav, folder: Path) -> None:
    state(folder / "a_checkpoint_of_a_long_name.pt", hook=Calls(os.mkdir, "canary"))
    _, drawn = rfav.on_terminal(folder, "scan", ".", columns=40, NO_COLOR="1")
    assert max(map(len, drawn.splitlines())) <= 40
