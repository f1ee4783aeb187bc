"""What is recognised in a project, and what is written of it, as Python calls it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.errors import OutputError, RunError, UsageError
from rfav_cli.records import Choice
from tests.commands import nets

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CODE = """
from torch import nn
class Vectors(nn.Module):
    def __init__(self):
        self.fc1 = self.fc2 = self.fc3 = None
class Other(nn.Module):
    def __init__(self):
        self.stem = None
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a run of three epochs, the code of its net and a probe; it is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    for epoch in range(3):
        torch.save(nets.make(nets.Vectors, epoch).state_dict(), tmp_path / f"runs/epoch_{epoch}.pt")
    (tmp_path / "nets.py").write_text(CODE)
    np.savez(tmp_path / "val.npz", images=np.zeros((4, 6), np.float32), labels=np.arange(4))
    return tmp_path


def test_what_is_clear_is_written(project):
    done = rfav_cli.init("runs")
    assert done.written
    assert done.settings == {"model": "nets.py:Vectors", "probe": "val.npz"}
    assert tomllib.loads((project / "pyproject.toml").read_text()) == {"tool": {"rfav": dict(done.settings)}}
    assert done.command == "rfav analyze runs"
    assert (done.recognised.count, done.recognised.epochs, done.recognised.kind) == (3, (0, 2), "eager")


def test_what_a_file_among_the_checkpoints_names_is_to_be_typed(project):
    done = rfav_cli.init(".", probe="my val.npz", dry_run=True)
    assert done.command == "rfav analyze . --model nets.py:Vectors --probe 'my val.npz'"


def test_a_dry_run_writes_nothing(project):
    before = {*project.iterdir()}
    done = rfav_cli.init("runs", ci="github", out="my store.h5", dry_run=True)
    assert not done.written
    assert {path.as_posix() for path in done.files} == {"pyproject.toml", ".github/workflows/rfav.yml"}
    assert done.command == "rfav analyze runs --out 'my store.h5'"
    assert {*project.iterdir()} == before


def test_what_is_not_clear_is_asked_for_or_refused(project):
    (project / "nets.py").write_text(CODE.replace("self.stem", "self.fc1 = self.fc2 = self.fc3"))
    with pytest.raises(
        UsageError, match=r"not clear: nets\.py:Other, nets\.py:Vectors\nGive one of them: --model nets"
    ):
        rfav_cli.init("runs")
    (project / "val.npz").unlink()
    with pytest.raises(UsageError, match="Give --probe FOLDER"):
        rfav_cli.init("runs", model="nets.py:Vectors")
    assert not (project / "pyproject.toml").exists()
    asked = []

    def ask(name, choices):
        asked.append((name, [choice.value for choice in choices]))
        return f"my {name}"

    assert rfav_cli.init("runs", ask=ask).settings == {"model": "my model", "probe": "my probe"}
    assert asked == [("model", ["nets.py:Other", "nets.py:Vectors"]), ("probe", [])]


def test_what_is_given_is_taken(project):
    done = rfav_cli.init("runs", model="timm:resnet18", probe="elsewhere/")
    assert done.settings == {"model": "timm:resnet18", "probe": "elsewhere/"}


def test_checkpoints_that_hold_their_net_need_none(project, series):
    run = series(nets.Vectors, "traced")
    done = rfav_cli.init(run)
    assert done.settings == {"probe": "val.npz"}
    assert (done.recognised.kind, done.recognised.nets) == ("torchscript", ())


def test_each_is_told_what_was_recognised_before_anything_is_chosen(project):
    told = []
    (project / "val.npz").unlink()
    with pytest.raises(UsageError):
        rfav_cli.init("runs", on_recognised=told.append)
    (found,) = told
    assert found.samples == ()
    assert [type(choice) for choice in found.nets] == [Choice]


def test_a_file_of_ci_that_is_there_stays(project):
    (project / "rfav.gitlab-ci.yml").write_text("mine")
    for dry_run in (True, False):
        with pytest.raises(OutputError, match=r"rfav\.gitlab-ci\.yml: was not written by `rfav init`"):
            rfav_cli.init("runs", ci="gitlab", dry_run=dry_run)
    assert not (project / "pyproject.toml").exists()
    assert (project / "rfav.gitlab-ci.yml").read_text() == "mine"
    rfav_cli.init("runs", ci="gitlab", force=True)
    rfav_cli.init("runs", ci="gitlab", out="other.h5")  # nobody has changed what it wrote
    assert "rfav check other.h5" in (project / "rfav.gitlab-ci.yml").read_text()


def test_folders_that_were_made_for_a_file_that_cannot_be_written_are_gone_again(project, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    before = sorted(project.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", refuse)
        with pytest.raises(OutputError, match="No space left"):
            rfav_cli.init("runs", ci="github")
    rfav_cli.init("runs", ci="github", dry_run=True)
    assert sorted(project.rglob("*")) == before


def test_a_folder_without_checkpoints_is_refused(project):
    (project / "empty").mkdir()
    with pytest.raises(RunError, match="no checkpoints"):
        rfav_cli.init("empty")


def test_what_a_checkpoint_says_of_its_net_comes_first(project, monkeypatch):
    said = "--model timm:resnet18 --model-arg num_classes=4 (of the file's args)"
    monkeypatch.setattr("rfav_cli.activations.suggested_model.suggested_model", lambda _: said)
    done = rfav_cli.init("runs", model="timm:resnet18")
    assert done.recognised.nets[0] == Choice("timm:resnet18", "as the checkpoint says itself", ("num_classes=4",))
    assert done.settings == {"model": "timm:resnet18", "model-arg": ("num_classes=4",), "probe": "val.npz"}
    written = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["rfav"]
    assert written["model-arg"] == ["num_classes=4"]


def test_a_workflow_can_be_asked_for_once_the_settings_are_there(project):
    rfav_cli.init("runs")
    before = (project / "pyproject.toml").read_text()
    done = rfav_cli.init("runs", ci="github")
    assert [path.as_posix() for path in done.files] == [".github/workflows/rfav.yml"]
    assert (project / "pyproject.toml").read_text() == before
    assert rfav_cli.init("runs").files == {}
    with pytest.raises(UsageError, match="already, and it stays as it is"):
        rfav_cli.init("runs", probe="elsewhere/")
