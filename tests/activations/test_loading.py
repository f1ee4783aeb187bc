"""Held against what torch itself loads, in float64."""

from __future__ import annotations

import copy
import re
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.optim.swa_utils import AveragedModel

from rfav_cli.activations.loading import WeightLoader
from rfav_cli.checkpoints.state_dicts import candidates
from rfav_cli.errors import CheckpointError
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path("run") / "epoch_1.pt"
LABELS = torch.arange(8) % 5


class Net(nn.Module):
    def __init__(self, outputs: int = 5) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.block = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.fc = nn.Linear(6, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.block(torch.relu(self.norm(self.conv(x))).mean((2, 3))))


class WeightNormed(Net):
    def __init__(self) -> None:
        super().__init__()
        parametrizations.weight_norm(self.conv)
        parametrizations.weight_norm(self.fc)


class Renaming(Net):
    """Takes the names of its older version when it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_pre_hook(self._rename)

    @staticmethod
    def _rename(_: nn.Module, state: dict[str, Any], prefix: str, *__: Any) -> None:
        for name in [name for name in state if name.startswith(f"{prefix}head.")]:
            state[name.replace("head.", "fc.")] = state.pop(name)


class Overriding(Net):
    """The same by a method, which torch calls for each module; older versions had weights half as large."""

    _version = 2

    def _load_from_state_dict(self, state: Any, prefix: str, metadata: Any, *more: Any) -> None:
        for name in [name for name in state if name.startswith(f"{prefix}head.")]:
            state[name.replace("head.", "fc.")] = state.pop(name)
        if metadata.get("version") == 1:
            state[f"{prefix}fc.weight"] = state[f"{prefix}fc.weight"] * 2
        super()._load_from_state_dict(state, prefix, metadata, *more)


def trained(make: Callable[[], nn.Module] = Net, seed: int = 1) -> nn.Module:
    """A net whose weights and running statistics are not those that it was made with."""
    torch.manual_seed(seed)
    net = make()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(3):
        functional.cross_entropy(net(torch.rand(8, 3, 6, 6)), LABELS).backward()
        optimizer.step()
    return net.eval()


def loss(net: nn.Module) -> float:
    """In float64, on samples that are always the same."""
    x = torch.linspace(-2, 2, 8 * 3 * 36, dtype=torch.float64).view(8, 3, 6, 6)
    with torch.no_grad():
        return float(functional.cross_entropy(copy.deepcopy(net).double().eval()(x), LABELS))


def load(net: nn.Module, content: Any, loader: WeightLoader | None = None) -> list[str]:
    """Load what a file holds; gives the notes."""
    notes: list[str] = []
    (loader or WeightLoader(net, notes)).load(Payload("eager", FILE, candidates(content)))
    return notes


def refusal(net: nn.Module, content: Any, loader: WeightLoader | None = None) -> CheckpointError:
    """Why what a file holds is refused."""
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load(net, content, loader)
    assert str(FILE) in caught.value.what
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    return caught.value


def prefixed(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: value for name, value in state.items()}


def renamed(state: dict[str, Any], old: str, new: str) -> OrderedDict[str, Any]:
    """The same with other names and the same `_metadata`."""
    content = OrderedDict((re.sub(old, new, name), value) for name, value in state.items())
    content._metadata = copy.deepcopy(getattr(state, "_metadata", {}))  # type: ignore[attr-defined]
    return content


# What torch loads by hooks and methods of the net


def _g_and_v(state: dict[str, Any]) -> dict[str, Any]:
    given = renamed(state, r"parametrizations\.weight\.original0", "weight_g")
    return renamed(given, r"parametrizations\.weight\.original1", "weight_v")


def _first_version(state: dict[str, Any]) -> dict[str, Any]:
    old = renamed(state, r"^fc\.", "head.")
    old._metadata[""] = {"version": 1}  # type: ignore[attr-defined]
    old["head.weight"] = old["head.weight"] / 2
    return old


def _torch_04(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}


OLD: dict[str, tuple[Callable[[], nn.Module], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "weight_g and weight_v": (WeightNormed, _g_and_v),
    "a renaming hook": (Renaming, lambda state: renamed(state, r"^fc\.", "head.")),
    "a renaming method": (Overriding, lambda state: renamed(state, r"^fc\.", "head.")),
    "a version of the net": (Overriding, _first_version),
    "no counters": (Net, _torch_04),
    "names as they are": (WeightNormed, dict),
}


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("around", ["", "module.", "net.", "beside", "a dictionary"])
def test_older_names_are_loaded_as_torch_loads_them(name: str, around: str) -> None:
    make, age = OLD[name]
    own = trained(make)
    old = age(own.state_dict())
    reference = make()
    reference.load_state_dict(old)
    assert loss(reference) == pytest.approx(loss(own), rel=1e-6)

    wrapped = old
    if around.endswith("."):
        wrapped = renamed(old, "^", around)
        paths = getattr(old, "_metadata", {})
        wrapped._metadata = {f"{around}{p}".removesuffix("."): v for p, v in paths.items()}  # type: ignore[attr-defined]
    elif around == "beside" and hasattr(old, "_metadata"):
        wrapped = renamed(old, "^", "net.")
        wrapped["criterion.weight"] = torch.ones(5)
        wrapped._metadata = {f"net.{p}".removesuffix("."): v for p, v in old._metadata.items()}  # type: ignore[attr-defined]
    net = make()
    loader = WeightLoader(net, [])
    load(net, {"epoch": 1, "state_dict": wrapped} if around == "a dictionary" else wrapped, loader)
    assert loss(net) == loss(reference)
    # The next checkpoint of the run has the same names.
    following = trained(make, seed=2)
    load(net, renamed(age(following.state_dict()), "^", "") if around == "" else age(following.state_dict()), loader)
    assert loss(net) == pytest.approx(loss(following), rel=1e-6)


# Wrappers


wrappers = st.lists(
    st.sampled_from(["module.", "model.", "_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."]),
    max_size=5,
).map("".join)


@settings(max_examples=50, deadline=None)
@given(outer=wrappers, inner=wrappers, at=st.sampled_from(["conv.", "block.", "block.0.", "fc."]))
def test_any_wrappers_give_the_very_same_weights(outer: str, inner: str, at: str) -> None:
    own = trained()
    state = {outer + name.replace(at, at + inner): value for name, value in own.state_dict().items()}
    net = Net()
    assert load(net, state) == []
    assert all(torch.equal(value, own.state_dict()[name]) for name, value in net.state_dict().items())


def test_an_averaged_model_is_taken_without_its_counter() -> None:
    own = trained()
    net = Net()
    assert load(net, AveragedModel(own).state_dict()) == []
    assert loss(net) == loss(own)


def _checkpointed() -> nn.Module:
    net = Net()
    net.block, net.fc = checkpoint_wrapper(net.block), checkpoint_wrapper(net.fc)  # type: ignore[no-untyped-call]
    return net


@pytest.mark.parametrize("prefix", ["", "module.", "_fsdp_wrapped_module."])
def test_a_wrapped_net_takes_the_weights_of_a_bare_one_and_the_other_way_round(prefix: str) -> None:
    own = trained()
    net: nn.Module = _checkpointed()
    load(net, prefixed(prefix, own.state_dict()))
    assert loss(net) == loss(own)
    bare = Net()
    load(
        bare,
        prefixed(
            prefix, {name.replace("fc.", "fc._checkpoint_wrapped_module."): v for name, v in own.state_dict().items()}
        ),
    )
    assert loss(bare) == loss(own)
    old = renamed(trained(Renaming).state_dict(), r"^fc\.", "head.")
    parallel = nn.DataParallel(Renaming())
    load(parallel, prefixed(prefix, old))
    assert loss(parallel.module) == loss(trained(Renaming))


# What is beside the net


@pytest.mark.parametrize("prefix", ["net.", "model.", "model.net.", "module.model._orig_mod."])
def test_a_net_inside_a_larger_module(prefix: str) -> None:
    own = trained()
    beside = {"criterion.weight": torch.ones(5), "accuracy.tp": torch.zeros(1, dtype=torch.int64)}
    net = Net()
    (note,) = load(net, {"state_dict": {**prefixed(prefix, own.state_dict()), **beside}})
    assert loss(net) == loss(own)
    assert note == f"took the weights under 'state_dict.{prefix[:-1]}'; beside them: criterion.weight, accuracy.tp"


@pytest.mark.parametrize("usual", ["model", "net", "network", "module.net"])
@pytest.mark.parametrize("other", ["teacher", "ema_model.module", "target", "net_momentum"])
def test_a_usual_name_is_taken_of_two(usual: str, other: str) -> None:
    own, teacher = trained(), trained(seed=2)
    content = {**prefixed(f"{other}.", teacher.state_dict()), **prefixed(f"{usual}.", own.state_dict())}
    net = Net()
    assert any(note.startswith(f"took '{usual}' of '{usual}', '{other}'") for note in load(net, content))
    assert loss(net) == loss(own)


@pytest.mark.parametrize("average", ["ema.module", "swa_net", "averaged.module", "student_ema"])
def test_an_average_beside_the_net_is_not_meant(average: str) -> None:
    own, mean = trained(), trained(seed=2)
    net = Net()
    load(net, {**prefixed(f"{average}.", mean.state_dict()), **prefixed("student.", own.state_dict())})
    assert loss(net) == loss(own)


@pytest.mark.parametrize(("one", "two"), [("student", "teacher"), ("encoder_q", "encoder_k")])
def test_two_that_may_be_meant_are_refused_by_name(one: str, two: str) -> None:
    first, second = trained().state_dict(), trained(seed=2).state_dict()
    for content in (
        {one: first, two: second},
        {**prefixed(f"{one}.", first), **prefixed(f"{two}.", second)},
        {"state_dict": {**prefixed(f"{one}.", first), **prefixed(f"{two}.", second), "step": torch.ones(1)}},
    ):
        error = refusal(Net(), content)
        assert re.search(rf"twice, as '[\w.]*{one}' and '[\w.]*{two}'", error.what)


def test_the_net_by_itself_and_under_a_prefix_is_refused() -> None:
    content = {**trained().state_dict(), **prefixed("teacher.", trained(seed=2).state_dict())}
    assert "twice" in refusal(Net(), content).what


def test_weights_without_end_that_cannot_be_put_are_not_all_compared() -> None:
    net = nn.Sequential(*[nn.Linear(2, 2, bias=False) for _ in range(30)])
    one = torch.ones(2, 2, dtype=torch.complex64)
    content = {f"m{n}": {f"{layer}.weight": one.clone() for layer in range(30)} for n in range(300)}
    began = time.process_time()
    assert "of another type" in refusal(net, content).what
    assert time.process_time() - began < 5


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex32, torch.bits8, torch.bits16])
def test_weights_that_torch_does_not_compare(dtype: torch.dtype) -> None:
    raw = torch.arange(24, dtype=torch.uint8)[: 6 * dtype.itemsize].view(dtype).reshape(2, 3)
    net = nn.Linear(3, 2, bias=False)
    loads = dtype == torch.float8_e4m3fn
    for other in (raw, raw.view(torch.uint8).clone().view(dtype)):
        content = {"one": {"weight": raw}, "two": {"weight": other}}
        assert load(net, content) == [] if loads else "of another type" in refusal(net, content).what
    other = raw.view(torch.uint8).flip(0).contiguous().view(dtype)
    assert "holds the net's weights twice" in refusal(net, {"one": {"weight": raw}, "two": {"weight": other}}).what


def test_the_same_weights_under_two_names_are_no_two() -> None:
    own = trained()
    net = Net()
    load(net, {**prefixed("student.", own.state_dict()), **prefixed("teacher.", own.state_dict())})
    assert loss(net) == loss(own)


def test_averages_among_other_checkpoints_are_refused() -> None:
    net = Net()
    loader = WeightLoader(net, [])
    load(net, {"state_dict": trained().state_dict()}, loader)
    assert "averages" in refusal(net, {"model_ema": trained(seed=2).state_dict()}, loader).what


def test_one_checkpoint_after_another_is_read_in_the_same_way() -> None:
    net, notes = Net(), []
    loader = WeightLoader(net, notes)
    for seed in (1, 2, 3):
        own = trained(seed=seed)
        load(net, {"best": trained(seed=9).state_dict(), "model": own.state_dict()}, loader)
        assert loss(net) == loss(own)
    assert notes == ["took 'model' of 'model', 'best'"]


# What is refused


def test_the_message_is_of_the_dictionary_that_matches_best() -> None:
    state = dict(trained().state_dict())
    del state["conv.bias"]
    content = {"scaler": {"scale": torch.ones(1)}, "ema": {"decay": torch.ones(())}, "weights": prefixed("net.", state)}
    what = refusal(Net(), content).what
    assert what.endswith("not a checkpoint of this net: 1 missing: conv.bias")


def test_the_message_of_a_foreign_file_is_of_its_largest_dictionary() -> None:
    content = {"callback": {"kth_value": torch.ones(1)}, "weights": {f"layer{i}.w": torch.ones(3) for i in range(9)}}
    assert "9 unexpected: layer0.w" in refusal(Net(), content).what


def test_after_a_renaming_hook_only_what_is_wrong_is_named() -> None:
    state = renamed(trained(Renaming).state_dict(), r"^fc\.", "head.")
    del state["conv.bias"]
    assert refusal(Renaming(), state).what.endswith(": 1 missing: conv.bias")


def test_other_outputs_are_said_in_words() -> None:
    error = refusal(Net(), trained(lambda: Net(7)).state_dict())
    assert error.what.endswith("the last layer, 'fc', has 7 outputs in the file and 5 in the net")
    assert "7 outputs" in error.remedy


def test_a_shape_that_differs_elsewhere_is_given() -> None:
    state = dict(trained().state_dict())
    state["conv.weight"] = torch.zeros(4, 1, 3, 3)
    assert "1 of another shape: conv.weight 4x1x3x3, the net has 4x3x3x3" in refusal(Net(), state).what
    state = dict(trained().state_dict()) | {"fc.weight": torch.zeros(5, 9)}
    assert "fc.weight 5x9, the net has 5x6" in refusal(Net(), state).what


@pytest.mark.parametrize(
    ("dtype", "word"), [(torch.complex64, "complex64"), (torch.int8, "int8"), (torch.bool, "bool")]
)
def test_weights_of_another_type_are_refused_by_name(dtype: torch.dtype, word: str) -> None:
    state = {name: value.to(dtype) for name, value in trained().state_dict().items()}
    assert f"conv.weight is {word}, the net's is float32" in refusal(Net(), state).what


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_point_types_are_converted(dtype: torch.dtype) -> None:
    state = {name: value.to(dtype) for name, value in trained().state_dict().items()}
    reference, net = Net(), Net()
    reference.load_state_dict(state)
    load(net, state)
    assert loss(net) == loss(reference)


def test_names_of_a_file_are_made_safe() -> None:
    state = {**trained().state_dict(), "\x1b[31mred": torch.ones(1)}
    assert refusal(Net(), state).what.isprintable()


@pytest.mark.parametrize("beside", [False, True])
def test_what_was_the_same_in_the_first_file_and_is_no_longer(beside: bool) -> None:
    one, other = trained().state_dict(), trained(seed=2).state_dict()

    def payload(student: dict[str, Any], teacher: dict[str, Any]) -> Payload:
        both = {"student": student, "teacher": {name: value.clone() for name, value in teacher.items()}}
        if beside:
            both = {f"{part}.{name}": value for part, state in both.items() for name, value in state.items()}
        return Payload("eager", FILE, candidates(both))

    net = Net()
    loader = WeightLoader(net, [])
    loader.load(payload(one, one))
    loader.load(payload(other, other))
    before = loss(net)
    with pytest.raises(CheckpointError, match=r"holds the net's weights twice, as 'student' and 'teacher'"):
        loader.load(payload(one, other))
    assert loss(net) == before
    loader.load(payload(one, one))


def wanted(content: object, weights: str) -> tuple[list[str], Net]:
    net, notes = Net(), list[str]()
    WeightLoader(net, notes, weights).load(Payload("eager", Path("checkpoint.pt"), candidates(content)))
    return notes, net


def taken(content: object, weights: str) -> str:
    """Which of the nets in `content`'s `seeds` was taken, by its first weight."""
    _, net = wanted(content, weights)
    value = net.state_dict()["conv.weight"]
    return next(name for name, seed in SEEDS.items() if value.equal(trained(seed=seed).state_dict()["conv.weight"]))


