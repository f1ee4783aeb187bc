"""What a store may have run by naming what makes its net: nothing but the user's own nets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from torch import nn

from rfav_cli.analysis.factory import make_factory
from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = """
import functools, os, shutil
from subprocess import getoutput
from torch import nn
from torch.nn import Identity

def make_net(width=4):
    return nn.Linear(2, width)

class Net(nn.Linear):
    @classmethod
    def make(cls):
        return cls(2, 6)

class Borrowed:
    run = staticmethod(getoutput)

half = functools.partial(make_net, 3)
ready = nn.Linear(2, 5)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with `rfav_own.py`, `rfav_pack/nets.py` and an environment in which rfav_foreign lies."""
    (tmp_path / "rfav_own.py").write_text(OWN)
    (tmp_path / "rfav_pack").mkdir()
    (tmp_path / "rfav_pack" / "nets.py").write_text(OWN)
    installed = tmp_path / ".venv" / "site-packages"
    installed.mkdir(parents=True)
    trace = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    (installed / "rfav_foreign.py").write_text(trace + OWN)
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in [name for name in set(sys.modules) - before if name.startswith(("rfav_", "_rfav_"))]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("spec", "width"),
    [
        ("rfav_own:make_net", 4),
        ("rfav_own:Net.make", 6),
        ("rfav_own:ready", 5),
        ("rfav_pack.nets:make_net", 4),
        ("rfav_own.py:make_net", 4),
        ("./rfav_own.py:make_net", 4),
    ],
)
def test_the_users_own_nets_are_made(here: Path, spec: str, width: int) -> None:
    assert make_factory(spec, of_a_file=True)().out_features == width


def test_classes_of_nets_may_come_from_elsewhere(here: Path) -> None:
    assert isinstance(make_factory("rfav_own:Identity", of_a_file=True)(), nn.Identity)
    assert isinstance(make_factory("zoo:lenet", ["classes=3"], of_a_file=True)(), nn.Sequential)


@pytest.mark.parametrize(
    "spec",
    [
        "subprocess:getoutput",
        "os:system",
        "sys:exit",
        "rfav_foreign:make_net",
        ".venv/site-packages/rfav_foreign.py:make_net",
        "rfav_own:getoutput",
        "rfav_own:shutil.rmtree",
        "rfav_own:os.system",
        "rfav_own:Borrowed.run",
        "rfav_own:half",
        "rfav_pack.nets:getoutput",
        "rfav_own.py:getoutput",
        "__main__:make_net",
        ".:make_net",
    ],
)
def test_all_else_is_neither_imported_nor_called(here: Path, spec: str) -> None:
    with pytest.raises(ModelError, match="no code in the current folder") as caught:
        make_factory(spec, ["cmd=touch ran", "command=touch ran", "path=rfav_pack"], of_a_file=True)
    assert "--model" in caught.value.remedy
    assert not (here / "ran").exists()
    assert (here / "rfav_pack").exists()
    assert "rfav_foreign" not in sys.modules


def test_the_user_may_name_what_is_installed(here: Path) -> None:
    assert make_factory("rfav_foreign:make_net")().out_features == 4


def test_a_module_of_that_name_from_elsewhere_is_not_the_users(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "subprocess.py").write_text(OWN)
    (here / "pip").mkdir()
    for spec in ("subprocess:make_net", "pip:main"):
        with pytest.raises(ModelError, match="no code in the current folder"):
            make_factory(spec, of_a_file=True)
