"""What trainings keep of how a net was made, read as plain values."""

from __future__ import annotations

import argparse
import enum
import time
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.state_dicts import payload_of
from rfav_cli.checkpoints.stored_arguments import stored_arguments

WEIGHTS = {"fc.weight": torch.zeros(2, 3)}


class Colour(enum.Enum):
    RED = 1


def test_it_is_with_what_was_read_of_a_checkpoint() -> None:
    payload = payload_of(Path("a.pt"), {"state_dict": WEIGHTS, "config": {"width": 3}})
    assert payload.arguments == {"config": {"width": 3}}
    assert payload_of(Path("a.pt"), WEIGHTS).arguments == {}


def test_those_of_the_net_alone_come_first() -> None:
    stored = stored_arguments({"args": argparse.Namespace(width=4, arch="resnet18"), "model_args": {"width": 3}})
    assert list(stored.items()) == [("model_args", {"width": 3}), ("args", {"width": 4, "arch": "resnet18"})]


def test_only_plain_values_are_kept() -> None:
    content = OrderedDict(
        whole=3, part=0.5, text="a", flag=True, nothing=None, sizes=[1, (2, 3)],
        inner={"a": {"b": [1]}, "c": Path("x")},
        path=Path("x"), colour=Colour.RED, tensor=torch.zeros(1), mixed=[1, Colour.RED], call=print,
    )  # fmt: skip
    assert stored_arguments({"hyper_parameters": content}) == {
        "hyper_parameters": {
            "whole": 3, "part": 0.5, "text": "a", "flag": True, "nothing": None, "sizes": [1, (2, 3)],
            "inner": {"a": {"b": [1]}},
        }
    }  # fmt: skip


def test_lightnings_one_argument_for_all() -> None:
    content = {"hyper_parameters": {"width": 3}, "hparams_name": "cfg"}
    assert stored_arguments(content) == {"hyper_parameters": {"cfg": {"width": 3}}}
    assert stored_arguments({**content, "hparams_name": "kwargs"}) == {"hyper_parameters": {"width": 3}}
    assert stored_arguments({**content, "hparams_name": ["cfg"]}) == {"hyper_parameters": {"width": 3}}


def test_an_object_that_was_read_as_data_has_its_attributes(tmp_path: Path) -> None:
    content = {
        "state_dict": WEIGHTS,
        "args": argparse.Namespace(width=3, inner=types.SimpleNamespace(a=1), colour=Colour.RED),
    }
    torch.save(content, tmp_path / "a.pt")
    payload = formats.read(tmp_path / "a.pt", ReadOptions())
    assert payload.arguments == {"args": {"width": 3, "inner": {"a": 1}}}


def test_omegaconfs_containers_have_their_content(tmp_path: Path) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create({"width": 3, "sizes": [1, 2], "net": {"act": "gelu"}})
    torch.save({"state_dict": WEIGHTS, "config": config}, tmp_path / "a.pt")
    payload = formats.read(tmp_path / "a.pt", ReadOptions())
    assert payload.arguments == {"config": {"width": 3, "sizes": [1, 2], "net": {"act": "gelu"}}}


class Lying(dict[Any, Any]):
    def items(self) -> Any:
        raise AssertionError("code of the file's ran")


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth else {"end": 1}


@pytest.mark.parametrize(
    ("content", "stored"),
    [
        ([1], {}),
        ({"args": 3}, {}),
        ({"args": {}}, {}),
        ({"args": {1: 2}}, {}),
        (Lying(args=Lying(a=1)), {"args": {"a": 1}}),
        ({"args": {"text": "x" * 100_000, "a": 1}}, {"args": {"a": 1}}),
        ({"config": {str(number): number for number in range(100_000)}}, None),
    ],
)
def test_whatever_a_file_has_there(content: Any, stored: dict[str, Any] | None) -> None:
    found = stored_arguments(content)
    assert sum(len(values) for values in found.values()) <= 1000
    assert stored is None or found == stored


def test_what_is_large_and_held_often_is_not_looked_through_each_time() -> None:
    large = dict.fromkeys(map(str, range(100_000)), 1)
    often = {str(number): {"again": large} for number in range(1000)}
    begun = time.perf_counter()
    stored_arguments({"args": often, "config": [large] * 1000})
    assert time.perf_counter() - begun < 2


def test_what_is_deep_or_holds_itself_ends() -> None:
    round_and_round: dict[str, Any] = {"b": 2}
    round_and_round["a"] = round_and_round
    assert stored_arguments({"args": round_and_round})["args"]["b"] == 2
    assert "end" not in str(stored_arguments({"args": nested(50)}))
