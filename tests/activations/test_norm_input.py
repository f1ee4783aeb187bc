from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.activations import networks
from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.norm_input import UNLEARNT, NormInput, pooled
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.activations.network import Network

SIDE = 6


class Net(nn.Module):
    """Two normalisations; the second must never be reached when the first is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.BatchNorm2d(5)
        self.first = nn.BatchNorm2d(4)
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.fc = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(self.conv1(x)))
        return self.fc(self.second(self.conv2(x)).mean((2, 3)))


def trained(make: Callable[[], nn.Module] = Net, batches: int = 60) -> nn.Module:
    torch.manual_seed(0)
    net = make()
    for _ in range(batches):
        net(torch.randn(16, 3, SIDE, SIDE) * 2 + 1)
    return net.eval()


def save_state(net: nn.Module, path: Path) -> None:
    torch.save(net.state_dict(), path)


def save_traced(net: nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.trace(net, torch.randn(2, 3, SIDE, SIDE)), path)


def save_scripted(net: nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.script(net), path)


def save_frozen(net: nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.freeze(torch.jit.script(net)), path)


def save_exported(net: nn.Module, path: Path) -> None:
    batch = torch.export.Dim("batch", min=2)
    torch.export.save(torch.export.export(net, (torch.randn(2, 3, SIDE, SIDE),), dynamic_shapes=({0: batch},)), path)


def save_exported_for_four(net: nn.Module, path: Path) -> None:
    torch.export.save(torch.export.export(net, (torch.randn(4, 3, SIDE, SIDE),)), path)


WRITERS = [save_state, save_traced, save_scripted, save_frozen, save_exported, save_exported_for_four]


def opened(path: Path, make: Callable[[], nn.Module] = Net) -> Network:
    network = networks.open_network(formats.read(path, ReadOptions()), OpenOptions(torch.device("cpu"), make))
    network.trace(torch.randn(2, 3, SIDE, SIDE))
    return network


def reference(net: Net, images: torch.Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and variance of each channel in float64, value by value."""
    values = copy.deepcopy(net).double().conv1(images.double()).detach().numpy()
    channels = [values[:, channel].ravel() for channel in range(values.shape[1])]
    means = np.array([sum(channel) / len(channel) for channel in channels])
    return means, np.array(
        [sum((channel - mean) ** 2) / len(channel) for channel, mean in zip(channels, means, strict=True)]
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("write", WRITERS)
def test_it_is_what_the_first_normalisation_is_given(write: Callable[[nn.Module, Path], None], tmp_path: Path) -> None:
    net, images = trained(), torch.randn(8, 3, SIDE, SIDE) * 3 - 1
    assert isinstance(net, Net)
    write(net, tmp_path / "net.pt2" if "exported" in write.__name__ else tmp_path / "net.pt")
    (path,) = tmp_path.iterdir()
    given = opened(path).norm_input(images)
    if given is None:  # freezing may fold the normalisation into the convolution, and then there is none
        assert write is save_frozen
        return
    means, variances = reference(net, images)
    np.testing.assert_allclose(given.mean, means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(given.variance, variances, rtol=1e-5)
    assert net.first.running_mean is not None
    np.testing.assert_array_equal(given.expected_mean, net.first.running_mean.double())
    assert given.epsilon == net.first.eps
    assert given.learnt
    if write is not save_frozen:
        assert given.unlearnt == pytest.approx(0.9**60)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("write", [save_state, save_scripted, save_exported])
def test_a_net_that_was_not_trained_has_learnt_nothing(
    write: Callable[[nn.Module, Path], None], tmp_path: Path
) -> None:
    path = tmp_path / ("net.pt2" if write is save_exported else "net.pt")
    for batches, learnt in ((0, False), (5, False), (60, True)):
        write(trained(batches=batches), path)
        given = opened(path).norm_input(torch.randn(4, 3, SIDE, SIDE))
        assert given is not None
        assert given.learnt is learnt


def moments(**changes: Any) -> NormInput:
    ones = torch.ones(2, dtype=torch.float64)
    return dataclasses.replace(NormInput(ones, ones, 5, ones, 2 * ones, epsilon=1e-5, unlearnt=0.0), **changes)


def test_what_has_been_learnt() -> None:
    assert moments(unlearnt=float("nan")).learnt
    assert moments(unlearnt=UNLEARNT).learnt
    assert not moments(unlearnt=2 * UNLEARNT).learnt
    zeros, ones = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    assert not moments(expected_mean=zeros, expected_variance=ones, unlearnt=float("nan")).learnt


def test_several_forwards_are_as_one() -> None:
    values = torch.randn(11, 2, dtype=torch.float64)
    parts = [
        moments(mean=part.mean(0), variance=part.var(0, correction=0), values=len(part))
        for part in values.split((3, 6, 2))
    ]
    whole = pooled(parts)
    torch.testing.assert_close(whole.mean, values.mean(0))
    torch.testing.assert_close(whole.variance, values.var(0, correction=0))
    assert whole.values == 11


def plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 2))


def of_batches() -> nn.Module:
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.Flatten(), nn.Linear(64, 2))


@pytest.mark.parametrize("make", [plain, of_batches])
def test_a_net_without_running_statistics_has_none(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    save_state(trained(make, batches=0), tmp_path / "net.pt")
    assert opened(tmp_path / "net.pt", make).norm_input(torch.randn(4, 3, SIDE, SIDE)) is None


def test_the_mean_over_all_batches_has_no_memory_to_run_out(tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.BatchNorm2d(3, momentum=None), nn.Flatten(), nn.Linear(3 * SIDE**2, 2))

    save_state(trained(make, batches=2), tmp_path / "net.pt")
    given = opened(tmp_path / "net.pt", make).norm_input(torch.randn(4, 3, SIDE, SIDE))
    assert given is not None
    assert given.learnt


def test_the_net_is_left_without_hooks_and_goes_no_further(tmp_path: Path) -> None:
    save_state(trained(), tmp_path / "net.pt")
    network = opened(tmp_path / "net.pt")
    net: Any = network.model  # type: ignore[attr-defined]
    net.second.register_forward_pre_hook(lambda *_: pytest.fail("went on"))
    assert network.norm_input(torch.randn(4, 3, SIDE, SIDE)) is not None
    assert not net.first._forward_pre_hooks
    assert len(net.second._forward_pre_hooks) == 1
