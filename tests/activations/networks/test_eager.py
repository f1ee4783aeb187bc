from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from rfav_cli.activations import networks
from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import eager
from rfav_cli.activations.specs import net_maker
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.state_dicts import payload_of
from rfav_cli.data.probe import to_input
from rfav_cli.errors import CheckpointError, ModelError, SampleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.activations.network import Activation, Trace

CPU = torch.device("cpu")
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Net(nn.Module):
    """Two convolutions and a dense layer, flattened by view, as most people write it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, groups=2, bias=False)
        self.fc = nn.Linear(6 * 36, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.conv1(x)), inplace=True)
        return self.fc(functional.relu(self.conv2(x), inplace=True).view(x.shape[0], -1))


class Wrapped(nn.Module):
    def __init__(self, module: nn.Module, call: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.inner, self.call = module, call

    def forward(self, x: Tensor) -> Any:
        return self.call(self.inner, x)


def options(make: Callable[[], nn.Module] | None = Net, **more: Any) -> OpenOptions:
    return OpenOptions(CPU, make, **more)


def opened(tmp_path: Path, make: Callable[[], nn.Module] = Net, state: Any = None, **more: Any) -> eager.EagerNetwork:
    """A network that has read a checkpoint of another net of the same kind."""
    torch.save(make().state_dict() if state is None else state, tmp_path / "net.pt")
    opening = options(make, **more)
    network = networks.open_network(formats.read(tmp_path / "net.pt", ReadOptions()), opening)
    assert isinstance(network, eager.EagerNetwork)
    return network


def traced(tmp_path: Path, make: Callable[[], nn.Module], images: Tensor, **more: Any) -> Trace:
    return opened(tmp_path, make, **more).trace(images)


def weights_of(network: eager.EagerNetwork) -> dict[str, Tensor]:
    return network.model.state_dict()


def collect(network: eager.EagerNetwork, images: Tensor) -> dict[str, list[Activation]]:
    uses: dict[str, list[Activation]] = {}

    def sink(activation: Activation) -> bool:
        copied = type(activation)(**{**vars(activation), "values": activation.values.clone()})
        uses.setdefault(activation.layer, []).append(copied)
        return False

    network.forward(images, sink)
    return uses


# What is loaded


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_weights_of_all_types_end_in_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in Net().state_dict().items()}
    for name, value in weights_of(opened(tmp_path, state=state)).items():
        assert value.dtype == (torch.int64 if name.endswith("tracked") else torch.float32)
        assert torch.equal(value, state[name].to(value.dtype))


# What is refused


def test_without_a_model_the_shapes_are_listed(tmp_path: Path) -> None:
    state = {f"fc{i}.weight": torch.zeros(2, 3) for i in range(14)}
    torch.save({"loss": torch.ones(()), "model": state}, tmp_path / "net.pt")
    with pytest.raises(ModelError, match="needs --model") as caught:
        networks.open_network(formats.read(tmp_path / "net.pt", ReadOptions()), options(None))
    assert "  fc0.weight  2x3\n" in caught.value.remedy
    assert "fc12" not in caught.value.remedy
    assert caught.value.remedy.endswith("and 2 more")


def test_what_is_no_net_is_refused(tmp_path: Path) -> None:
    torch.save(Net().state_dict(), tmp_path / "net.pt")
    opening = options(lambda: "net", model_name="mine:net")
    with pytest.raises(ModelError, match="mine:net: makes a str"):
        networks.open_network(formats.read(tmp_path / "net.pt", ReadOptions()), opening)


def test_another_nets_checkpoint_is_refused_with_the_differences(tmp_path: Path) -> None:
    state = dict(Net().state_dict())
    state["conv9.weight"] = state.pop("conv2.weight")
    state["fc.weight"] = torch.zeros(5, 7)
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path, state=state)
    assert "1 missing: conv2.weight" in caught.value.what
    assert "1 unexpected: conv9.weight" in caught.value.what
    assert "fc.weight 5x7, the net has 5x216" in caught.value.what


def test_a_refused_checkpoint_leaves_the_net_as_it_was(tmp_path: Path) -> None:
    network = opened(tmp_path)
    before = {name: value.clone() for name, value in weights_of(network).items()}
    torch.save({**Net().state_dict(), "fc.bias": torch.zeros(9)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError):
        network.load(formats.read(tmp_path / "other.pt", ReadOptions()))
    assert all(torch.equal(value, before[name]) for name, value in weights_of(network).items())


# Loading


def test_one_warm_net_takes_checkpoint_after_checkpoint(tmp_path: Path) -> None:
    made = Counter[str]()

    def make() -> nn.Module:
        made["nets"] += 1
        return Net()

    network = opened(tmp_path, make)
    made.clear()
    state = Net().state_dict()
    torch.save(state, tmp_path / "next.pt")
    network.load(formats.read(tmp_path / "next.pt", ReadOptions()))
    assert not made
    assert all(torch.equal(value, state[name]) for name, value in weights_of(network).items())


def test_the_usual_name_is_taken_and_said(tmp_path: Path) -> None:
    usual, average = Net().state_dict(), Net().state_dict()
    opening = options()
    torch.save({"ema": average, "model": usual, "optimizer": {"state": average}}, tmp_path / "net.pt")
    network = networks.open_network(formats.read(tmp_path / "net.pt", ReadOptions()), opening)
    network.load(formats.read(tmp_path / "net.pt", ReadOptions()))
    assert isinstance(network, eager.EagerNetwork)
    assert torch.equal(weights_of(network)["fc.weight"], usual["fc.weight"])
    assert opening.notes == ["took 'model' of 'model', 'ema'; --weights ema takes the averages"]


def test_real_optimizer_state_beside_the_weights(tmp_path: Path) -> None:
    net = Net()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    content = {"epoch": 4, "optimizer": optimizer.state_dict(), "state_dict": net.state_dict(), "best": torch.ones(())}
    assert torch.equal(weights_of(opened(tmp_path, state=content))["fc.weight"], net.fc.weight)


def test_tied_weights_that_safetensors_leaves_out(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.embed(x.long()))

    net = Tied()
    save_model(net, str(tmp_path / "net.safetensors"))
    network = networks.open_network(formats.read(tmp_path / "net.safetensors", ReadOptions()), options(Tied))
    assert isinstance(network, eager.EagerNetwork)
    assert torch.equal(network.filters("head")[0], net.head.weight)
    assert network.trace(torch.zeros(2, 3)).uses == {"head": 1}


def test_lazy_layers_take_their_shape_from_the_checkpoint(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(5))

    net = make()
    net(torch.zeros(2, 3, 8, 8))
    network = opened(tmp_path, make, net.state_dict())
    assert [(layer.name, layer.kind) for layer in network.trace(torch.zeros(2, 3, 8, 8)).layers] == [
        ("0", "Conv2d"),
        ("2", "Linear"),
    ]
    assert torch.equal(network.filters("2")[0], net[2].weight)


def test_a_lazy_layer_without_a_shape_is_skipped(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.LazyLinear(5))

    torch.save(make().state_dict(), tmp_path / "net.pt")
    payload = formats.read(tmp_path / "net.pt", ReadOptions(trust_pickle=True))
    trace = networks.open_network(payload, options(make)).trace(torch.zeros(2, 3))
    assert [layer.name for layer in trace.layers] == ["0"]
    assert "lazy" in trace.skipped[0].reason


# Hooks


def test_trace_of_a_plain_net(tmp_path: Path) -> None:
    trace = traced(tmp_path, Net, torch.rand(2, 3, 8, 8))
    found = [(layer.name, layer.kind, layer.channels, layer.weight_shape, layer.positions) for layer in trace.layers]
    assert found == [
        ("conv1", "Conv2d", 4, (4, 3, 3, 3), (8, 8)),
        ("conv2", "Conv2d", 6, (6, 2, 3, 3), (6, 6)),
        ("fc", "Linear", 5, (5, 216), ()),
    ]
    assert trace.uses == {"conv1": 1, "conv2": 1, "fc": 1}
    assert trace.skipped == ()


def test_activations_are_those_of_a_net_without_hooks(tmp_path: Path) -> None:
    network = opened(tmp_path)
    images = torch.rand(5, 3, 8, 8)
    network.trace(images[:2])
    twin = Net().eval()
    twin.load_state_dict(weights_of(network))
    found = collect(network, images)
    conv1 = twin.conv1(images)
    torch.testing.assert_close(found["conv1"][0].values, conv1)
    conv2 = twin.conv2(functional.relu(twin.norm(conv1)))
    torch.testing.assert_close(found["conv2"][0].values, conv2)
    assert found["conv1"][0].bias is not None
    torch.testing.assert_close(found["conv1"][0].bias, twin.conv1.bias)
    assert found["conv2"][0].bias is None
    torch.testing.assert_close(network.forward(images, lambda _: False), twin(images))


def test_with_bias_gives_no_bias(tmp_path: Path) -> None:
    network = opened(tmp_path, with_bias=True)
    network.trace(torch.rand(2, 3, 8, 8))
    assert all(use.bias is None for uses in collect(network, torch.rand(2, 3, 8, 8)).values() for use in uses)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transposed", [False, True])
def test_filters_are_what_each_channel_is_made_with(tmp_path: Path, dims: int, transposed: bool, groups: int) -> None:
    kind = getattr(nn, f"Conv{'Transpose' if transposed else ''}{dims}d")

    def make() -> nn.Module:
        return nn.Sequential(kind(4, 6, 2, groups=groups, bias=False))

    network = opened(tmp_path, make)
    trace = network.trace(torch.rand(3, 4, *[5] * dims))
    assert trace.layers[0].kind == kind.__name__
    assert trace.layers[0].channels == 6
    rows = network.filters("0")
    assert rows.shape == (groups, 6 // groups, 4 // groups * 2**dims)
    # A filter is found by what a channel answers to one unit input at a time.
    weight = weights_of(network)["0.weight"]
    for channel in range(6):
        group, inner = divmod(channel, 6 // groups)
        inputs = slice(group * (4 // groups), (group + 1) * (4 // groups))
        own = weight[inputs, inner] if transposed else weight[channel]
        assert torch.equal(rows[group, inner], own.flatten())
        if transposed:
            answers = [network.model(_unit(4, i, dims))[0, channel].flatten() for i in range(4)]
            torch.testing.assert_close(torch.cat(answers[inputs]), rows[group, inner])


def _unit(channels: int, channel: int, dims: int) -> Tensor:
    images = torch.zeros(1, channels, *[1] * dims)
    images[0, channel] = 1
    return images


@pytest.mark.parametrize(
    ("shape", "positions"), [((3, 4), ()), ((3, 5, 4), (5,)), ((3, 5, 6, 4), (5, 6))], ids=["dense", "tokens", "grid"]
)
def test_linear_layers_have_the_channels_last(
    tmp_path: Path, shape: tuple[int, ...], positions: tuple[int, ...]
) -> None:
    network = opened(tmp_path, lambda: nn.Sequential(nn.Linear(4, 6)))
    assert network.trace(torch.rand(shape)).layers[0].positions == positions
    (activation,) = collect(network, torch.rand(shape))["0"]
    assert (activation.channel_dim, activation.values.shape[-1]) == (-1, 6)


def test_a_subclass_is_of_its_standard_class(tmp_path: Path) -> None:
    class Standardised(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return functional.conv2d(x, self.weight - self.weight.mean(), self.bias)

    assert (
        traced(tmp_path, lambda: nn.Sequential(Standardised(3, 4, 3)), torch.rand(2, 3, 8, 8)).layers[0].kind
        == "Conv2d"
    )


@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm, nn.utils.spectral_norm])
def test_parametrised_weights(tmp_path: Path, wrap: Callable[[nn.Module], nn.Module]) -> None:
    network = opened(tmp_path, lambda: nn.Sequential(wrap(nn.Conv2d(3, 4, 3)), nn.Flatten(), wrap(nn.Linear(144, 5))))
    rows = network.filters("0").clone()
    trace = network.trace(torch.rand(2, 3, 8, 8))
    assert [(layer.name, layer.kind) for layer in trace.layers] == [("0", "Conv2d"), ("2", "Linear")]
    assert trace.skipped == ()
    torch.testing.assert_close(rows, network.filters("0"))
    torch.testing.assert_close(rows.view(4, 3, 3, 3), network.model[0].weight.detach())


def test_a_shared_module_is_one_layer_used_twice(tmp_path: Path) -> None:
    def make() -> nn.Module:
        shared = nn.Linear(4, 4)
        return nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(4, 2))

    network = opened(tmp_path, make)
    trace = network.trace(torch.rand(3, 4))
    assert trace.uses == {"0": 2, "3": 1}
    assert len(collect(network, torch.rand(3, 4))["0"]) == 2


def test_layers_come_in_the_order_of_the_forward(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return Wrapped(nn.ModuleList([nn.Linear(3, 2), nn.Linear(4, 3), nn.Linear(9, 9)]), lambda m, x: m[0](m[1](x)))

    trace = traced(tmp_path, make, torch.rand(3, 4))
    assert [layer.name for layer in trace.layers] == ["inner.1", "inner.0"]
    assert [(s.name, s.reason) for s in trace.skipped] == [("inner.2", "the forward does not reach it")]


def test_attention_is_measured_where_modules_run(tmp_path: Path) -> None:
    trace = traced(tmp_path, lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.rand(3, 5, 8))
    parts = [f"self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj", "out_proj")]
    assert [layer.name for layer in trace.layers] == [*parts, "linear1", "linear2"]
    assert trace.skipped == ()
    assert torch.backends.mha.get_fastpath_enabled()


class OwnLSTM(nn.LSTM):
    """A forward of its own may do anything with the weights."""

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        return super().forward(2 * x, hx)


class OwnAttention(nn.MultiheadAttention):
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return super().forward(*args, **kwargs)


class Last(nn.Module):
    """The last step of what a recurrent layer, or attention of a sequence to itself, gives."""

    def __init__(self, core: nn.Module) -> None:
        super().__init__()
        self.core, self.fc = core, nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.core(x, x, x) if isinstance(self.core, nn.MultiheadAttention) else self.core(x)
        return self.fc(output[:, -1])


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Last(OwnLSTM(8, 8, batch_first=True)), {"core.weight_ih_l0", "core.weight_hh_l0"}),
        (lambda: Last(OwnAttention(8, 2, batch_first=True)), {"core.in_proj_weight", "core.out_proj"}),
        (
            lambda: Wrapped(nn.ModuleList([nn.Bilinear(8, 8, 8), nn.Linear(8, 3)]), lambda m, x: m[1](m[0](x, x))),
            {"inner.0"},
        ),
        (
            lambda: Wrapped(
                nn.ModuleList([nn.Embedding(9, 8), nn.Linear(8, 8)]),
                lambda m, x: nn.functional.linear(m[1](x), m[0].weight),
            ),
            {"inner.0"},
        ),
    ],
)
def test_weights_that_are_used_without_a_layer_are_listed(
    tmp_path: Path, make: Callable[[], nn.Module], names: set[str]
) -> None:
    trace = traced(tmp_path, make, torch.rand(3, 5, 8))
    assert len(trace.layers) == 1
    assert {skipped.name for skipped in trace.skipped} == names
    assert {skipped.reason for skipped in trace.skipped} == {"its weights are used without the module"}


class Modulated(nn.Module):
    """A convolution whose weight is computed, beside one that computes its own inside of a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.raw, self.own = nn.Parameter(torch.randn(4, 3, 3, 3)), Standardised(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.own(functional.conv2d(x, self.raw / self.raw.norm()))


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight - self.weight.mean((1, 2, 3), keepdim=True), self.bias)


