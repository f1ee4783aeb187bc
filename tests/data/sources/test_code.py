"""Samples of the user's own code by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import is_code
from rfav_cli.errors import SampleError

CODE = """
import numpy as np, torch
from torch.utils.data import Dataset, TensorDataset

x, y = torch.arange(12.0).reshape(6, 2), torch.tensor([0, 1, 2] * 2)
ready = TensorDataset(x, y)
pair = x, y

class Sets:
    @staticmethod
    def held_out():
        return ready

class Late(Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, index):
        from rfav_user_beside import FACTOR
        return x[index] * FACTOR, y[index]

place = "held_out"

def together():
    return TensorDataset(x[:2], y[:2]), ready

splits = {"train": TensorDataset(x[:2], y[:2]), "val": ready}
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "rfav_user_data.py").write_text(CODE)
    (tmp_path / "sets" / "rfav_user_beside.py").write_text("FACTOR = 1\n")
    monkeypatch.chdir(tmp_path / "sets")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if "rfav_user" in name:
            del sys.modules[name]


@pytest.mark.parametrize(
    "name", ["ready", "pair", "Sets.held_out", "Late", "x", "together[1]", "splits[val]", "splits"]
)
@pytest.mark.parametrize(
    "source", ["rfav_user_data", "rfav_user_data.py", "code:rfav_user_data", "../sets/rfav_user_data.py"]
)
def test_every_form_gives_the_same(source, name):
    before = list(sys.path)
    probe = load_probe(f"{source}:{name}")
    assert probe.source == f"{source}:{name}"
    np.testing.assert_array_equal(np.sort(probe.inputs.ravel()), np.arange(12))
    assert probe.labels is None if name == "x" else sorted(probe.labels.tolist()) == [0, 0, 1, 1, 2, 2]
    assert sys.path == before


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("rfav_user_data:readi", r"--train-probe rfav_user_data: there is no readi\nDid you mean ready"),
        ("rfav_user_data:place", "--train-probe rfav_user_data:place: an object of type str is no samples"),
        ("nowhere/data.py:x", "--train-probe nowhere/data.py: there is no such file"),
        ("no_such.module:x", "--train-probe no_such.module: there is no module no_such"),
    ],
)
def test_errors_name_the_option(spec, what):
    with pytest.raises(SampleError, match=what):
        load_probe(spec, option="--train-probe")


def test_what_is_code():
    assert is_code("a.b:c")
    assert is_code((1, 2))
    assert not any(map(is_code, ("a", Path("a"), "cifar10:here", "data/val")))