SEEDS = {"trained": 1, "averaged": 2}
TRAINED, AVERAGED = (trained(seed=seed).state_dict() for seed in SEEDS.values())


@pytest.mark.parametrize(
    ("content", "weights", "which"),
    [
        ({"state_dict": TRAINED, "state_dict_ema": AVERAGED}, "", "trained"),  # timm's
        ({"state_dict": TRAINED, "state_dict_ema": AVERAGED}, "ema", "averaged"),
        ({"state_dict": TRAINED, "state_dict_ema": AVERAGED}, "state_dict_ema", "averaged"),
        ({"state_dict": TRAINED, "state_dict_ema": AVERAGED}, "model", "trained"),
        ({"model": TRAINED, "model_ema": {"module": AVERAGED}}, "model_ema", "averaged"),  # torchvision's
        ({"state_dict": AVERAGED, "current_model_state": TRAINED}, "", "averaged"),  # Lightning's WeightAveraging
        ({"state_dict": AVERAGED, "current_model_state": TRAINED}, "model", "trained"),
        ({"state_dict": AVERAGED, "current_model_state": TRAINED}, "ema", "averaged"),
        ({"model": None, "ema": AVERAGED}, "", "averaged"),  # ultralytics'
        ({**prefixed("net.", TRAINED), **prefixed("ema_net.", AVERAGED)}, "ema", "averaged"),
        ({**prefixed("net.", TRAINED), **prefixed("ema_net.", AVERAGED)}, "net", "trained"),
        (TRAINED, "model", "trained"),
    ],
)
def test_which_weights_are_taken_can_be_said(content: object, weights: str, which: str) -> None:
    assert taken(content, weights) == which


