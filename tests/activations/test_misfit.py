"""Samples that a net does not take: what is said, and that nothing is advised that was not tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rfav_cli.activations.misfit import Entered, unfit
from rfav_cli.errors import SampleError
from tests.activations.examined import open_form

if TYPE_CHECKING:
    from pathlib import Path

FORMS = ("eager", "traced", "scripted")


class Deep(nn.Module):
    """Takes images of 9x9 and more."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.c1, self.c2, self.fc = nn.Conv2d(channels, 8, 5), nn.Conv2d(8, 12, 5), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.c2(torch.relu(self.c1(x)))).mean((2, 3)))


class Flat(nn.Module):
    """Takes images of 32x32."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 32 * 32, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.c1(x)).flatten(1))


class Pooled(nn.Module):
    """Fails outside of its layers for small images."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(functional.max_pool2d(functional.max_pool2d(self.c1(x), 4), 4).mean((2, 3)))


class Within(nn.Module):
    """Its own layers do not fit each other."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.c2(self.c1(x))


class Vectors(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("net", "good", "shape", "remedy"),
    [
        (
            Deep(),
            (3, 16, 16),
            (3, 6, 6),
            "The samples are too small: c2 is given 2x2, fewer than its kernel covers. "
            "It runs on images of 3x28x28: --resize 28.",
        ),
        (Deep(), (3, 16, 16), (1, 16, 16), "c1 takes 3 channels, it was given 1. Give --rgb."),
        (Deep(1), (1, 16, 16), (3, 16, 16), "c1 takes 1 channels, it was given 3. Give --gray."),
        (Deep(4), (4, 16, 16), (3, 16, 16), "c1 takes 4 channels, it was given 3."),
        (
            Flat(),
            (1, 32, 32),
            (1, 28, 28),
            "fc takes 4096 features, it was given 3136. It runs on images of 1x32x32: --resize 32.",
        ),
        (Pooled(), (3, 32, 32), (3, 9, 9), "It runs on images of 3x28x28: --resize 28."),
        (Vectors(), (8,), (5,), "fc takes 8 features, it was given 5."),
    ],
    ids=["small", "gray", "colour", "four", "flat", "pooled", "vectors"],
)
def test_what_is_advised(
    net: nn.Module, good: tuple[int, ...], shape: tuple[int, ...], remedy: str, form: str, tmp_path: Path
) -> None:
    network = open_form(net, form, torch.rand(2, *good), tmp_path)
    with pytest.raises(SampleError) as caught:
        network.trace(torch.rand(2, *shape))
    assert caught.value.remedy == remedy
    assert f"samples of {'x'.join(map(str, shape))}: RuntimeError" in caught.value.what


def test_an_exported_program_is_tried_as_well(tmp_path: Path) -> None:
    network = open_form(Flat().eval(), "exported", torch.rand(2, 1, 32, 32), tmp_path)
    with pytest.raises(SampleError) as caught:
        network.trace(torch.rand(2, 1, 28, 28))
    assert caught.value.remedy == "It runs on images of 1x32x32: --resize 32."


def test_a_net_that_fits_nothing_gets_no_option(tmp_path: Path) -> None:
    with pytest.raises(SampleError) as caught:
        open_form(Within(), "eager", torch.rand(2, 3, 8, 8), tmp_path).trace(torch.rand(2, 3, 8, 8))
    assert caught.value.remedy == "c2 takes 3 channels, it was given 4."


def test_nothing_is_known_of_what_the_users_code_raises() -> None:
    def run(_: Tensor) -> None:
        raise KeyError

    error = unfit(torch.rand(2, 3, 8, 8), AttributeError("no such thing"), None, run)
    assert error.what == "the net does not run on samples of 3x8x8: AttributeError: no such thing"
    assert error.remedy == "Run it on such samples to see why."


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        (Entered("c", "Conv2d", (4, 3, 3, 3), (2, 3, 2, 9), 3, (3, 3)), "the samples are too small"),
        (Entered("c", "Conv2d", (4, 3, 3, 3), (2, 3, 2, 9), 3, (1, 1)), ""),
        (Entered("c", "Conv1d", (4, 3, 3), (2, 3, 9, 9), 3, (3,)), "c takes samples of 2 axes, it was given 3"),
        (Entered("c", "Linear", (4, 3), (2, 3), 3), ""),
    ],
)
def test_what_does_not_fit(entered: Entered, words: str) -> None:
    assert entered.misfit().startswith(words)
    assert bool(entered.misfit()) is bool(words)


def test_a_net_that_runs_on_its_own_gets_no_advice_of_other_samples() -> None:
    error = unfit(torch.zeros(2, 3, 8, 8), RuntimeError("not with hooks"), None, lambda images: images)
    assert "--resize" not in error.remedy
    assert error.remedy == "It runs on them where its layers are not watched: please report this, with the net."
