from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.activations.factory import FactoryMaker, refuse_pretrained
from rfav_cli.errors import ModelError
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
