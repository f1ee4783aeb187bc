from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import namedtuple
from importlib.metadata import EntryPoint, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.commands import doctor
from tests.store.example import write

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from rfav_cli.records import Finding


def found(folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(folder)}


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert found(tmp_path)["store"].detail.startswith(f"{tmp_path} can be written")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = found(tmp_path / "none")["store"]
    assert store.state == "missing"
    assert "No such file" in store.detail


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (os, "replace")), refuse)
    store = found(tmp_path)["store"]
    assert (store.state, "No space left" in store.detail) == ("missing", True)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")(5 * 10**7)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert found(tmp_path)["store"].state == "warning"


@pytest.mark.parametrize(
    ("release", "state"), [("2.9.1", "warning"), ("2.10.0+cpu", "ok"), ("3.0.0a0+git12", "ok"), ("1.13", "warning")]
)
def test_torch_before_its_loader_was_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, state: str
) -> None:
    monkeypatch.setattr(torch, "__version__", release)
    assert found(tmp_path)["torch"].state == state


def test_an_extra_that_is_not_installed_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"no-such-extra": (("torch", "no-such-package"), "nothing")})
    assert found(tmp_path)["no-such-extra"].detail.endswith("pip install 'rfav-cli[no-such-extra]'")


def test_an_extra_that_is_there_says_what_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"some": (("h5py", "torch"), "both")})
    some = found(tmp_path)["some"]
    assert (some.state, some.detail) == ("ok", f"h5py {version('h5py')}, torch {version('torch')}: for both")


def test_each_extra_is_looked_for() -> None:
    root = Path(doctor.__file__).parent.parent.parent
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for_users = {name: lines for name, lines in declared.items() if name not in {"test", "bench", "dev", "frameworks"}}
    packages = {name: tuple(re.split(r"[^\w-]", line)[0] for line in lines) for name, lines in for_users.items()}
    assert {name: looked_for for name, (looked_for, _) in doctor.EXTRAS.items()} == packages


def test_each_device_is_named(tmp_path: Path) -> None:
    findings = found(tmp_path)
    assert str(torch.get_num_threads()) in findings["cpu"].detail
    assert ("cuda:0" in findings) == torch.cuda.is_available() != ("cuda" in findings)


class Entry:
    name = "rfav"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def load(self) -> None:
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("installed", "entries", "state", "said"),
    [
        ("2.21.0", [Entry()], "ok", "tensorboard --logdir FOLDER"),
        ("2.16.0rc1", [Entry()], "ok", "tensorboard --logdir FOLDER"),
        (None, [Entry()], "missing", "pip install 'rfav-cli[tensorboard]'"),
        ("2.9.1", [Entry()], "warning", "--upgrade"),
        ("2.21.0", [], "missing", "not installed as a package"),
        ("2.21.0", [Entry(ImportError("no werkzeug"))], "warning", "ImportError: no werkzeug"),
    ],
)
def test_whether_the_tab_of_tensorboard_will_load(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: str | None,
    entries: list[Entry],
    state: str,
    said: str,
) -> None:
    def version(name: str) -> str:
        if installed is None:
            raise doctor.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "entry_points", lambda group: entries if group == "tensorboard_plugins" else [])
    tab = found(tmp_path)["TensorBoard tab"]
    assert tab.state == state
    assert said in tab.detail


def test_the_entry_point_that_is_declared_is_the_plugin() -> None:
    base_plugin = pytest.importorskip("tensorboard.plugins.base_plugin")
    root = Path(doctor.__file__).parent.parent.parent
    [line] = re.findall(r"entry-points\.tensorboard_plugins\]\nrfav = \"(.*)\"", (root / "pyproject.toml").read_text())
    plugin = EntryPoint("rfav", line, "tensorboard_plugins").load()
    assert issubclass(plugin, base_plugin.TBPlugin)
    assert plugin.plugin_name == "rfav"


def test_a_store_is_looked_at_without_torch(tmp_path: Path) -> None:
    write(tmp_path / "rfav.h5", 0)
    code = (
        "import sys; from rfav_cli.commands.doctor import examine\n"
        "print([finding.state for finding in examine(sys.argv[1])], sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "rfav.h5")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['ok', 'ok', 'ok'] []\n"
