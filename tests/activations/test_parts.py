"""Attention and recurrent layers: what their linear maps give, held against float64 and plain loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks.eager import EagerNetwork
from rfav_cli.activations.parts import PACKED, PROJECTED

if TYPE_CHECKING:
    from rfav_cli.activations.network import Activation

N, T, D = 3, 5, 8


def activations(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Layer -> what it gave without its bias, (n, T, D), and the weights as rows."""
    network = EagerNetwork(net, OpenOptions(torch.device("cpu")))
    network.trace(x[:2])
    found: dict[str, Tensor] = {}

    def keep(activation: Activation) -> bool:
        values = activation.values if activation.bias is None else activation.values - activation.bias
        found[activation.layer] = values.clone()
        return False

    network.forward(x.clone(), keep)
    for name, values in found.items():
        assert network.filters(name).flatten(0, 1).shape[0] == values.shape[-1]
    return found


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], start: bool = False, **options: object) -> None:
        super().__init__()
        self.rnn = kind(4, D, **options)  # type: ignore[arg-type]
        self.start = start

    def forward(self, x: Tensor) -> Tensor:
        hidden = x.new_full((self.rnn.num_layers * (1 + self.rnn.bidirectional), len(x), D), 0.3)
        if not self.rnn.batch_first:
            x = x.transpose(0, 1)
        states = (hidden, hidden) if isinstance(self.rnn, nn.LSTM) else hidden
        values = (self.rnn(x, states) if self.start else self.rnn(x))[0]
        return values[:, -1] if self.rnn.batch_first else values[-1]


def cell(rnn: nn.RNNBase, suffix: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One step, from torch's documentation: the sum W x + U h, and the next states."""
    w, u = getattr(rnn, f"weight_ih_{suffix}"), getattr(rnn, f"weight_hh_{suffix}")
    b, d = (getattr(rnn, f"bias_{each}_{suffix}") if rnn.bias else torch.zeros(len(w)) for each in ("ih", "hh"))
    gates = x @ w.T + h @ u.T
    if isinstance(rnn, nn.LSTM):
        i, f, g, o = (gates + b + d).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return gates, o.sigmoid() * c.tanh(), c
    if isinstance(rnn, nn.GRU):
        (xr, xz, xn), (hr, hz, hn) = (x @ w.T + b).chunk(3, 1), (h @ u.T + d).chunk(3, 1)
        z = (xz + hz).sigmoid()
        return gates, (1 - z) * (xn + (xr + hr).sigmoid() * hn).tanh() + z * h, c
    return gates, (gates + b + d).tanh(), c


def slow(rnn: nn.RNNBase, x: Tensor, start: float) -> dict[str, Tensor]:
    """Each layer and direction, a step after the other: (n, T, gates)."""
    found = {}
    for layer in range(rnn.num_layers):
        out = []
        for direction in ("", "_reverse") if rnn.bidirectional else ("",):
            h = c = x.new_full((len(x), D), start)
            gates, hidden = {}, {}
            for step in reversed(range(T)) if direction else range(T):
                gates[step], h, c = cell(rnn, f"l{layer}{direction}", x[:, step], h, c)
                hidden[step] = h
            found[f"rnn.l{layer}{direction}"] = torch.stack([gates[step] for step in range(T)], 1)
            out.append(torch.stack([hidden[step] for step in range(T)], 1))
        x = torch.cat(out, 2)
    return found


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize(
    "options",
    [
        {"batch_first": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
        {"num_layers": 2},
        {"bias": False, "start": True, "num_layers": 2, "bidirectional": True},
    ],
)
def test_gates_are_those_of_a_loop_over_the_steps(kind: type[nn.RNNBase], options: dict[str, object]) -> None:
    torch.manual_seed(0)
    net = Recurrent(kind, **options)  # type: ignore[arg-type]
    x = torch.randn(N, T, 4)
    found = activations(net, x)
    expected = slow(net.double().rnn, x.double(), 0.3 if net.start else 0.0)
    assert list(found) == list(expected)
    for name, values in expected.items():
        torch.testing.assert_close(found[name].double(), values, rtol=1e-5, atol=1e-6)


class Attends(nn.Module):
    def __init__(self, **options: object) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(D, 2, **options)  # type: ignore[arg-type]
        self.context = options.get("kdim", D)

    def forward(self, x: Tensor) -> Tensor:
        first = self.attention.batch_first
        y = x[:, :3, : self.context]
        if not first:
            x, y = x.transpose(0, 1), y.transpose(0, 1)
        out, _ = self.attention(x, key=y, value=y)
        return out.mean(1 if first else 0)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"kdim": 6, "vdim": 6}])
