from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.activations.matching import Reading, readings, shapes, unlike_shape
from rfav_cli.records import Candidate

NAMES = ("conv1.weight", "conv1.bias", "block.0.fc.weight", "block.1.module_list.weight", "head")
PRIVATE = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module."]
wrappers = st.lists(st.sampled_from(["module.", "model.", *PRIVATE]), max_size=4).map("".join)


def weights(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.full((index + 1, 2), float(index)) for index, name in enumerate(names)}


def read(net: dict[str, Any], file: dict[str, Any], versions: dict[str, dict[str, Any]] | None = None) -> Reading:
    """The first way to read the names of a file."""
    return readings(net, Candidate("", file, versions or {}))[0]


@given(ours=wrappers, theirs=wrappers, order=st.permutations(range(len(NAMES))))
def test_wrappers_nest_in_any_order_on_either_side(ours: str, theirs: str, order: list[int]) -> None:
    net = weights(*(ours + name for name in NAMES))
    file = weights(*(theirs + name for name in NAMES))
    found = read(net, {name: file[name] for name in [list(file)[i] for i in order]})
    assert found.fits
    assert found.names == {ours + name: theirs + name for name in NAMES}


@given(st.sampled_from(["module.", "model.", *PRIVATE]), st.integers(0, len(NAMES) - 1), st.integers(1, 2))
def test_wrappers_inside_a_name(wrapper: str, which: int, times: int) -> None:
    inner = [name.replace(".", f".{wrapper}", times) if i == which else name for i, name in enumerate(NAMES)]
    assert read(weights(*NAMES), weights(*inner)).names == dict(zip(NAMES, inner, strict=True))
    assert read(weights(*inner), weights(*NAMES)).fits


@given(prefix=st.sampled_from(["net.", "net.backbone.", "model.net.", "encoder.model."]), wrapper=wrappers)
def test_a_common_prefix_is_the_last_resort(prefix: str, wrapper: str) -> None:
    prefixed = [wrapper + prefix + name for name in NAMES]
    assert read(weights(*NAMES), weights(*prefixed)).fits
    assert read(weights(*prefixed), weights(*NAMES)).fits


@given(prefix=st.sampled_from(["net.", "module.net.", "student."]), wrapper=wrappers)
def test_what_is_beside_the_nets_prefix_is_named(prefix: str, wrapper: str) -> None:
    beside = {"criterion.weight": torch.ones(10), "accuracy.tp": torch.zeros(1)}
    file = weights(*(wrapper + prefix + name for name in NAMES)) | beside
    found = read(weights(*NAMES), file)
    assert found.fits
    assert found.beside == tuple(beside)
    assert found.names == {name: wrapper + prefix + name for name in NAMES}


def test_what_is_beside_nothing_is_unexpected() -> None:
    found = read(weights(*NAMES), weights(*NAMES) | {"criterion.weight": torch.ones(10)})
    assert not found.fits
    assert found.unexpected == ("criterion.weight",)


def test_every_prefix_that_holds_the_net_is_given() -> None:
    file = weights(*(f"student.{name}" for name in NAMES)) | weights(*(f"teacher.{name}" for name in NAMES))
    assert [found.prefix for found in readings(weights(*NAMES), Candidate("", file))] == ["student.", "teacher."]
    bare = weights(*NAMES) | weights(*(f"teacher.{name}" for name in NAMES))
    found = readings(weights(*NAMES), Candidate("", bare))
    assert {(reading.prefix, reading.fits) for reading in found} == {("", False), ("teacher.", True)}


def test_names_that_would_become_one_are_kept_apart() -> None:
    names = ("model.fc.weight", "fc.weight")
    found = read(weights(*names), weights(*names))
    assert found.names == {name: name for name in names}
    assert not read(weights("a.weight", "b.weight"), weights("model.a.weight", "a.weight", "b.weight")).fits


@given(st.sampled_from(NAMES))
def test_a_name_too_few_or_too_many_never_fits(name: str) -> None:
    fewer = [other for other in NAMES if other != name]
    full = weights(*NAMES)
    part = {other: full[other] for other in fewer}
    assert read(full, part).missing == (name,)
    assert read(part, full).unexpected == (name,)


def test_a_wrong_shape_never_fits() -> None:
    found = read({"a": torch.zeros(2, 3)}, {"a": torch.zeros(3, 2)})
    assert found.misshapen == {"a": "a 3x2, the net has 2x3"}
    assert not found.holds_all


def test_shapes_that_torch_takes() -> None:
    assert unlike_shape("a", torch.zeros(1), torch.zeros(())) == ""
    assert unlike_shape("a", torch.zeros(1, 1), torch.zeros(())) == "a 1x1, the net has one number"
    assert unlike_shape("a", None, None) == ""
    assert unlike_shape("\x1b[0m", None, torch.zeros(2)).isprintable()


def test_a_tied_weight_needs_one_of_its_names() -> None:
    tied = torch.zeros(3, 2)
    net = {"embed": tied, "head": tied, "other": torch.zeros(3, 2)}
    file = {"head": torch.ones(3, 2), "other": torch.zeros(3, 2)}
    found = read(net, file)
    assert found.fits
    assert torch.equal(found.fill(net, file)["embed"], file["head"])
    assert read(net, {"head": torch.ones(3, 2)}).missing == ("other",)


def test_counters_of_batch_norm_may_be_missing() -> None:
    net = {"norm.weight": torch.ones(2), "norm.num_batches_tracked": torch.tensor(5)}
    file = {"norm.weight": torch.zeros(2)}
    assert read(net, file).fill(net, file)["norm.num_batches_tracked"] == 5


def test_versions_go_with_the_names() -> None:
    file = weights(*(f"module.net.{name}" for name in NAMES))
    paths = {"": 1, "module": 1, "module.net": 7, "module.net.conv1": 3}
    found = read(weights(*NAMES), file, {path: {"version": number} for path, number in paths.items()})
    assert found.versions == {"": {"version": 7}, "conv1": {"version": 3}}
    state: Any = found.fill(weights(*NAMES), file)
    assert isinstance(state, OrderedDict)
    assert state._metadata == found.versions


def test_a_state_without_versions_has_none() -> None:
    net = weights(*NAMES)
    assert not hasattr(read(net, net).fill(net, net), "_metadata")


def test_shapes_are_listed_up_to_a_limit() -> None:
    listed = shapes({"a": torch.zeros(2, 3), "b": torch.zeros(()), "extra": None, "c": torch.zeros(4)}, limit=2)
    assert listed == "  a  2x3\n  b  one number\n  and 1 more"
