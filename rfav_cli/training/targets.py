"""Which layers of a net a recipe means, whatever the net is wrapped in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from rfav_cli.activations.hooks import STANDARD, Hook
from rfav_cli.activations.layer_kinds import LAZY, grouped_filters
from rfav_cli.activations.parts import parts_of
from rfav_cli.errors import RecipeError
from rfav_cli.records import PARTS, PENALISED
from rfav_cli.text import printable
from rfav_cli.training.scripted import Program
from rfav_cli.training.target import Target, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn

    from rfav_cli.records import LayerRecipe, Recipe

WRAPPED = ("_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module")
"""What wrappers call the module that they wrap: torch.compile, checkpoint_wrapper, FSDP."""
MOST_NAMES = 40
"""Layers that an error lists."""


def find_targets(model: nn.Module | Program, recipe: Recipe) -> list[Target]:
    """The layers that have a penalty.

    Args:
        model: the net, also wrapped; or the program of a TorchScript net.
        recipe: which penalties.

    Returns:
        In the recipe's order; without those whose lambda and kappa are both 0.

    Raises:
        RecipeError: the recipe names no layer, a layer that the net has not, or a penalty that a layer cannot have. All
            that is wrong is said at once.
    """
    named = model.named_layers() if isinstance(model, Program) else _layers(model)
    layers = {name: Hook(name, module, kind) for name, module, kind in named}
    if not recipe.layers:
        raise RecipeError("the recipe names no layer, so there is nothing to penalise", _remedy(layers))
    problems, targets = [], []
    for penalties in recipe.layers:
        layer = layers.get(penalties.name) or layers.get(_bare(penalties.name))
        problem = _problem(penalties, layer)
        if problem:
            problems.append(f"layer {printable(penalties.name, 80)!r}: {problem}")
        elif layer and (penalties.lambda_ or penalties.kappa):
            scores = penalties.target == "scores"
            targets.append(Target(penalties.name, layer.module, layer.kind, penalties.lambda_, penalties.kappa, scores))
    if len({id(target.module) for target in targets}) < len(targets):
        problems.append("two of the recipe's names are of one layer")
    if problems:
        first, *more = (f"recipe: {problem}" for problem in problems)
        raise RecipeError(first, "\n".join([*more, _remedy(layers)]))
    return targets


def unwrapped(module: nn.Module) -> nn.Module:
    """The module without what torch.compile, DDP and others wrap around it."""
    while not isinstance(module, torch.jit.ScriptModule):
        inner = next((module._modules[key] for key in WRAPPED if module._modules.get(key) is not None), None)
        if inner is None and isinstance(module, DistributedDataParallel | DataParallel):
            inner = module.module
        if inner is None:
            break
        module = inner
    return module


def _layers(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module, str]]:
    """Each standard layer by its name without wrappers, under each of its names."""
    module = unwrapped(module)
    if parts := parts_of(module):
        yield from ((f"{name}.{part.key}" if name else part.key, part.owner, kind) for kind, part in parts)
        return
    for kind in STANDARD:
        if isinstance(module, kind):
            yield name, module, kind.__name__
    for key, child in module._modules.items():
        if child is not None:
            yield from _layers(child, f"{name}.{key}" if name else key)


def _bare(name: str) -> str:
    """A name as a wrapped net has it, without the wrappers' parts."""
    parts = [part for part in name.split(".") if part not in WRAPPED]
    while parts and parts[0] == "module":
        parts = parts[1:]
    return ".".join(parts)


def _problem(asked: LayerRecipe, layer: Hook | None) -> str:
    """Why a layer cannot have its penalties; empty where it can."""
    for name, weight in (("lambda", asked.lambda_), ("kappa", asked.kappa)):
        if not (0 <= weight < math.inf):
            return f"{name} must be a finite number from 0 on, not {weight}"
    if asked.target not in PENALISED:
        return f"target must be one of {', '.join(PENALISED)}, not {printable(asked.target, 80)!r}"
    if layer is None:
        return "this net has no such layer"
    if layer.kind in PARTS:
        return f"it is a part of an nn.{type(layer.module).__name__}, and penalties are on whole modules alone"
    weight = weight_of(layer.module)
    if is_lazy(weight):
        return LAZY
    if weight.is_complex():
        return "its weights are complex, which have neither entropy nor correlation here"
    groups, filters, size = grouped_filters(layer.kind, weight, getattr(layer.module, "groups", 1)).shape
    if asked.lambda_ and groups * filters < 2:
        return "it has one channel, whose entropy is always 0, so lambda must be 0"
    if asked.kappa and (filters < 2 or size < 2):
        few = "one filter" + (" a group" if groups > 1 else "") if filters < 2 else "one weight a filter"
        return f"it has {few}, so there is nothing to correlate and kappa must be 0"
    return ""


def _remedy(layers: Mapping[str, Hook]) -> str:
    names = [printable(name, 80) for name in layers]
    more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"The net's layers are: {', '.join(names[:MOST_NAMES]) or 'none that can be penalised'}{more}."
