"""What follows a layer: told alike of hooks, TorchScript and exported programs, or not at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rfav_cli.activations.network import Activation, OpenOptions
from rfav_cli.activations.networks import eager, exported, torchscript
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.activations.network import Network

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
CPU = OpenOptions(torch.device("cpu"))
KINDS = ("eager", "torchscript", "exported")
UP_TO_ZERO = ((-math.inf, 0.0),)


class Net(nn.Module):
    """A convolution, a normalisation and tokens, put together by a function."""

    def __init__(self, run: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.other = nn.BatchNorm2d(4)
        self.group = nn.GroupNorm(2, 4)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.ConvTranspose2d(4, 4, 3, padding=1)
        self.token = nn.Linear(4, 5)
        for norm in (self.norm, self.other):
            nn.init.uniform_(norm.weight, 0.5, 2)
            nn.init.uniform_(norm.bias)
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def opened(kind: str, net: nn.Module, folder: Path, *, fold_norm: bool = False) -> Network:
    net.eval()
    images = torch.rand(2, 3, 6, 6)
    network: Network
    if kind == "eager":
        options = OpenOptions(CPU.device, make_model=lambda: net, fold_norm=fold_norm)
        network = eager.open_fresh(lambda: net, options)
    elif kind == "torchscript":
        torch.jit.save(torch.jit.trace(net, images, check_trace=False), str(folder / "net.pt"))
        options = OpenOptions(CPU.device, fold_norm=fold_norm)
        network = torchscript.open_network(formats.read(folder / "net.pt", ReadOptions()), options)
    else:
        torch.export.save(torch.export.export(net, (images,)), folder / "net.pt2")
        options = OpenOptions(CPU.device, fold_norm=fold_norm)
        network = exported.open_network(formats.read(folder / "net.pt2", ReadOptions()), options)
    network.trace(images)
    return network


def _flat(m: Net, x: Tensor) -> Tensor:
    return torch.relu(m.conv(x).flatten(1)).sum(1)


def _dropped(m: Net, x: Tensor) -> Tensor:
    return torch.relu(functional.dropout(m.conv(x), training=m.training))


def _tokens(m: Net, x: Tensor) -> Tensor:
    return torch.relu(m.token(m.conv(x).flatten(2).transpose(1, 2)))


def _twice(m: Net, x: Tensor) -> Tensor:
    return torch.relu_(m.up(torch.relu(m.up(m.conv(x)))))


def _copied(m: Net, x: Tensor) -> Tensor:
    return functional.relu(m.norm(m.conv(x)).permute(0, 2, 3, 1).contiguous())


KNOWN: dict[str, tuple[str, Callable[[Net, Tensor], Tensor], str, tuple[tuple[float, float], ...]]] = {
    "relu": ("conv", lambda m, x: torch.relu(m.conv(x)), "relu", UP_TO_ZERO),
    "in place": ("conv", lambda m, x: m.relu(m.conv(x)) + 1, "relu", UP_TO_ZERO),
    "relu6": ("conv", lambda m, x: functional.relu6(m.conv(x)), "hardtanh", UP_TO_ZERO),
    "hardtanh": ("conv", lambda m, x: functional.hardtanh(m.conv(x)), "hardtanh", ((0, 0),)),
    "clamp": ("conv", lambda m, x: m.conv(x).clamp(min=0), "clamp", UP_TO_ZERO),
    "clamp_min": ("conv", lambda m, x: torch.clamp_min(m.conv(x), 0), "clamp_min", UP_TO_ZERO),
    "clamp away": ("conv", lambda m, x: m.conv(x).clamp(1, 2), "clamp", ()),
    "threshold": ("conv", lambda m, x: functional.threshold(m.conv(x), 0.5, 0), "threshold", ((-math.inf, 0.5),)),
    "leaky": ("conv", lambda m, x: functional.leaky_relu(m.conv(x)), "leaky_relu", ((0, 0),)),
    "selu": ("conv", lambda m, x: functional.selu(m.conv(x)), "elu", ((0, 0),)),
    "gelu": ("conv", lambda m, x: functional.gelu(m.conv(x)), "gelu", ((0, 0),)),
    "tanh": ("conv", lambda m, x: torch.tanh(m.conv(x)), "tanh", ((0, 0),)),
    "sigmoid": ("conv", lambda m, x: torch.sigmoid(m.conv(x)), "sigmoid", ()),
    "hardswish": ("conv", lambda m, x: functional.hardswish(m.conv(x)), "hardswish", ((-math.inf, -3), (0, 0))),
    "softshrink": ("conv", lambda m, x: functional.softshrink(m.conv(x), 0.25), "softshrink", ((-0.25, 0.25),)),
    "after a norm": ("conv", lambda m, x: m.relu(m.norm(m.conv(x))), "relu", UP_TO_ZERO),
    "reshaped": ("conv", _flat, "relu", UP_TO_ZERO),
    "copied after a norm": ("conv", _copied, "relu", UP_TO_ZERO),
    "dropout that does nothing": ("conv", _dropped, "relu", UP_TO_ZERO),
    "transposed": ("up", lambda m, x: torch.relu(m.up(m.conv(x))), "relu", UP_TO_ZERO),
    "tokens": ("token", _tokens, "relu", UP_TO_ZERO),
    "twice the same": ("up", _twice, "relu", UP_TO_ZERO),
}


def _residual(m: Net, x: Tensor) -> Tensor:
    y = m.conv(x)
    return y + torch.relu(y)


def _overwritten_after(m: Net, x: Tensor) -> Tensor:
    y = m.conv(x)
    kept = y.clone()
    return m.relu(y) + kept


def _returned(m: Net, x: Tensor) -> Tensor:
    y = m.conv(x)
    return torch.relu(y), y  # type: ignore[return-value]


def _two(m: Net, x: Tensor) -> Tensor:
    return torch.relu(m.up(torch.tanh(m.up(m.conv(x)))))


def _two_norms(m: Net, x: Tensor) -> Tensor:
    return torch.relu(m.norm(m.up(torch.relu(m.other(m.up(m.conv(x)))))))


def _norm_aside(m: Net, x: Tensor) -> Tensor:
    y = m.norm(m.conv(x))
    return torch.relu(y) + y


UNKNOWN: dict[str, tuple[str, Callable[[Net, Tensor], Tensor]]] = {
    "a sum beside it": ("conv", _residual),
    "a copy beside it": ("conv", _overwritten_after),
    "an output as well": ("conv", _returned),
    "a gate": ("conv", lambda m, x: (y := m.conv(x)) * torch.sigmoid(y)),
    "halves": ("conv", lambda m, x: functional.glu(m.conv(x), 1)),
    "shifted": ("conv", lambda m, x: torch.relu(m.conv(x) + 1)),
    "shifted in place": ("conv", lambda m, x: torch.relu(m.conv(x).add_(1))),
    "pooled": ("conv", lambda m, x: torch.relu(functional.max_pool2d(m.conv(x), 2))),
    "another norm": ("conv", lambda m, x: torch.relu(m.group(m.conv(x)))),
    "used beside its norm": ("conv", _norm_aside),
    "nothing": ("conv", lambda m, x: m.conv(x)),
    "a layer": ("conv", lambda m, x: torch.relu(m.up(m.conv(x)))),
    "two functions": ("up", _two),
    "two norms": ("up", _two_norms),
    "slopes that are weights": ("conv", lambda m, x: functional.prelu(m.conv(x), m.norm.bias)),
    "limits that are tensors": ("conv", lambda m, x: torch.clamp(m.conv(x), min=torch.zeros(1))),
    "a constant": ("conv", lambda m, x: m.conv(x).clamp(0, 0)),
}


@pytest.mark.parametrize("case", KNOWN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_nonlinearity_is_told(kind: str, case: str, tmp_path: Path) -> None:
    layer, run, name, zeros = KNOWN[case]
    nonlinearity = opened(kind, Net(run), tmp_path).nonlinearity(layer)
    assert nonlinearity is not None
    assert (nonlinearity.name, nonlinearity.zeros) == (name, zeros)


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_known_is_not_guessed(kind: str, case: str, tmp_path: Path) -> None:
    layer, run = UNKNOWN[case]
    assert opened(kind, Net(run), tmp_path).nonlinearity(layer) is None


@pytest.mark.parametrize("case", KNOWN)
def test_zeros_are_where_the_function_is_zero(case: str, tmp_path: Path) -> None:
    _, run, _, zeros = KNOWN[case]
    nonlinearity = opened("eager", Net(run), tmp_path).nonlinearity(KNOWN[case][0])
    assert nonlinearity is not None
    operator = getattr(torch.ops.aten, nonlinearity.name)
    arguments = {
        "relu6": (0, 6),
        "clamp": (0,),
        "clamp away": (1, 2),
        "clamp_min": (0,),
        "threshold": (0.5, 0),
        "softshrink": (0.25,),
        "selu": (1.67, 1.05),
    }
    x = torch.linspace(-5, 5, 2001)
    expected = operator(x, *arguments.get(case, ())) == 0
    inside = torch.zeros_like(expected)
    for low, high in zeros:
        inside |= (x >= low) & (x <= high)
    torch.testing.assert_close(inside, expected)


NORMALISED: dict[str, tuple[Callable[[Net, Tensor], Tensor], dict[str, bool]]] = {
    "one": (lambda m, x: m.norm(m.conv(x)).relu().sum((2, 3)), {"conv": True}),
    "two": (lambda m, x: (m.norm(y := m.conv(x)) + m.other(y)).relu().sum((2, 3)), {"conv": False}),
    "a group": (lambda m, x: m.group(m.conv(x)).relu().sum((2, 3)), {"conv": False}),
    "moved": (
        lambda m, x: nn.functional.layer_norm(m.conv(x).permute(0, 2, 3, 1), (4,)).relu().sum((1, 2)),
        {"conv": False},
    ),
    "instances": (lambda m, x: nn.functional.instance_norm(m.conv(x)).relu().sum((2, 3)), {"conv": False}),
    "after a nonlinearity": (lambda m, x: m.norm(m.conv(x).relu()).sum((2, 3)), {}),
    "none": (lambda m, x: m.conv(x).relu().sum((2, 3)), {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", NORMALISED)
def test_what_goes_into_a_normalisation_is_told_and_whether_it_can_be_folded_in(
    case: str, kind: str, tmp_path: Path
) -> None:
    run, expected = NORMALISED[case]
    assert opened(kind, Net(run), tmp_path).normalised() == expected


@pytest.mark.parametrize("fold_norm", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_activation_is_what_the_nonlinearity_gets(kind: str, fold_norm: bool, tmp_path: Path) -> None:
    net = Net(lambda m, x: m.relu(m.token(m.relu(m.norm(m.conv(x))).permute(0, 2, 3, 1))))
    network = opened(kind, net, tmp_path, fold_norm=fold_norm)
    images = torch.rand(2, 3, 6, 6)
    plain: dict[str, Tensor] = {}
    with torch.no_grad():
        network.forward(images, lambda use: bool(plain.update({use.layer: use.plain().clone()})))
        conv = net.norm(net.conv(images))
        token = net.token(conv.relu().permute(0, 2, 3, 1)).movedim(-1, 1)
    torch.testing.assert_close(plain["conv"], conv)
    torch.testing.assert_close(plain["token"], token)


def test_half_precision_is_widened() -> None:
    plain = Activation("fc", torch.ones(2, 5, 3, dtype=torch.float16), -1).plain()
    assert (plain.dtype, plain.shape) == (torch.float32, (2, 3, 5))
