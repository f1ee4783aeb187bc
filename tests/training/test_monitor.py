"""The copy of a net that is measured in its place."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from rfav_cli.training.monitor import copy_of, sha256_of
from tests.commands import nets


def test_foreign_hooks_are_left_out_and_those_that_make_weights_stay():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)), nn.LazyLinear(2))
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append(1))
    model[0].register_forward_pre_hook(lambda *_: calls.append(2))
    model.register_full_backward_hook(lambda *_: calls.append(3))
    twin = copy_of(model)
    x = torch.randn(5, 4)
    with torch.no_grad():
        twin[0].weight_g.mul_(2)
        doubled = twin[0](x) - twin[0].bias
        twin(x).sum()
    assert calls == []
    assert nn.parameter.is_lazy(model[1].weight)
    torch.testing.assert_close(doubled, 2 * (model[0](x) - model[0].bias))
    assert calls == [2, 1]


def test_the_digest_tells_any_change_and_nothing_else():
    model = nets.make(nets.Images, 0)
    state = model.state_dict()
    digest = sha256_of(state)
    assert sha256_of(model.to(memory_format=torch.channels_last).state_dict()) == digest
    assert sha256_of({name: value.half() for name, value in state.items()}) != digest
    for name, value in state.items():
        changed = {**state, name: value + 1}
        assert sha256_of(changed) != digest, name
    assert sha256_of({f"x{name}": value for name, value in state.items()}) != digest
