from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.state_dicts import candidates, payload_of, stored_epoch
from rfav_cli.errors import CheckpointError


def test_candidates_at_any_depth_the_usual_ones_first() -> None:
    state = {"w": torch.zeros(1)}
    content = {
        "ema_model": dict(state),
        "mine": dict(state),
        "optimizer": {"state": dict(state)},
        "run": {"a": {"model_state_dict": dict(state)}},
        "deep": {"a": {"b": {"c": {"d": dict(state)}}}},
        "loss": torch.zeros(()),
        "lr": 0.1,
    }
    assert [found.name for found in candidates(content)] == ["", "run.a.model_state_dict", "mine", "ema_model"]


def test_what_has_the_counter_of_an_averaged_model_is_an_average() -> None:
    net = nn.Linear(2, 3)
    content = {"a": AveragedModel(net).state_dict(), "ema": net.state_dict(), "b": net.state_dict()}
    assert [(found.name, found.average) for found in candidates(content)] == [("b", False), ("a", True), ("ema", True)]


def test_versions_of_modules_are_kept_and_what_they_could_do_is_not() -> None:
    state = nn.BatchNorm2d(2).state_dict()
    assert candidates({"model": state})[0].versions == {"": {"version": 2}}
    state._metadata[""]["assign_to_params_buffers"] = True  # type: ignore[attr-defined]
    assert candidates(state)[0].versions == {"": {"version": 2}}
    for odd in (None, 3, {3: {"version": 1}}, {"": 1}):
        state._metadata = odd  # type: ignore[attr-defined]
        assert candidates(state)[0].versions == {}
    assert candidates(dict(state))[0].versions == {}


def test_each_of_several_modules_is_found() -> None:
    content = {name: nn.Linear(2, 3) for name in ("model", "student", "teacher", "ema")}
    assert [found.name for found in candidates(content)] == list(content)


def test_a_mapping_that_holds_itself_ends() -> None:
    content: dict[str, object] = {"w": torch.zeros(1)}
    content |= {f"self{i}": content for i in range(50)}
    assert [found.name for found in candidates(content)] == [""]


BITS = torch.zeros((), dtype=torch.uint8).view(torch.bits8)
"""Nothing that torch makes a number of."""


@pytest.mark.parametrize(
    "content", [None, [], {"epoch": "3"}, {"epoch": True}, {"epoch": -2}, {"epoch": torch.ones(1)}, {"epoch": BITS}]
)
def test_no_stored_epoch(content: object) -> None:
    assert stored_epoch(content) is None


def test_a_payload_has_the_weights_and_the_epoch_beside_them() -> None:
    payload = payload_of(Path("net.npz"), {"state_dict": nn.Linear(2, 3).state_dict(), "epoch": 7})
    assert (payload.kind, payload.path, payload.epoch) == ("eager", Path("net.npz"), 7)
    assert [(candidate.name, list(candidate.weights)) for candidate in payload.content] == [
        ("state_dict", ["weight", "bias"])
    ]


def test_what_holds_no_weights_is_said_by_what_it_is() -> None:
    for content, words in (([1, 2], "a list of 2"), ({"epoch": 3}, "a mapping without tensors"), (3, "a int")):
        with pytest.raises(CheckpointError, match=f"^net: holds {words}, not a state_dict\n"):
            payload_of(Path("net"), content)


def test_of_a_list_the_only_part_with_weights_is_taken() -> None:
    net = {"weight": torch.ones(2)}
    optimizer = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]}
    for content in ((net, optimizer), [{"model": net}, 3, 0.25]):
        assert [list(found.weights) for found in candidates(content)] == [["weight"]]
    assert candidates([net, {"weight": torch.zeros(2)}]) == []
    assert candidates([[net]]) == []


def test_a_dictionary_whose_methods_are_those_of_the_file() -> None:
    content, weights = OrderedDict(epoch=3), OrderedDict(weight=torch.ones(2))
    for mapping in (content, weights):
        mapping.__dict__.update(items=3, get=3, keys=3)
    content["model"] = weights
    assert [list(candidate.weights) for candidate in candidates(content)] == [["weight"]]
    assert stored_epoch(content) == 3


def read_as_data(kind: str, **state: object) -> StandIn:
    made = StandIn(kind)
    made.state = state
    return made


def test_weights_in_objects_are_found_by_the_names_of_attributes() -> None:
    state = {"w": torch.zeros(1)}
    net = read_as_data("a.Net", _parameters=dict(state), _buffers={}, _modules={})
    loop = read_as_data("a.Loop", ema=net, model=dict(state), optimizer=dict(state))
    content = {"loop": loop, "net": net}
    assert [found.name for found in candidates(content)] == ["loop.model", "loop.ema"]
    assert [found.name for found in candidates(net)] == [""]
    assert candidates(read_as_data("a.ReLU", _parameters={}, _buffers={}, _modules={})) == []


def test_what_was_read_as_data_is_noted_once() -> None:
    content: dict[str, object] = {"w": torch.zeros(1)}
    assert payload_of(Path("net"), content).notes == ()
    content["args"] = [read_as_data("argparse.Namespace")] * 2
    assert payload_of(Path("net"), content).notes == ("holds argparse.Namespace, read as data",)
    content["out"] = StandIn("pathlib.\x1b[31mPath")
    assert payload_of(Path("net"), content).notes == (
        "holds argparse.Namespace and pathlib.\\x1b[31mPath, read as data",
    )
    content["more"] = [StandIn(f"a.B{n}") for n in range(3)]
    assert payload_of(Path("net"), content).notes == ("holds a.B0, a.B1, a.B2 and 2 more, read as data",)


def test_more_than_a_training_saves_is_refused() -> None:
    own: dict[str, object] = {"_parameters": {"w": torch.zeros(1)}, "_buffers": {}, "_modules": {}}
    net = StandIn("a.Net")
    net.state, own["_modules"] = own, {"m": net}
    many = {f"m{n}": {"w": torch.zeros(1)} for n in range(1001)}
    for content, words in ((net, "a net without end"), (many, "more than 1000 state_dicts")):
        with pytest.raises(CheckpointError, match=f"^net: holds {words}\n"):
            payload_of(Path("net"), content)


def test_an_object_without_weights_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"^net: holds a pkg\.Config, not a state_dict\n"):
        payload_of(Path("net"), StandIn("pkg.Config"))
