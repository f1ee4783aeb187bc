"""A step's forward: the loss, and the penalties on top of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn.functional import cross_entropy

from rfav_cli.errors import ModelError
from rfav_cli.training.forward import Forward, autocast
from tests.training.loops import CPU, Net, make_loop

if TYPE_CHECKING:
    from pathlib import Path


def test_the_loss_comes_with_its_penalties_and_without(data: Path) -> None:
    loop = make_loop(data, recipe={"conv1": (0.1, 0.0)})
    loop.net.model.train()
    samples, labels = next(iter(loop.training.shuffled(0, 0, CPU)))
    scores, loss, total = Forward(loop.net, loop.regularizer, "cpu", amp=False)(samples, labels)
    assert loss.item() == pytest.approx(cross_entropy(scores, labels).item())
    assert loop.regularizer is not None
    assert (total - loss).item() == pytest.approx(sum(loop.regularizer.values.values()), rel=1e-4)
    loop.regularizer.close()
    plain = Forward(loop.net, None, "cpu", amp=False)(samples, labels)
    assert plain[1] is plain[2]


def test_the_weights_are_there_for_whoever_wraps_it(data: Path) -> None:
    loop = make_loop(data)
    names = {name for name, _ in Forward(loop.net, None, "cpu", amp=False).named_parameters()}
    assert names == {f"model.{name}" for name, _ in Net().named_parameters()}


def test_a_loss_without_a_gradient_is_refused(data: Path) -> None:
    loop = make_loop(data)
    loop.net.model.requires_grad_(False)
    samples, labels = next(iter(loop.training.shuffled(0, 0, CPU)))
    with pytest.raises(ModelError, match="no gradient of the loss"):
        loop.forward(samples, labels)


def test_bfloat16_is_for_those_who_want_it() -> None:
    for amp, kind in ((True, torch.bfloat16), (False, torch.float32)):
        with autocast("cpu", amp):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == kind