@pytest.mark.parametrize("weights", ["ema", "teacher"])
def test_weights_that_are_not_there_are_refused_with_those_that_are(weights: str) -> None:
    content = {"state_dict": TRAINED, "backup": AVERAGED}
    with pytest.raises(CheckpointError, match=rf"no weights '{weights}'; it holds 'backup', 'state_dict'"):
        wanted(content, weights)


def test_the_averages_that_were_not_taken_are_named_with_what_to_type() -> None:
    notes, _ = wanted({"state_dict": TRAINED, "state_dict_ema": AVERAGED}, "")
    assert notes == ["took 'state_dict' of 'state_dict', 'state_dict_ema'; --weights ema takes the averages"]
    notes, _ = wanted({"state_dict": AVERAGED, "current_model_state": TRAINED}, "")
    assert notes[0].endswith("; --weights model takes the trained ones")


def test_averages_that_begin_later_are_told_from_what_is_trained_in_each_file() -> None:
    net = Net()
    loader = WeightLoader(net, [], "model")
    for content in ({"state_dict": TRAINED}, {"state_dict": AVERAGED, "current_model_state": TRAINED}):
        loader.load(Payload("eager", Path("checkpoint.pt"), candidates(content)))
        assert net.state_dict()["conv.weight"].equal(TRAINED["conv.weight"])
