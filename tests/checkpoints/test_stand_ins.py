from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import fx, nn

from rfav_cli.checkpoints import stand_ins
from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.checkpoints.stand_ins import EndlessNetError, Name, Room, StandIn, is_module, module_weights, passed_over

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Tied(nn.Module):
    """A net with everything that a state_dict has a rule for."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.utils.weight_norm(nn.Linear(3, 3))
        self.inner = nn.Sequential(nn.BatchNorm1d(3), nn.ModuleDict({"a": nn.Linear(3, 3, bias=False)}))
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.bias  # type: ignore[assignment]
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.register_buffer("none", None)
        self.register_module("no_module", None)
        self.callback = functools.partial(print, "text")


def attributes_of(path: Path, module: nn.Module, **how: Any) -> Mapping[Any, Any]:
    torch.save(module, path, **how)
    (attributes,) = (part for part in load_pickle(path, trust=False).mappings() if is_module(part))
    return attributes


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("archive", [True, False])
def test_a_pickled_net_gives_its_state_dict(protocol: int, archive: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    for net in (Tied(), nn.DataParallel(Tied()), fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))):
        how = {"pickle_protocol": protocol, "_use_new_zipfile_serialization": archive}
        weights, state = module_weights(attributes_of(tmp_path / "net.pt", net, **how), Room()), net.state_dict()
        assert list(weights) == list(state)
        assert all(torch.equal(weights[name], value) for name, value in state.items())


def test_a_net_within_itself_has_no_end() -> None:
    own: dict[str, Any] = {"_parameters": {"w": torch.ones(1)}, "_buffers": {}, "_modules": {}}
    module = StandIn("a.Net")
    module.state = own
    own["_modules"] = {"m": module}
    with pytest.raises(EndlessNetError, match="a net without end"):
        module_weights(own, Room(10_000))


def test_the_room_is_that_of_all_nets_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "_LONGEST_NAMES", 10)
    own = {"_parameters": {"w": torch.ones(1)}, "_buffers": {}, "_modules": {}}
    room = Room(10)
    for _ in range(3):
        module_weights(own, room)
    with pytest.raises(EndlessNetError):
        module_weights(own, room)


def test_what_is_a_module_by_its_parts() -> None:
    parts = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    assert is_module(parts)
    assert not any(is_module({**parts, name: None}) for name in parts)
    assert not is_module({})


def test_a_stand_in_gives_what_it_holds_by_name() -> None:
    made = StandIn("a.B", ({"x": 1}, 3))
    assert list(made.mappings()) == [{"x": 1}]
    made.state, made.entries = (None, {"slot": 2}), {"key": 3}
    assert list(made.mappings()) == [{"slot": 2}, {"x": 1}, {"key": 3}]


@pytest.mark.parametrize(
    ("made", "elements"),
    [
        (StandIn("builtins.set", ([1, 2],)), [1, 2]),
        (StandIn("builtins.set", items=[1, 2]), [1, 2]),
        (StandIn("builtins.set", (3,)), []),
        (StandIn("a.B"), []),
    ],
)
def test_the_elements_of_a_set_in_each_protocol(made: StandIn, elements: list[int]) -> None:
    assert made.elements() == elements


def test_stand_ins_are_equal_to_nothing_else() -> None:
    made = StandIn("a.B")
    assert made == made
    assert made != StandIn("a.B")
    assert len({made, StandIn("a.B")}) == 2


def test_what_was_passed_over_is_named_once_and_containers_are_not() -> None:
    inner = StandIn("a.Inner")
    outer = StandIn("a.Outer", ([inner], Name("pkg.function")))
    outer.state = {"again": inner, "self": outer}
    content = {"x": [outer, (outer,)], "y": StandIn("builtins.set", ([Name("a.InSet")],)), "z": StandIn("numpy.dtype")}
    assert passed_over(content) == ["a.InSet", "a.Inner", "a.Outer", "pkg.function"]
    assert passed_over({"x": 1, "y": [2.0]}) == []


def test_what_is_inside_a_net_is_not_named() -> None:
    net = StandIn("a.Net")
    net.state = {"_parameters": {}, "_buffers": {}, "_modules": {"m": StandIn("a.Layer")}}
    assert passed_over({"model": net}) == ["a.Net"]


def test_no_further_than_a_trainings_state_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "_MOST_LOOKED_AT", 10)
    assert passed_over([*range(10), StandIn("a.Late")]) == []