def test_a_convolution_with_a_computed_weight_is_listed(tmp_path: Path) -> None:
    trace = traced(tmp_path, Modulated, torch.rand(2, 3, 8, 8))
    assert [layer.name for layer in trace.layers] == ["own"]
    assert [(s.name, s.reason) for s in trace.skipped] == [
        ("Conv2d with a computed weight", "its weights are used without the module")
    ]


def test_a_recurrent_layer_that_is_not_reached_is_not_said_to_be_used(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return Wrapped(nn.ModuleList([nn.LSTM(8, 8), nn.Linear(8, 3)]), lambda m, x: m[1](x))

    (skipped,) = traced(tmp_path, make, torch.rand(3, 8)).skipped
    assert (skipped.name, skipped.reason) == ("inner.0.l0", "the forward does not reach it")


def test_a_batch_folded_into_another_axis_is_skipped(tmp_path: Path) -> None:
    trace = traced(tmp_path, lambda: Wrapped(nn.Linear(4, 6), lambda m, x: m(x.flatten(0, 1))), torch.rand(3, 5, 4))
    assert trace.layers == ()
    assert trace.skipped[0].reason == "its output for 3 samples is (15, 6): the batch is not its first axis"


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor", "ignore:TypedStorage")
def test_a_quantised_layer_is_skipped(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 6), torch.ao.nn.quantized.dynamic.Linear(6, 3))

    trace = traced(tmp_path, make, torch.rand(3, 4))
    assert [layer.name for layer in trace.layers] == ["0"]
    assert [(s.name, s.reason) for s in trace.skipped] == [("1", "its weights are quantised")]


