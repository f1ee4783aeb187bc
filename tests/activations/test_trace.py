from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rfav_cli.activations.trace import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.activations.network import Trace


class Wrapped(nn.Module):
    """Layers by name, and a forward that is given."""

    def __init__(self, call: Callable[[Any, Tensor], Any], **layers: nn.Module) -> None:
        super().__init__()
        self.call = call
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Any:
        return self.call(self, x)


def traced(net: nn.Module, images: Tensor) -> Trace:
    observer = Observer(net.eval())
    observer.run(images)
    return observer.trace(len(images))


def reasons(trace: Trace) -> dict[str, str]:
    return {layer.name: layer.reason for layer in trace.skipped}


def test_layers_come_by_their_first_use_with_the_number_of_uses() -> None:
    net = Wrapped(lambda m, x: m.first(m.second(m.first(x))), second=nn.Linear(4, 4), first=nn.Linear(4, 4))
    trace = traced(net, torch.randn(2, 5, 4))
    assert [(layer.name, layer.channels, layer.weight_shape, layer.positions) for layer in trace.layers] == [
        ("first", 4, (4, 4), (5,)),
        ("second", 4, (4, 4), (5,)),
    ]
    assert trace.uses == {"first": 2, "second": 1}
    assert trace.skipped == ()


def test_what_is_not_reached_and_what_is_used_without_its_module_are_told_apart() -> None:
    def call(m: Any, x: Tensor) -> Tensor:
        return functional.linear(m.own(x), m.lent.weight)

    trace = traced(Wrapped(call, own=nn.Linear(3, 4), lent=nn.Linear(4, 4), never=nn.Linear(4, 4)), torch.randn(2, 3))
    assert [layer.name for layer in trace.layers] == ["own"]
    assert reasons(trace) == {
        "lent": "its weights are used without the module",
        "never": "the forward does not reach it",
    }


def test_a_second_run_starts_from_nothing() -> None:
    net = nn.Sequential(nn.Linear(3, 4)).eval()
    observer = Observer(net)
    observer.run(torch.randn(2, 3))
    observer.run(torch.randn(5, 3))
    trace = observer.trace(5)
    assert trace.uses == {"0": 1}
    assert [layer.name for layer in trace.layers] == ["0"]


def test_the_layer_that_a_forward_failed_in_is_known() -> None:
    observer = Observer(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 4)).eval())
    try:
        observer.run(torch.randn(2, 3))
    except RuntimeError:
        assert observer.current is not None
        hook, shape = observer.current
        assert (hook.name, shape) == ("2", (2, 4))
    else:
        raise AssertionError("the shapes do not fit")


def test_a_norm_is_folded_where_it_alone_takes_the_output_as_it_is() -> None:
    def norm_of(call: Callable[[Any, Tensor], Any]) -> list[str]:
        net = Wrapped(call, conv=nn.Conv2d(3, 4, 1), norm=nn.BatchNorm2d(4)).eval()
        observer = Observer(net)
        observer.run(torch.randn(2, 3, 4, 4))
        folded = observer.folded(observer.hooks(2))
        assert all(norm is net.norm for norm in folded.values())
        assert [layer.name for layer in observer.trace(2).layers if layer.normalised] == list(folded)
        return list(folded)

    assert norm_of(lambda m, x: m.norm(m.conv(x))) == ["conv"]
    assert norm_of(lambda m, x: m.norm(m.conv(x).relu_())) == []
    assert norm_of(lambda m, x: m.norm(m.conv(x) + 1)) == []
    assert norm_of(lambda m, x: m.norm(m.conv(x)) + m.conv(x)) == []


def test_a_forward_in_inference_mode_is_watched_without_the_normalisation() -> None:
    @torch.inference_mode()
    def call(m: Any, x: Tensor) -> Tensor:
        return m.fc(torch.relu(m.norm(m.conv(x))).mean((2, 3)))

    net = Wrapped(call, conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), fc=nn.Linear(4, 2)).eval()
    observer = Observer(net)
    observer.run(torch.randn(2, 3, 6, 6))
    assert [layer.name for layer in observer.trace(2).layers] == ["conv", "fc"]
    assert observer.folded(observer.hooks(2)) == {}
