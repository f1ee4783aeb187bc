from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.putting import put, unlike_type

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 5)
        self.register_buffer("order", torch.arange(4))


def other_state(make: Callable[[], nn.Module] = Net) -> dict[str, Tensor]:
    return {
        name: torch.rand_like(value) if value.is_floating_point() else value.clone()
        for name, value in make().state_dict().items()
    }


def copied(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(net: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


@pytest.fixture(params=[False, True], ids=["copied", "swapped"])
def _swap(request: pytest.FixtureRequest) -> Any:
    """Both ways that torch has to put a tensor into a parameter."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(request.param)
    yield
    torch.__future__.set_swap_module_params_on_conversion(before)


@pytest.mark.usefixtures("_swap")
def test_weights_go_in_and_no_hook_stays() -> None:
    net, state = Net(), other_state()
    assert put(net, state).succeeded
    assert same(net, state)
    assert all(not m._load_state_dict_pre_hooks and not m._load_state_dict_post_hooks for m in net.modules())


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda state: state.pop(name)


def _given(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda state: state.update({name: value})


def _quantised() -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.ones(5), 0.1, 0, torch.qint8)


BAD: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "missing": (_without("fc.bias"), "missing=['fc.bias']"),
    "a running mean is missing": (_without("norm.running_mean"), "missing=['norm.running_mean']"),
    "unexpected": (_given("fc2.bias", torch.zeros(5)), "unexpected=['fc2.bias']"),
    "another shape": (_given("fc.bias", torch.zeros(9)), "'fc.bias 9, the net has 5'"),
    "complex": (_given("fc.bias", torch.zeros(5, dtype=torch.complex64)), "fc.bias is complex64, the net's is float32"),
    "int8": (_given("fc.weight", torch.ones(5, 4, dtype=torch.int8)), "fc.weight is int8, the net's is float32"),
    "bool": (_given("fc.bias", torch.ones(5) > 0), "fc.bias is bool, the net's is float32"),
    "a sparse one": (_given("fc.weight", torch.eye(5, 4).to_sparse()), "fc.weight is sparse (sparse_coo)"),
    "no values": (_given("fc.bias", torch.empty(5, device="meta")), "fc.bias is without values (on the meta device)"),
    "quantised": (
        _given("fc.bias", _quantised()),
        "fc.bias is quantised (qint8)",
    ),
    "fractions for whole numbers": (_given("order", torch.ones(4) / 3), "order is float32, the net's is int64"),
    "no tensor": (_given("fc.bias", "none"), "fc.bias no tensor, the net has 5"),
}


@pytest.mark.usefixtures("_swap")
@pytest.mark.parametrize("name", BAD)
def test_what_does_not_go_in_is_named_and_leaves_the_net_as_it_was(name: str) -> None:
    change, words = BAD[name]
    net, state = Net(), dict(other_state())
    before = copied(net)
    change(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = put(net, state)
    assert not outcome.succeeded
    assert words in str(outcome)
    assert same(net, before)


@pytest.mark.parametrize(
    ("stored", "own"),
    [
        (torch.ones(2, dtype=torch.float16), torch.ones(2)),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2)),
        (torch.ones(2, dtype=torch.float64), torch.ones(2)),
        (torch.ones(2).to(torch.float8_e4m3fn), torch.ones(2)),
        (torch.ones(2), torch.ones(2, dtype=torch.complex64)),
        (torch.ones(2), torch.ones(2, dtype=torch.int64)),
        (torch.ones(2, dtype=torch.uint8), torch.ones(2, dtype=torch.bool)),
    ],
)
def test_types_that_go_into_each_other(stored: Tensor, own: Tensor) -> None:
    assert unlike_type("a", stored, own) == ""


def test_a_counter_that_was_averaged_is_of_no_use_anyway() -> None:
    assert unlike_type("norm.num_batches_tracked", torch.tensor(3.5), torch.tensor(4)) == ""


class Lenient(Net):
    def load_state_dict(self, state: Any, strict: bool = False, assign: bool = False) -> Any:
        return super().load_state_dict(state, strict, assign)


class Own(Net):
    """Copies its weights itself, through `.data`."""

    def load_state_dict(self, state: Any, strict: bool = True, assign: bool = False) -> Any:
        for name, own in [*self.named_parameters(), *self.named_buffers()]:
            if name in state:
                own.data.copy_(state[name])


@pytest.mark.parametrize("kind", [Lenient, Own])
def test_a_net_that_is_lenient_itself_still_gets_all_its_weights(kind: type[Net]) -> None:
    state = other_state()
    net = kind()
    assert put(net, state).succeeded
    assert same(net, state)
    for name in ("fc.weight", "norm.running_var"):
        net, part = kind(), {key: value for key, value in other_state().items() if key != name}
        before = copied(net)
        assert put(net, part).missing == [name]
        assert same(net, before)


def test_a_lenient_net_takes_nothing_that_it_does_not_use() -> None:
    assert put(Lenient(), other_state() | {"more": torch.ones(2)}).unexpected == ["more"]


def test_what_a_net_pardons_by_its_own_hook_is_pardoned() -> None:
    net = Net()
    net.register_load_state_dict_post_hook(lambda _, keys: keys.unexpected_keys.clear())
    assert put(net, other_state() | {"auxiliary.weight": torch.ones(2)}).succeeded


def test_a_net_whose_own_code_fails() -> None:
    class Failing(Net):
        def load_state_dict(self, state: Any, strict: bool = True, assign: bool = False) -> Any:
            super().load_state_dict(state, strict, assign)
            raise KeyError("odd")

    net = Failing()
    before = copied(net)
    assert put(net, other_state()).error == "KeyError: 'odd'"
    assert same(net, before)


def test_a_scripted_part_is_watched_too() -> None:
    def make() -> nn.Module:
        return nn.Sequential(torch.jit.script(nn.Linear(2, 3)), nn.Linear(3, 2))

    net, state = make(), other_state(make)
    assert put(net, state).succeeded
    assert same(net, state)
    assert put(net, state | {"0.bias": torch.ones(3, dtype=torch.int8)}).mistyped == [
        "0.bias is int8, the net's is float32"
    ]
    assert same(net, state)


def test_the_same_weights_twice_are_written_twice() -> None:
    net = Net()
    assert put(net, copied(net)).succeeded