class Dense(nn.Module):
    """No convolution: what is flattened is the sample itself."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.fc = nn.Linear(3 * 64, 4), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.hidden(x.view(len(x), -1)))


@pytest.mark.parametrize("make", [Net, Dense])
def test_samples_enter_in_the_default_memory_format_whatever_they_had(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    images = torch.rand(5, 3, 8, 8)
    as_photographs = to_input(images, None, None, channels_last=True)
    assert not as_photographs.is_contiguous()
    network = opened(tmp_path, make)
    network.trace(as_photographs[:2])
    torch.testing.assert_close(network.forward(as_photographs, lambda _: False), network.model(images))


def test_weights_go_back_to_the_strides_that_they_had() -> None:
    owned = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 5, 3).to(memory_format=torch.channels_last)
    )
    network = eager.open_fresh(lambda: owned, OpenOptions(torch.device("cpu")))
    before = [weight.stride() for weight in network.model.parameters()]
    values = [weight.clone() for weight in network.model.parameters()]
    network.use_channels_last(True)
    assert network.model[1].weight.stride() == (4, 1, 4, 4)
    network.use_channels_last(False)
    assert [weight.stride() for weight in network.model.parameters()] == before
    assert all(map(torch.equal, network.model.parameters(), values))


class WithCompiledParts(nn.Module):
    """Parts of it are compiled in each of the ways that there are; none of them can be, on the machine of the test."""

    def __init__(self) -> None:
        super().__init__()
        backend = self.refuse
        self.conv = nn.Conv2d(3, 4, 3)
        self.conv.compile(backend=backend)
        self.body = torch.compile(nn.Sequential(nn.Flatten(), nn.Linear(144, 8)), backend=backend)
        self.fc = torch.compile(nn.Linear(8, 8), backend=backend)
        self.scores = nn.Linear(8, 2)
        self.activate = torch.compile(torch.relu, fullgraph=True, backend=backend)

    @staticmethod
    def refuse(*_: object) -> None:
        raise AssertionError

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.fc(self.activate(self.body(self.conv(x)))))


@pytest.mark.filterwarnings("error")
def test_what_is_compiled_within_a_net_is_run_as_it_was_written(tmp_path: Path) -> None:
    network = opened(tmp_path, WithCompiledParts)
    trace = network.trace(torch.rand(2, 3, 8, 8))
    assert [layer.name for layer in trace.layers] == ["conv", "body.1", "fc", "scores"]
    assert not trace.skipped
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 8), nn.Linear(8, 2)
    )
    plain.load_state_dict(dict(zip(plain.state_dict(), network.model.state_dict().values(), strict=True)))
    images = torch.rand(5, 3, 8, 8)
    torch.testing.assert_close(network.forward(images, lambda _: False), plain(images))
    assert isinstance(network.model.fc, torch._dynamo.OptimizedModule)  # the net itself stays as it is


def test_the_sink_can_end_the_forward(tmp_path: Path) -> None:
    def swallow(net: nn.Module, x: Tensor) -> Tensor:
        try:
            return net(x)
        except Exception:
            return x

    network = opened(tmp_path, lambda: Wrapped(Net(), swallow))
    network.trace(torch.rand(2, 3, 8, 8))
    seen: list[str] = []
    assert network.forward(torch.rand(2, 3, 8, 8), lambda a: seen.append(a.layer) or len(seen) == 2) is None
    assert seen == ["inner.conv1", "inner.conv2"]


def test_no_hook_is_left_whatever_happens(tmp_path: Path) -> None:
    network = opened(tmp_path)
    network.trace(torch.rand(2, 3, 8, 8))
    network.forward(torch.rand(2, 3, 8, 8), lambda _: True)
    with pytest.raises(RuntimeError):
        network.forward(torch.rand(2, 1, 8, 8), lambda _: False)
    with pytest.raises(SampleError):
        network.trace(torch.rand(2, 1, 8, 8))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.model.modules())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 8, 8), "conv1 takes 3 channels, it was given 1"),
        ((2, 3, 9, 9), "fc takes 216 features, it was given 294"),
    ],
)
def test_samples_that_do_not_fit(tmp_path: Path, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(SampleError) as caught:
        traced(tmp_path, Net, torch.rand(shape))
    assert message in caught.value.remedy
    assert "x".join(map(str, shape[1:])) in caught.value.what
    assert "\n" not in caught.value.what


# Batch normalisation folded in


def test_fold_norm_scales_what_a_norm_follows(tmp_path: Path) -> None:
    net = Net()
    nn.init.uniform_(net.norm.weight)
    nn.init.uniform_(net.norm.running_var)
    network = opened(tmp_path, Net, net.state_dict(), fold_norm=True)
    plain = network.filters("conv1")
    network.trace(torch.rand(2, 3, 8, 8))
    found = collect(network, torch.rand(2, 3, 8, 8))
    scale = net.norm.weight.detach() / (net.norm.running_var + net.norm.eps).sqrt()
    torch.testing.assert_close(found["conv1"][0].scale, scale)
    torch.testing.assert_close(network.filters("conv1"), plain * scale.view(1, -1, 1))
    assert torch.equal(network.filters("conv1", folded=False), plain)
    assert found["conv2"][0].scale is None
    net.norm.weight.data.mul_(2)
    torch.save(net.state_dict(), tmp_path / "next.pt")
    network.load(formats.read(tmp_path / "next.pt", ReadOptions()))
    torch.testing.assert_close(collect(network, torch.rand(2, 3, 8, 8))["conv1"][0].scale, 2 * scale)


def _after_relu(m: Any, x: Tensor) -> Tensor:
    return m[1](functional.relu_(m[0](x)))


def _two_norms(m: Any, x: Tensor) -> Tensor:
    y = m[0](x)
    return m[1](y) + m[2](y)


def _one_use_without(m: Any, x: Tensor) -> Tensor:
    return m[1](m[0](x)) + m[0](x)


@pytest.mark.parametrize("call", [_after_relu, _two_norms, _one_use_without])
def test_fold_norm_only_where_one_norm_takes_the_output_itself(
    tmp_path: Path, call: Callable[[Any, Tensor], Tensor]
) -> None:
    def make() -> nn.Module:
        return Wrapped(nn.ModuleList([nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm2d(4)]), call)

    network = opened(tmp_path, make, fold_norm=True)
    network.trace(torch.rand(2, 3, 8, 8))
    assert all(use.scale is None for use in collect(network, torch.rand(2, 3, 8, 8))["inner.0"])


def test_tokens_are_not_folded_into_a_norm_over_positions(tmp_path: Path) -> None:
    network = opened(tmp_path, lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), fold_norm=True)
    network.trace(torch.rand(3, 5, 4))
    assert collect(network, torch.rand(3, 5, 4))["0"][0].scale is None
    network.trace(torch.rand(3, 4))
    assert collect(network, torch.rand(3, 4))["0"][0].scale is not None


# Checkpoints that others trained


class TinyVgg(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = [(1, 10), (10, 10)]
        for block in (1, 2):
            first, second = widths if block == 1 else [(10, 10), (10, 10)]
            layers = [nn.Conv2d(*first, 3, padding=1), nn.ReLU(), nn.Conv2d(*second, 3, padding=1), nn.ReLU()]
            setattr(self, f"conv_block_{block}", nn.Sequential(*layers, nn.MaxPool2d(2)))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(490, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.conv_block_2(self.conv_block_1(x)))


@needs_data
@pytest.mark.data
@pytest.mark.parametrize(("epoch", "accuracy"), [(1, 0.971), (10, 0.9825)])
def test_foreign_checkpoints_classify_as_stated(epoch: int, accuracy: float) -> None:
    folder = Path(os.environ["RFAV_DATA"]) / "foreign"
    with np.load(folder / "mnist-test-2000.npz") as file:
        images, labels = torch.from_numpy(file["images"]).permute(0, 3, 1, 2) / 255, torch.from_numpy(file["labels"])
    opening = options(TinyVgg)
    payload = formats.read(folder / "tinyvgg-mnist" / f"model_epoch_{epoch}.pth", ReadOptions())
    network = networks.open_network(payload, opening)
    assert len(network.trace(images[:2]).layers) == 5
    predicted = network.forward(images, lambda _: False).argmax(1)
    assert (predicted == labels).float().mean().item() == pytest.approx(accuracy, abs=1e-6)


class OwnTypes(nn.Module):
    """Computes in float64 or bfloat16 what it casts itself; the rest is float32."""

    def __init__(self, dtype: torch.dtype, whole: bool) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 5)
        self.dtype = dtype
        for part in (self.conv, self.norm, self.fc) if whole else (self.fc,):
            part.to(dtype)
        self.whole = whole

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x.to(self.dtype) if self.whole else x))
        return self.fc(x.mean((2, 3)).to(self.dtype)).float()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_net_that_does_not_run_in_float32_runs_in_its_own_types(dtype: torch.dtype, whole: bool) -> None:
    owner = OwnTypes(dtype, whole).eval()
    network = eager.open_fresh(lambda: OwnTypes(dtype, whole), OpenOptions(CPU))
    network.model.load_state_dict(owner.state_dict())
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        assert [layer.name for layer in network.trace(images).layers] == ["conv", "fc"]
        assert torch.equal(network.forward(images, lambda _: False), owner(images))
    assert {name: t.dtype for name, t in network.model.state_dict().items()} == {
        name: t.dtype for name, t in owner.state_dict().items()
    }


def test_a_net_that_runs_in_no_type_is_told_of_float32() -> None:
    network = eager.open_fresh(lambda: OwnTypes(torch.float64, whole=True), OpenOptions(CPU))
    with pytest.raises(SampleError, match="takes 3 channels, it was given 1"):
        network.trace(torch.randn(2, 1, 8, 8))
    assert network.model.conv.weight.dtype == torch.float32


def test_weights_that_do_not_fit_say_what_to_type() -> None:
    def make(width: int = 4, classes: int = 10) -> nn.Module:
        return nn.Sequential(nn.Linear(2, width), nn.Linear(width, classes))

    for content, remedy in (
        (make(classes=7).state_dict(), "Add --model-arg classes=7."),
        (
            {"net": make(width=8).state_dict(), "config": {"width": 8}},
            "Add --model-arg width=8 (of the file's config).",
        ),
        (make(width=8).state_dict(), "Give the --model that these weights were saved from, or leave the file out."),
    ):
        with pytest.raises(CheckpointError, match="not a checkpoint of this net") as caught:
            eager.open_network(payload_of(Path("a.pt"), content), OpenOptions(CPU, net_maker(make)))
        assert caught.value.remedy == remedy
