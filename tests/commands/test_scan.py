from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import torch
from torch import nn

import rfav_cli
from tests.checkpoints.inspection.files import Calls
from tests.commands.judged import write_judged


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    for name in ("epoch_0.pt", "epoch_1.pt", "deep/epoch_2.pt"):
        torch.save(nn.Linear(3, 2).state_dict(), folder / name)
    (folder / "log.txt").write_text("all is well\n")
    return folder


def test_a_folder_is_looked_through_to_its_depth(run: Path) -> None:
    report = rfav_cli.scan(run)
    names = [os.path.relpath(file.path, run) for file in report.files]
    assert names == ["epoch_0.pt", "epoch_1.pt", "log.txt", str(Path("deep", "epoch_2.pt"))]
    assert (report.code, report.notes) == (0, ())


def test_files_globs_and_several_at_once(run: Path) -> None:
    assert len(rfav_cli.scan([run / "epoch_0.pt", f"{run}/**/*.pt"]).files) == 4
    (run / "net[1].pt").write_bytes((run / "epoch_0.pt").read_bytes())
    assert rfav_cli.scan(run / "net[1].pt").code == 0  # a file by its name, whatever is in it


def test_what_is_left_out_and_passed_over_is_told(run: Path) -> None:
    (run / ".git").mkdir()
    (run / ".git" / "index").write_bytes(b"\x00\x01")
    (run / "link").symlink_to(run / "deep")
    report = rfav_cli.scan(run, exclude=["deep", "no-such"])
    assert len(report.files) == 3
    assert report.notes[0].endswith("passed over 2 hidden or linked folders")
    assert report.notes[1:] == ("1 file or folder was left out by --exclude", "--exclude 'no-such': matches nothing")


@pytest.mark.parametrize("name", ["nowhere.pt", "nowhere/*.pt", "empty"])
def test_nothing_is_never_clean(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    report = rfav_cli.scan(tmp_path / name)
    assert report.code == 2
    assert len(report.files) == 1


def test_a_danger_in_a_hidden_file_is_found(run: Path) -> None:
    torch.save(Calls(), run / "hidden.pt")
    (run / "hidden.pt").rename(run / ".hidden")
    report = rfav_cli.scan(run)
    assert report.code == 1
    assert {finding.level for finding in report.flagged} == {"danger", "refused"}
    assert len(rfav_cli.scan(run, flag="danger").flagged) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has none")
def test_special_files_are_not_waited_for(run: Path) -> None:
    os.mkfifo(run / "epoch_9.pt")
    (run / "gone.pt").symlink_to("nowhere")
    report = rfav_cli.scan(run)
    assert report.code == 2
    assert [file.why_not for file in report.files if file.format == "unknown"] == [
        "cannot be read: is a FIFO, not a regular file",
        "cannot be read: No such file or directory",
    ]


def test_nothing_runs_and_torch_is_not_needed(run: Path) -> None:
    torch.save(Calls(os.mkdir, str(run / "canary")), run / "epoch_3.pt")
    code = f"import sys, rfav_cli; print(rfav_cli.scan({str(run)!r}).code, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"
    assert not (run / "canary").exists()


def test_a_store_is_held_against_its_checksums(tmp_path: Path) -> None:
    path = write_judged(tmp_path, overfits=False)
    (file,) = rfav_cli.scan(path).files
    assert (file.what, file.opens, file.findings) == ("rfav store", True, ())
    content = bytearray(path.read_bytes())
    with h5py.File(path) as store:
        place = store["entropy/mean"].id.get_chunk_info(0).byte_offset
    content[place + 8] ^= 1
    path.write_bytes(content)
    report = rfav_cli.scan(path)
    assert (report.code, report.files[0].opens) == (1, False)
