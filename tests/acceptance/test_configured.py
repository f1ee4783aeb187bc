"""Options that the user's project sets in its pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli import open_store
from tests.acceptance.runs import ANALYZE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


def configure(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'mine'\n\n[tool.rfav]\n{text}\n")


def test_the_project_sets_defaults(rfav: Rfav, folder: Path) -> None:
    configure(folder, "model = 'tiny_net:make_net'\nprobe = 'probe.npz'\nprobe-size = 60\nlayers = ['conv*']")
    done = rfav(folder, "analyze", "run")
    assert done.out == "rfav.h5: 5 epochs, 2 layers, 60 samples\n"


def test_one_value_stands_for_a_list_of_one(rfav: Rfav, folder: Path) -> None:
    configure(folder, "checkpoints = 'run'\nmodel = 'tiny_net:make_net'\nprobe = 'probe.npz'\nlayers = 'conv*'")
    assert rfav(folder, "analyze").out == "rfav.h5: 5 epochs, 2 layers, 120 samples\n"


def test_the_nearest_project_above_counts(rfav: Rfav, folder: Path) -> None:
    configure(folder, "probe-size = 60")
    (folder / "deep").mkdir()
    done = rfav(folder / "deep", "analyze", "../run", "--model", "../tiny_net.py:make_net", "--probe", "../probe.npz")
    assert done.out == "rfav.h5: 5 epochs, 3 layers, 60 samples\n"


def test_the_command_line_wins(rfav: Rfav, folder: Path) -> None:
    configure(folder, "probe-size = 60\nwith-bias = true\nlayers = ['conv*']")
    done = rfav(folder, *ANALYZE, "--probe-size", "30", "--layers", "fc1")
    assert done.out == "rfav.h5: 5 epochs, 1 layer, 30 samples\n"
    assert open_store(folder / "rfav.h5").run.settings.with_bias


def test_a_command_has_options_of_its_own(rfav: Rfav, measured: Path, folder: Path) -> None:
    configure(folder, f"path = '{measured / 'rfav.h5'}'\nformat = 'csv'\n\n[tool.rfav.show]\nformat = 'json'")
    assert len(rfav(folder, "show").json()["epochs"]) == 5


def test_a_number_a_channel_is_a_list(rfav: Rfav, folder: Path) -> None:
    configure(folder, "mean = [0.5, 0.4, 0.3]\nstd = 0.25")
    assert rfav(folder, *ANALYZE, "--out", "listed.h5").code == 0
    (folder / "pyproject.toml").unlink()
    assert rfav(folder, *ANALYZE, "--out", "given.h5", "--mean", "0.5,0.4,0.3", "--std", "0.25").code == 0
    assert open_store(folder / "listed.h5").run.probe.sha256 == open_store(folder / "given.h5").run.probe.sha256


def test_epochs_are_set_for_a_command(rfav: Rfav, folder: Path) -> None:
    configure(folder, "[tool.rfav.analyze]\nepochs = 'epoch_{epoch}.pt'\n[tool.rfav.train]\nepochs = 1")
    assert rfav(folder, *ANALYZE).out == "rfav.h5: 5 epochs, 3 layers, 120 samples\n"
    trained = rfav(folder, "train", "--data", "probe.npz", "--model", "tiny_net:make_net", "--out", "new")
    assert trained.out.startswith("new: 1 epoch,")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs = 30", {"pyproject.toml", "epochs", "[tool.rfav.analyze] (PATTERN)", "[tool.rfav.train] (N)"}),
        ("colour = true", {"pyproject.toml", "[tool.rfav]", "colour"}),
        ("[tool.rfav.analyze]\nformat = 'json'", {"pyproject.toml", "[tool.rfav.analyze]", "format"}),
        ("[tool.rfav.analyse]\nprobe = 'x'", {"pyproject.toml", "analyse"}),
        ("probe-size = 'many'", {"pyproject.toml", "--probe-size"}),
        ("with-bias = 'perhaps'", {"pyproject.toml", "--with-bias"}),
        ("mean = 'grey'", {"pyproject.toml", "--mean", "grey"}),
        ("mean = true", {"pyproject.toml", "--mean"}),
        ("resize = [8, 8, 8]", {"pyproject.toml", "--resize"}),
        ("[tool.rfav.analyze]\nmaps = true", {"pyproject.toml", "--maps"}),
        ("device = 'tpu'", {"pyproject.toml", "--device", "tpu"}),
        ("output = true", {"pyproject.toml", "--output", "true is no text"}),
        ("layers = true", {"pyproject.toml", "layers", "GLOB"}),
        ("with-bias = 1", {"pyproject.toml", "with-bias", "neither true nor false"}),
        ("[tool.rfav.analyze]\nout = {a = 1}", {"pyproject.toml", "[tool.rfav.analyze]", "out", "a table is no FILE"}),
        ("layers = 'block*'", {"--layers", "block*", "conv1"}),
        ("probe-size = ", {"pyproject.toml", "line"}),
    ],
)
def test_what_a_project_sets_wrongly(rfav: Rfav, folder: Path, text: str, words: set[str]) -> None:
    configure(folder, text)
    done = rfav(folder, *ANALYZE)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
    assert {word for word in words if word not in done.err} == set()
    assert not (folder / "rfav.h5").exists()


def test_a_format_is_a_name_and_not_a_flag(rfav: Rfav, folder: Path) -> None:
    configure(folder, "[tool.rfav.show]\nformat = 3")
    done = rfav(folder, "show")
    assert (done.code, done.out) == (2, "")
    assert "--format" in done.err
    assert "'csv'" in done.err
    assert "neither true nor false" not in done.err


STRANGE = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\nfrom tiny_net import make_net\n"
"""Code that leaves a trace when it is imported."""


@pytest.fixture
def download(folder: Path) -> Path:
    """A folder of checkpoints that came with code and with settings of its own."""
    (folder / "run" / "strange.py").write_text(STRANGE)
    (folder / "link").symlink_to(folder / "run")
    return folder / "run"


def test_code_of_the_users_project_is_named_in_a_line(rfav: Rfav, folder: Path) -> None:
    configure(folder, "model = 'tiny_net:make_net'\nprobe = 'probe.npz'")
    done = rfav(folder, "analyze", "run")
    assert (done.code, done.err.count("note: --model tiny_net:make_net is set by ")) == (0, 1)
    assert f"{folder / 'pyproject.toml'}\n" in done.err
    assert rfav(folder, "analyze", "run", "--fresh", "--quiet").err == ""
    assert "is set by" not in rfav(folder, "analyze", "run", "--fresh", "--model", "tiny_net.py:make_net").err


@pytest.mark.parametrize("given", [".", "*.pt", "../link", "epoch_001.pt"])
def test_code_that_came_with_checkpoints_is_not_run(rfav: Rfav, download: Path, given: str) -> None:
    configure(download, "model = 'strange:make_net'")
    done = rfav(download, "analyze", given, "--probe", "../probe.npz", "--out", "out.h5")
    assert done.code == 2
    assert done.err.startswith("error: --model strange:make_net: set by ")
    assert "type --model strange:make_net" in done.err
    assert not (download / "ran").exists()
    assert not (download / "out.h5").exists()


@pytest.mark.parametrize("option", ["probe", "train-probe", "transform", "loss"])
def test_nor_is_that_of_another_option(rfav: Rfav, download: Path, option: str) -> None:
    configure(download, f"{option} = 'strange.py:thing'")
    probe = [] if option == "probe" else ["--probe", "../probe.npz"]
    done = rfav(download, "analyze", ".", "--model", "../tiny_net.py:make_net", *probe, "--out", "out.h5")
    assert done.code == 2
    assert f"error: --{option} strange.py:thing: set by " in done.err
    assert not (download / "ran").exists()


def test_nor_that_of_data_to_train_on(rfav: Rfav, download: Path) -> None:
    configure(download, "data = 'strange.py:thing'\nmodel = 'strange.py:make_net'")
    done = rfav(download, "train", "--init", ".", "--out", "../new")
    assert done.code == 2
    assert "set by " in done.err
    assert not (download / "ran").exists()


def test_what_is_typed_is_the_users_own(rfav: Rfav, folder: Path, download: Path) -> None:
    configure(download, "model = 'strange:make_net'")
    done = rfav(download, "analyze", ".", "--model", "../tiny_net.py:make_net", "--probe", "../probe.npz")
    assert (done.code, (download / "ran").exists()) == (0, False), done.err
    assert (folder / "run" / "rfav.h5").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("i-trust-this-pickle = true", "type --i-trust-this-pickle"),
        ("[tool.rfav.watch]\non-collapse = 'touch ran'", "type --on-collapse CMD"),
        ("[tool.rfav.analyze]\nout = '../elsewhere.h5'", "type --out ../elsewhere.h5"),
        ("[tool.rfav.analyze]\ntensorboard = '/tmp/events'", "type --tensorboard /tmp/events"),
    ],
)
def test_what_only_the_user_can_allow_is_typed(rfav: Rfav, folder: Path, text: str, words: str) -> None:
    configure(folder, text)
    done = rfav(folder, *ANALYZE)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 2
    assert not (folder.parent / "elsewhere.h5").exists()
