"""Held against a stand-in of Lightning's own class; the real one is in the acceptance tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.lightning_modules import Attributes, LightningMaker, is_lightning_class
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.records import Payload
from rfav_cli.user_code import Found


class LightningModule(nn.Module):
    def forward(self, *_: Any) -> Any:
        raise NotImplementedError

    def configure_model(self) -> None:
        pass


LightningModule.__module__ = "lightning.pytorch.core.module"


class Lit(LightningModule):
    def __init__(self, width: int, act: str = "relu") -> None:
        super().__init__()
        self.net, self.act = nn.Linear(2, width), act

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Whole(LightningModule):
    def __init__(self, cfg: Any) -> None:
        super().__init__()
        self.net = nn.Linear(cfg.sizes.inputs, cfg["width"])

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Late(Lit):
    def configure_model(self) -> None:
        self.head = nn.Linear(self.net.out_features, 2)


class Headless(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(2, 2)


class Anything(Lit):
    def __init__(self, **options: Any) -> None:
        super().__init__(options["width"])
        self.options = options


def maker(factory: Any, **keywords: Any) -> LightningMaker:
    return LightningMaker("my:Lit", Found(factory, ()), keywords)


def payload(**values: Any) -> Payload:
    return Payload("eager", Path("a.ckpt"), [], arguments={"hyper_parameters": values})


def test_what_is_one() -> None:
    assert is_lightning_class(Lit)
    assert not is_lightning_class(nn.Linear)
    assert not is_lightning_class(Lit(3))


def test_it_is_made_with_the_checkpoints_values_and_they_are_told() -> None:
    notes: list[str] = []
    net: Any = maker(Lit).make(payload(width=5, act="gelu", lr=0.1), notes)
    assert (net.net.out_features, net.act) == (5, "gelu")
    assert notes == ["my:Lit is made with the checkpoint's hyper_parameters: width=5, act='gelu'"]


def test_the_command_goes_before_the_checkpoint() -> None:
    notes: list[str] = []
    net: Any = maker(Lit, width=7).make(payload(width=5), notes)
    assert (net.net.out_features, notes) == (7, [])


def test_all_that_is_stored_where_it_takes_anything() -> None:
    net: Any = maker(Anything).make(payload(width=5, lr=0.1), [])
    assert net.options == {"width": 5, "lr": 0.1}


def test_one_argument_for_all_has_them_as_entries_and_attributes() -> None:
    net: Any = maker(Whole).make(payload(cfg={"width": 5, "sizes": {"inputs": 3}}), [])
    assert net.net.weight.shape == (5, 3)


def test_an_argument_for_all_may_be_used_as_a_namespace() -> None:
    cfg = Attributes({"width": 3})
    assert (cfg.width, cfg["width"], vars(cfg), dict(**cfg)) == (3, 3, {"width": 3}, {"width": 3})
    assert not hasattr(cfg, "depth")


def test_a_class_that_the_checkpoint_names_is_not_followed() -> None:
    stored = payload(width={"class_path": "os.system", "init_args": {"command": "true"}}, _instantiator="os.system")
    with pytest.raises(ModelError, match="needs width"):
        maker(Lit).make(stored, [])
    net: Any = maker(Anything).make(payload(width=2, _instantiator="os.system"), [])
    assert net.options == {"width": 2}


def test_what_it_makes_late_is_made() -> None:
    net: Any = maker(Late).make(payload(width=5), [])
    assert net.head.in_features == 5


def test_what_the_checkpoint_does_not_have_is_asked_for() -> None:
    with pytest.raises(ModelError, match="needs width"):
        maker(Lit).make(payload(lr=0.1), [])
    with pytest.raises(ModelError, match="needs width"):
        maker(Lit)()


def test_one_without_a_forward() -> None:
    with pytest.raises(ModelError, match="no forward") as caught:
        maker(Headless).make(None, [])
    assert "path/to/file.py:function" in caught.value.remedy


def test_a_checkpoint_that_was_made_otherwise_is_refused() -> None:
    made = maker(Lit)
    made.make(payload(width=5, act="relu"), [])
    same = payload(width=5, act="relu", lr=3)
    assert made.own(same) is same
    with pytest.raises(CheckpointError, match=r"act='gelu'.*'relu'"):
        made.own(payload(width=5, act="gelu"))


def test_before_any_net_is_made_nothing_is_compared() -> None:
    made = maker(Lit, width=3)
    assert isinstance(made()(torch.zeros(1, 2)), Tensor)
    other = payload(act="gelu")
    assert made.own(other) is other
