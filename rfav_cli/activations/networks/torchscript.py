"""TorchScript: traced, scripted and frozen modules, which bring their own code and take no hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from rfav_cli.activations.layer_kinds import QUANTISED, UNUSED
from rfav_cli.activations.programs import (
    ProgramNetwork,
    is_layer_class,
    named_tensors,
    wrapper_prefix,
)
from rfav_cli.activations.weight_names import WeightNames
from rfav_cli.graphs import constants, nodes
from rfav_cli.inputs import Arguments, call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Payload


def open_network(payload: Payload, options: OpenOptions) -> ScriptNetwork:
    """Make the network that takes this checkpoint and those like it."""
    return ScriptNetwork(payload, options)


FUSING = ("TransformerEncoderLayer", "TransformerEncoder", "MultiheadAttention")
"""Modules of torch's that have a fused form for evaluation without gradients."""


class ScriptNetwork(ProgramNetwork):
    """A TorchScript module, `model`; each checkpoint brings its own, since its code may differ too."""

    kind: ClassVar[str] = "torchscript"

    def _put(self, payload: Payload) -> None:
        self.model: torch.jit.ScriptModule = payload.content
        self._saved_in_training = payload.in_training
        self._fuses_without_gradients = any(
            getattr(module, "original_name", "") in FUSING for _, module in modules(self.model)
        )

    def _call(self, inputs: Inputs) -> Any:
        if not self._fuses_without_gradients:
            return call(self.model, inputs)
        frozen = [each for each in self.model.parameters() if not each.requires_grad and each.is_floating_point()]
        try:
            for parameter in frozen:
                parameter.requires_grad_(True)
            return call(self.model, inputs)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(False)

    def arguments(self) -> Arguments:
        """See `Network.arguments`."""
        taken = self.model.forward.schema.arguments[1:]  # type: ignore[attr-defined]  # a ScriptMethod
        required = tuple(each.name for each in taken if not each.has_default_value())
        return Arguments(tuple(each.name for each in taken), required)

    def _buffers(self) -> Mapping[str, Tensor]:
        return named_tensors(self.model)

    def _weight_names(self) -> WeightNames:
        return weight_names(self.model)

    def _in_training(self) -> bool:
        return self._saved_in_training

    def _expected(self) -> Iterator[tuple[str, str]]:
        for name, module in modules(self.model):
            quantised, own = hasattr(module, "_packed_params"), any(True for _ in module.parameters(recurse=False))
            if is_layer_class(module.original_name) and (quantised or own or hasattr(module, "parametrizations")):
                yield name, QUANTISED if quantised else UNUSED


def modules(module: torch.jit.ScriptModule) -> Iterator[tuple[str, Any]]:
    """The modules within a module by their names without wrappers, itself too."""
    prefix = wrapper_prefix(list(named_tensors(module)))
    for name, inner in module.named_modules():
        yield name.removeprefix(prefix), inner


def weight_names(module: torch.jit.ScriptModule) -> WeightNames:
    """The names of a module's weights without wrappers, by which layers are called."""
    tensors = named_tensors(module)
    prefix = wrapper_prefix(list(tensors))
    named = [(name.removeprefix(prefix), tensor) for name, tensor in tensors.items()]
    called = set(_called(module))
    functional = (name.removeprefix(prefix) for name, _ in module.named_modules() if name not in called)
    return WeightNames(named, constants(module), frozenset(functional))


def _called(module: torch.jit.ScriptModule, method: str = "forward", path: str = "") -> Iterator[str]:
    """The dotted names of the modules of which a method calls a method, and so on down."""
    for node in nodes(module._c._get_method(method).graph):
        if node.kind() != "prim::CallMethod":
            continue
        names = attributes(next(iter(node.inputs())))
        if names is None:  # it may be any of them
            yield from (".".join(filter(None, (path, name))) for name, _ in module.named_modules())
            continue
        inner = module
        for name in names:
            inner = getattr(inner, name)
        if isinstance(inner, torch.jit.ScriptModule):
            inner_path = ".".join(filter(None, (path, *names)))
            yield inner_path
            yield from _called(inner, node.s("name"), inner_path)


def attributes(value: Any) -> list[str] | None:
    """The names by which a value is got from the module that the graph belongs to, or None where it is not."""
    names: list[str] = []
    while value.node().kind() == "prim::GetAttr":
        names.insert(0, value.node().s("name"))
        value = next(iter(value.node().inputs()))
    return names if value.node().kind() == "prim::Param" else None
