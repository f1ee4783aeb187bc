from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from torch import nn

from rfav_cli.activations.net_maker import NetMaker, import_extra
from rfav_cli.errors import ModelError
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from collections.abc import Sequence


class Maker(NetMaker):
    def __init__(self, spec: str) -> None:
        super().__init__(spec)
        self.asked: list[Payload | None] = []

    def make(self, payload: Payload | None, notes: Sequence[str]) -> nn.Module:
        self.asked.append(payload)
        return nn.Identity()


def test_a_call_makes_a_net_for_no_checkpoint() -> None:
    maker = Maker("mine")
    assert isinstance(maker(), nn.Identity)
    assert maker.asked == [None]


def test_a_checkpoint_has_the_names_of_the_net_unless_a_maker_knows_better() -> None:
    payload = Payload("eager", Path("a.pt"), [])
    assert Maker("mine").own(payload) is payload


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="no_such_package") as caught:
        import_extra("no_such_package", "no_such_package.inner")
    assert caught.value.remedy == "pip install 'rfav-cli[no_such_package]'"
