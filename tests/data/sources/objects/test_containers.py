"""What holds several sets of samples."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from rfav_cli.data.sources.objects.containers import is_set, one_of
from rfav_cli.data.sources.objects.rows import Given
from rfav_cli.errors import SampleError

A, B, C = (TensorDataset(torch.full((n,), float(n))) for n in (1, 2, 3))


class Module:
    """As Lightning's data modules are."""

    def __init__(self):
        self.steps = []

    def prepare_data(self):
        self.steps.append("prepared")

    def setup(self, stage):
        self.steps.append(stage)
        self.sets = A, B

    def train_dataloader(self):
        return DataLoader(self.sets[0])

    def val_dataloader(self):
        return [DataLoader(self.sets[1])]


@pytest.mark.parametrize(
    ("value", "option", "found"),
    [
        ({"train": A, "val": B, "test": C}, "--probe", B),
        ({"train": A, "test": C}, "--validation", C),
        ({"train": A, "val": B}, "--data", A),
        ({"Training": DataLoader(A), "Validation": B}, "--probe", B),
    ],
)
def test_a_split_is_taken_by_its_name_and_said(value, option, found):
    chosen, note = one_of(value, Given("mine", option))
    assert chosen is found
    assert "was taken, of" in note


def test_a_data_module_gives_its_loader():
    module = Module()
    loader, note = one_of(module, Given("mine"))
    assert loader.dataset is B
    assert module.steps == ["prepared", "fit"]
    assert "val_dataloader" in note
    assert one_of(Module(), Given("mine", "--data"))[0].dataset is A
    broken = Module()
    broken.setup = None
    with pytest.raises(SampleError, match="making its loader raised TypeError"):
        one_of(broken, Given("mine"))


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ((A, B), r"2 sets of samples \(TensorDataset, TensorDataset\).*\n.*'mine\[1\]' is the second"),
        ({"a": A, "b": B}, r"which of 'a', 'b' is meant.*\n.*mine\['a'\]"),
        ({"val": A, "valid": B}, "which of 'val', 'valid' is meant"),
    ],
)
def test_what_is_not_known_is_asked_for(value, what):
    with pytest.raises(SampleError, match=what):
        one_of(value, Given("mine"))


def test_entries_that_are_named():
    value = {"folds": [(A, B)]}
    assert one_of(value, Given("mine"), ("folds", 0, -1)) == (B, "")
    with pytest.raises(SampleError, match="no entry 7 in a list"):
        one_of(value, Given("mine"), ("folds", 7))


@pytest.mark.parametrize("value", [A, (torch.zeros(2), torch.zeros(2)), {"x": torch.zeros(2)}, 3, [A]])
def test_what_holds_no_sets_is_given_back(value):
    assert one_of(value, Given("mine")) == (value, "")


def test_sets():
    assert is_set(A)
    assert is_set(DataLoader(A))
    assert not is_set([A])
