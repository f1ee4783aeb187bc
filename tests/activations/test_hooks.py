from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import spectral_norm, weight_norm

from rfav_cli.activations.hooks import (
    Hook,
    StopForward,
    find_hooks,
    hooked,
    norm_scale,
    plain_forward,
    refresh_weights,
)


class Own(nn.Linear):
    """A subclass."""


def net() -> nn.Sequential:
    shared = nn.Linear(4, 4)
    return nn.Sequential(shared, nn.ReLU(inplace=True), Own(4, 4), shared)


def test_each_standard_layer_is_found_once_by_its_first_name() -> None:
    assert [(hook.name, hook.kind) for hook in find_hooks(net())] == [("0", "Linear"), ("2", "Linear")]
    convolutions = nn.ModuleDict({"a": nn.Conv3d(2, 4, 1, groups=2), "b": nn.ConvTranspose1d(2, 4, 1), "c": nn.GELU()})
    hooks = find_hooks(convolutions)
    assert [(hook.kind, hook.channel_dim, tuple(hook.filters().shape)) for hook in hooks] == [
        ("Conv3d", 1, (2, 2, 1)),
        ("ConvTranspose1d", 1, (1, 4, 2)),
    ]


def test_outputs_are_read_before_anything_writes_over_them() -> None:
    model, seen = net()[:2], []

    def read(hook: Hook, output: Any) -> bool:
        seen.append((hook.name, output.clone()))
        return False

    model[0].register_forward_hook(lambda module, args, output: output.fill_(0))
    with torch.no_grad(), hooked(find_hooks(model), read):
        model(x := torch.randn(2, 4))
    [(name, output)] = seen
    assert name == "0"
    torch.testing.assert_close(output, torch.addmm(model[0].bias, x, model[0].weight.t()).detach())
    assert (output < 0).any()


def test_a_reader_ends_the_forward_and_no_hook_is_left() -> None:
    model = net()
    with pytest.raises(StopForward), hooked(find_hooks(model), lambda *_: True):
        model(torch.randn(2, 4))
    assert not any(module._forward_hooks for module in model.modules())
    model(torch.randn(2, 4))


def test_a_plain_forward_leaves_the_settings_as_they_were() -> None:
    for fused in (True, False):
        torch.backends.mha.set_fastpath_enabled(fused)
        with plain_forward():
            assert not torch.is_grad_enabled()
            assert not torch.backends.mha.get_fastpath_enabled()
        assert torch.is_grad_enabled()
        assert torch.backends.mha.get_fastpath_enabled() is fused
    torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("derived", [weight_norm, spectral_norm])
def test_derived_weights_are_made_anew_from_what_was_loaded(derived: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(derived(nn.Linear(4, 3))).eval()
    other = nn.Sequential(derived(nn.Linear(4, 3))).eval()
    other(x := torch.randn(2, 4))
    model.load_state_dict(other.state_dict())
    refresh_weights(hooks := find_hooks(model))
    torch.testing.assert_close(hooks[0].filters(), find_hooks(other)[0].filters())
    torch.testing.assert_close(model(x), other(x))


def test_what_a_norm_multiplies_by() -> None:
    norm = nn.BatchNorm1d(3).eval()
    nn.init.uniform_(norm.running_var, 1, 2)
    nn.init.uniform_(norm.weight, 1, 2)
    x = torch.randn(5, 3)
    scale = norm_scale(norm)
    assert scale is not None
    torch.testing.assert_close((norm(x) - norm(torch.zeros_like(x))), x * scale)
    assert norm_scale(nn.BatchNorm1d(3, track_running_stats=False)) is None
    plain = norm_scale(nn.BatchNorm1d(3, affine=False, eps=0.0))
    assert plain is not None
    assert plain.tolist() == [1.0] * 3
