"""Where a training that broke down went wrong first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from rfav_cli.activations.dispatch import OperatorHook
from rfav_cli.activations.networks.torchscript import weight_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rfav_cli.activations.dispatch import Use


def first_not_finite(model: nn.Module, forward: Callable[[], Any]) -> str:
    """The first module of a forward whose weights or output are not finite, in words.

    Args:
        model: the net.
        forward: runs it on the batch in question.

    Returns:
        Empty where every module's weights and output are finite.
    """
    if isinstance(model, torch.jit.ScriptModule):
        return _first_in_program(model, forward)
    broken_outputs: list[str] = []

    def look(name: str) -> Callable[..., None]:
        def on_output(module: nn.Module, _: Any, output: Any) -> None:
            if broken_outputs:
                return
            broken = [kind for kind, tensor in _own(module) if not is_finite(tensor)]
            outputs = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
            if broken:
                broken_outputs.append(f"{' and '.join(broken)} of {name}")
            elif not all(map(is_finite, outputs)):
                broken_outputs.append(f"the output of {name}")

        return on_output

    leaves = [(name, module) for name, module in model.named_modules() if not next(module.children(), None)]
    handles = [module.register_forward_hook(look(name or "the net")) for name, module in leaves]
    try:
        with torch.no_grad():
            forward()
    finally:
        for handle in handles:
            handle.remove()
    return broken_outputs[0] if broken_outputs else ""


def _first_in_program(model: torch.jit.ScriptModule, forward: Callable[[], Any]) -> str:
    """The same of a TorchScript net, which takes no hooks."""
    broken_outputs: list[str] = []

    def look(use: Use) -> None:
        if not is_finite(use.weight):
            broken_outputs.append(f"the weight of {use.layer}")
        elif not is_finite(use.values):
            broken_outputs.append(f"the output of {use.layer}")

    with torch.no_grad(), OperatorHook(weight_names(model), look) as hook:
        forward()
        hook.finish()
    return broken_outputs[0] if broken_outputs else ""


def broken_weights(model: nn.Module) -> tuple[str, ...]:
    """The names of the parameters that are not finite, then those of such buffers, of which masks may be meant so."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return tuple(name for name, tensor in named if not is_finite(tensor))


def is_finite(tensor: Tensor) -> bool:
    """Whether no value is NaN or infinite."""
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())


def _own(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in module.named_parameters(recurse=False):
        yield f"the {name}", tensor
