from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rfav_cli.activations.factory import FactoryMaker, refuse_pretrained
from rfav_cli.errors import ModelError
from rfav_cli.records import Payload
from rfav_cli.user_code import Found


def test_it_gives_the_arguments() -> None:
    net = FactoryMaker("mine", Found(nn.Linear, ()), {"in_features": 3, "out_features": 2})()
    assert net(torch.zeros(1, 3)).shape == (1, 2)


def test_what_needs_arguments_is_not_called() -> None:
    called = []

    def make(width: int) -> nn.Module:
        called.append(width)
        return nn.Identity()

    with pytest.raises(ModelError, match="needs width"):
        FactoryMaker("mine", Found(make, ()), {})()
    assert called == []


def test_a_function_that_does_not_say_what_it_takes_is_called() -> None:
    with pytest.raises(ModelError, match="returned an object of type dict"):
        FactoryMaker("mine", Found(dict, ()), {"a": 1})()


def test_any_number_of_arguments_is_none_that_is_needed() -> None:
    assert isinstance(FactoryMaker("mine", Found(lambda *layers, **_: nn.Sequential(*layers), ()), {})(), nn.Sequential)


def make(width: int = 4, num_classes: int = 10, act: object = None) -> nn.Module:
    return nn.Sequential(nn.Linear(2, width), nn.Linear(width, num_classes))


@pytest.mark.parametrize(
    ("given", "outputs", "stored", "remedy"),
    [
        ({}, 7, {}, "Add --model-arg num_classes=7."),
        ({"num_classes": 10}, 7, {}, ""),
        ({}, None, {}, ""),
        ({}, None, {"args": {"width": 4, "lr": 0.1}}, ""),
        ({}, None, {"args": {"width": 8, "lr": 0.1}}, "Add --model-arg width=8 (of the file's args)."),
        ({"width": 6}, None, {"args": {"width": 8}}, ""),
    ],
)
def test_what_to_add_where_the_weights_do_not_fit(
    given: dict[str, int], outputs: int | None, stored: dict[str, dict[str, float]], remedy: str
) -> None:
    payload = Payload("eager", Path("a.pt"), [], arguments=stored)
    assert FactoryMaker("mine", Found(make, ()), given).remedy(payload, outputs) == remedy


def test_arguments_that_the_checkpoint_was_made_with_are_told() -> None:
    notes: list[str] = []
    maker = FactoryMaker("mine", Found(lambda act="relu", dropout=0.0: nn.Identity(), ()), {})
    maker.make(Payload("eager", Path("a.pt"), [], arguments={"args": {"act": "gelu", "dropout": 0.5}}), notes)
    words = "Add --model-arg act=gelu (of the file's args)."
    assert notes == [f"a.pt was made with other arguments than mine: {words}"]
    maker.make(Payload("eager", Path("a.pt"), [], arguments={"args": {"act": "relu"}}), notes)
    assert len(notes) == 1


def test_a_library_says_by_what_name_classes_go() -> None:
    maker = FactoryMaker("mine", Found(lambda **_: nn.Identity(), ()), {}, "num_classes")
    assert maker.remedy(Payload("eager", Path("a.pt"), []), 7) == "Add --model-arg num_classes=7."


def test_an_error_of_the_users_own_is_not_wrapped() -> None:
    def make() -> nn.Module:
        raise ModelError("mine", "do this")

    with pytest.raises(ModelError) as caught:
        FactoryMaker("mine", Found(make, ()), {})()
    assert str(caught.value) == "mine\ndo this"


def test_trained_weights_are_refused_by_name() -> None:
    refuse_pretrained({"classes": 3}, ["weights"])
    with pytest.raises(ModelError, match="--model-arg weights"):
        refuse_pretrained({"weights": "DEFAULT"}, ["pretrained", "weights"])
