"""Small nets of every sort, for tests of the kinds of network that come as programs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import eager
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.activations.network import Activation, Network, Trace


class Chain(nn.Module):
    """Convolutions of every sort; activations that write in place; linear layers on vectors and on tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False)
        self.grouped = nn.Conv2d(8, 6, 3, stride=2, groups=2)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2)
        self.relu = nn.ReLU(inplace=True)
        self.tokens = nn.Linear(4, 5)
        self.narrow = nn.Linear(5, 3, bias=False)
        self.head = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm1(self.conv1(x)))
        x = self.relu(self.grouped(x + self.relu(self.depthwise(x))))
        x = self.up(x)
        tokens = self.relu(self.tokens(x.flatten(2).transpose(1, 2)))
        return self.head(self.narrow(tokens).mean(1))


class Block(nn.Module):
    """A residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding="same")
        self.mlp = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.conv(x).relu_()
        return x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Blocks(nn.Module):
    """Nested blocks, linear layers on grids, a layer that is used twice, one that is used never."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.blocks = nn.Sequential(Block(), Block())
        self.twice = nn.Linear(4, 4)
        self.never = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x)).mean((2, 3))
        return self.twice(torch.relu_(self.twice(x)))


class Branching(nn.Module):
    """Control flow that depends on the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if x.shape[2] > 2:
            for _ in range(2):
                x = torch.relu(self.second(x))
        return self.fc(x.mean((2, 3)))


class Attention(nn.Module):
    """Weights that are used without a module, and products of activations."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 2, stride=2)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lent = nn.Linear(8, 8)
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = x + nn.functional.linear(x, self.lent.weight, self.lent.bias)
        x = x + self.attn(x, x, x, need_weights=False)[0]
        scores = torch.softmax(x @ x.transpose(1, 2), -1) @ x
        return self.fc(scores).mean(1)


class Signal(nn.Module):
    """One dimension and three."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Conv1d(3, 4, 3)
        self.wide = nn.ConvTranspose1d(4, 3, 2)
        self.space = nn.Conv3d(1, 3, 2)
        self.deep = nn.ConvTranspose3d(3, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu_(self.wide(self.line(x.flatten(2)))).unflatten(2, (5, 7)).unsqueeze(1)
        return self.deep(self.space(x)).flatten(1).mean(1, keepdim=True)


NETS = {net.__name__: net for net in (Chain, Blocks, Branching, Attention, Signal)}


def make(name: str) -> nn.Module:
    """A net with random weights, and with batch norms that have seen something, in evaluation mode."""
    torch.manual_seed(0)
    net = NETS[name]()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


def samples(count: int) -> Tensor:
    """Images that all of the nets take."""
    generator = torch.Generator().manual_seed(count)
    return torch.randn(count, 3, 6, 6, generator=generator)


def eager_activations(net: nn.Module, images: Tensor, with_bias: bool = False) -> list[tuple[str, str, Tensor]]:
    """The slow, obvious twin, by forward hooks: name, kind and output of every layer, in order."""
    found: list[tuple[str, str, Tensor]] = []

    def hook(name: str, module: nn.Module, output: Tensor) -> None:
        values = output.detach().clone()
        if module.bias is not None and not with_bias:
            last = isinstance(module, nn.Linear)
            values -= module.bias if last else module.bias.reshape(-1, *[1] * (values.dim() - 2))
        found.append((name, type(module).__name__, values))

    handles = [
        module.register_forward_hook(lambda module, _, output, name=name: hook(name, module, output))
        for name, module in net.named_modules()
        if isinstance(module, (nn.modules.conv._ConvNd, nn.Linear))
    ]
    with torch.no_grad():
        net(images)
    for handle in handles:
        handle.remove()
    return found


def without_bias(activation: Activation) -> Tensor:
    values = activation.values.clone()
    if activation.bias is not None:
        trailing = 0 if activation.channel_dim == -1 else values.dim() - 2
        values -= activation.bias.reshape(-1, *[1] * trailing)
    return values


def collect(network: Network, images: Tensor) -> list[tuple[str, Tensor]]:
    uses: list[tuple[str, Tensor]] = []

    def sink(activation: Activation) -> bool:
        uses.append((activation.layer, without_bias(activation)))
        return False

    network.forward(images, sink)
    return uses


def eager_network(net: nn.Module, folder: Path, fold_norm: bool = False) -> Network:
    """The same net as the eager kind opens it."""
    torch.save(net.state_dict(), folder / "eager.pt")
    options = OpenOptions(torch.device("cpu"), make_model=lambda: copy.deepcopy(net), fold_norm=fold_norm)
    return eager.open_network(formats.read(folder / "eager.pt", ReadOptions()), options)


def check_same(expected: Trace, trace: Trace) -> None:
    """Hold a program's trace against that of its eager net: it shows no single map within attention."""
    whole = tuple(layer for layer in expected.layers if layer.takes_penalties)
    assert trace.layers == whole
    assert trace.uses == {layer.name: expected.uses[layer.name] for layer in whole}
    within = {layer.name for layer in trace.skipped if layer.name.startswith("attn.")}
    assert {layer for layer in trace.skipped if layer.name not in within} == set(expected.skipped)
    assert within == ({"attn.in_proj_weight", "attn.out_proj"} if whole != expected.layers else set())