def test_projections_of_attention_are_products(first: bool, options: dict[str, object]) -> None:
    torch.manual_seed(0)
    net = Attends(batch_first=first, **options)
    nn.init.normal_(net.attention.out_proj.weight)
    x = torch.randn(N, T, D)
    found = activations(net, x)
    assert [values.shape for values in found.values()] == [(N, T, D), (N, 3, D), (N, 3, D), (N, T, D)]
    attention = net.double().attention
    x, y = x.double(), x[:, :3, : net.context].double()
    weights = (
        (attention.q_proj_weight, attention.k_proj_weight, attention.v_proj_weight)
        if attention.in_proj_weight is None
        else attention.in_proj_weight.chunk(3)
    )
    biases = (None,) * 3 if attention.in_proj_bias is None else attention.in_proj_bias.chunk(3)
    heads = []
    for (name, weight), bias, given in zip(
        zip(("q_proj", "k_proj", "v_proj"), weights, strict=True), biases, (x, y, y), strict=True
    ):
        torch.testing.assert_close(found[f"attention.{name}"].double(), given @ weight.T, rtol=1e-5, atol=1e-6)
        heads.append((given @ weight.T + (0 if bias is None else bias)).unflatten(2, (2, D // 2)).transpose(1, 2))
    q, k, v = heads
    mixed = ((q @ k.transpose(2, 3)) / (D // 2) ** 0.5).softmax(-1) @ v
    out = mixed.transpose(1, 2).flatten(2) @ attention.out_proj.weight.T
    torch.testing.assert_close(found["attention.out_proj"].double(), out, rtol=1e-5, atol=1e-6)


class Encoder(nn.Module):
    def __init__(self, first: bool) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(D, 2, 12, batch_first=first)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=first), nn.Linear(D, 4)
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.first else x.transpose(0, 1)
        return self.head(self.encoder(x).mean(1 if self.first else 0))


def test_an_encoder_of_torch_has_all_of_its_layers_whichever_axis_is_the_batch() -> None:
    torch.manual_seed(0)
    net, other = Encoder(True), Encoder(False)
    other.load_state_dict(net.state_dict())
    x = torch.randn(N, T, D)
    found, of_steps = activations(net, x), activations(other, x)
    parts = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "linear1", "linear2")
    assert list(found) == [f"encoder.layers.{layer}.{part}" for layer in range(2) for part in parts] + ["head"]
    assert {values.shape[:2] for name, values in found.items() if name != "head"} == {(N, T)}
    for name, values in found.items():
        torch.testing.assert_close(of_steps[name], values)
    block = net.double().encoder.layers[0]
    x = x.double()
    hidden = block.norm1(x + block.self_attn(x, x, x)[0]) @ block.linear1.weight.T
    torch.testing.assert_close(found["encoder.layers.0.linear1"].double(), hidden, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_what_cannot_be_measured_is_named_with_the_reason() -> None:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.narrow = nn.GRU(4, D, batch_first=True), nn.LSTM(4, D, proj_size=3, batch_first=True)
            self.fc = nn.Linear(D, 2)

        def forward(self, x: Tensor) -> Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([T] * len(x)), batch_first=True)
            self.narrow(x)
            return self.fc(self.rnn(packed)[1][-1])

    network = EagerNetwork(Packed(), OpenOptions(torch.device("cpu")))
    trace = network.trace(torch.randn(2, T, 4))
    assert [layer.name for layer in trace.layers] == ["fc"]
    assert {skipped.name: skipped.reason for skipped in trace.skipped} == {"rnn.l0": PACKED, "narrow.l0": PROJECTED}
