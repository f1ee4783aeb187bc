"""A user's module of nets, and what is said where a specification makes none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from rfav_cli.activations.specs import net_maker
from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

NETS = """
from torch import nn

class Net(nn.Sequential):
    @classmethod
    def make(cls, width=3):
        return cls(nn.Linear(2, width))

def make_net(width=4, bias=True):
    return nn.Linear(2, width, bias=bias)

def echo(**given):
    net = nn.Identity()
    net.given = given
    return net

def late():
    from neighbour import WIDTH
    return nn.Linear(2, WIDTH)

def broken():
    raise ZeroDivisionError("one\\ntwo\\x1b[31m")

def number():
    return 3

ready = nn.Linear(2, 5)
text = "no factory"
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The current folder holds `rfav_user_nets.py`; its modules are forgotten afterwards."""
    (tmp_path / "rfav_user_nets.py").write_text(NETS)
    (tmp_path / "neighbour.py").write_text("WIDTH = 6\n")
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield "rfav_user_nets"
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def refused() -> Callable[..., ModelError]:
    """Why a specification makes no net."""

    def refused(spec: str, arguments: Sequence[str] = ()) -> ModelError:
        with pytest.raises(ModelError) as caught:
            net_maker(spec, arguments)()
        assert caught.value.remedy
        assert all(line.isprintable() for line in (caught.value.what, caught.value.remedy))
        return caught.value

    return refused
