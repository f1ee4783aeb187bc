"""Nets that are told from code without running it."""

from __future__ import annotations

import pytest

from rfav_cli.project.nets import fitting, written_nets

CODE = """
import lightning as L
from torch import nn
raise SystemExit("this must never run")

class Base(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem = nn.Linear(3, width)

class Net(Base):
    def __init__(self, width=4, *, classes=10):
        super().__init__(width)
        self.head: nn.Linear = nn.Linear(width, classes)

class Wide(Net):
    pass

class Lit(L.LightningModule):
    def __init__(self, hparams):
        self.net, self.loss = Net(), None

class Data(list):
    def __init__(self):
        self.stem = self.head = 1

def make_net(device="cpu"):
    net = Net().to(device)
    return net

def from_width(width):
    return Base(width)

def _private():
    return Net()

def samples():
    return Data()
"""


@pytest.fixture
def nets(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/nets.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("def (")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    return {net.spec.partition(":")[2]: net for net in written_nets(tmp_path)}


def test_classes_of_nets_and_the_functions_that_make_them_are_found(nets):
    assert set(nets) == {"Base", "Net", "Wide", "Lit", "make_net", "from_width"}
    assert nets["Net"].spec == "pkg/nets.py:Net"
    assert nets["Net"].parts == nets["Wide"].parts == nets["make_net"].parts == {"stem", "head"}
    assert {name: net.required for name, net in nets.items() if net.required} == {
        "Base": ("width",),
        "Lit": ("hparams",),
        "from_width": ("width",),
    }
    assert nets["make_net"].makes == "pkg/nets.py:Net"


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_the_net_of_a_checkpoint_is_told_by_the_names_of_its_weights(nets, prefix):
    weights = [prefix + name for name in ("stem.weight", "stem.bias", "head.weight")]
    assert [net.spec for net in fitting(nets.values(), weights)] == ["pkg/nets.py:make_net", "pkg/nets.py:Wide"]


def test_what_needs_arguments_comes_last_and_other_names_fit_nothing(nets):
    assert [net.spec for net in fitting(nets.values(), ["stem.weight"])][-2:] == [
        "pkg/nets.py:from_width",
        "pkg/nets.py:Base",
    ]
    assert fitting(nets.values(), ["encoder.weight"]) == []
    assert fitting(nets.values(), []) == []


def test_classes_that_are_derived_from_each_other_end_the_search(tmp_path):
    (tmp_path / "round.py").write_text("class A(B):\n    pass\nclass B(A):\n    pass\n")
    assert written_nets(tmp_path) == []
