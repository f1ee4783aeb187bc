"""Exported programs: graphs of operators with the names of a module."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.utils import _pytree as pytree

from rfav_cli.activations.layer_kinds import UNUSED
from rfav_cli.activations.norm_input import NormInput, pooled
from rfav_cli.activations.programs import ProgramNetwork, named_tensors, wrapper_prefix
from rfav_cli.activations.weight_names import WeightNames
from rfav_cli.inputs import Arguments, changed, count, positional, split, taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from rfav_cli.activations.network import Activation, OpenOptions, Sink, Trace
    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Payload, RunnableProgram


def open_network(payload: Payload, options: OpenOptions) -> ExportedNetwork:
    """Make the network that takes this checkpoint and those like it."""
    return ExportedNetwork(payload, options)


class ExportedNetwork(ProgramNetwork):
    """An exported program; where it was exported for some batch sizes only, batches are split and padded to fit."""

    kind: ClassVar[str] = "exported"

    @property
    def most_samples(self) -> int:  # type: ignore[override]  # of a program it is known
        """See `Network`."""
        return self._content.most

    def _put(self, payload: Payload) -> None:
        self._content: RunnableProgram = payload.content

    def _call(self, inputs: Inputs) -> Any:
        if isinstance(inputs, torch.Tensor):
            return self._content.module(inputs)
        by_place, by_name = self._signature()
        args, kwargs = positional(inputs)
        named = iter(args)
        args = [kwargs[name] if name in kwargs else next(named) for name in by_place]
        return self._content.module(*args, **{name: kwargs[name] for name in by_name})

    def arguments(self) -> Arguments:
        """See `Network.arguments`."""
        by_place, by_name = self._signature()
        return Arguments((*by_place, *by_name), (*by_place, *by_name))

    def _signature(self) -> tuple[list[str], list[str]]:
        """The names of the arguments that the program was exported with, by their place and by their name."""
        program = self._content.program
        names = list(program.graph_signature.user_inputs)
        args, kwargs = program.call_spec.in_spec.children()
        return names[: args.num_leaves], list(kwargs.context) if kwargs.num_leaves else []

    def _buffers(self) -> Mapping[str, Tensor]:
        return named_tensors(self._content.module)

    def _weight_names(self) -> WeightNames:
        tensors = named_tensors(self._content.module)
        self._prefix = wrapper_prefix(list(tensors))
        named = [(name.removeprefix(self._prefix), tensor) for name, tensor in tensors.items()]
        functional = (owner for owner, callers in self._callers().items() if callers and owner not in callers)
        return WeightNames(named, (), frozenset(owner.removeprefix(self._prefix) for owner in functional))

    def _callers(self) -> dict[str, set[str]]:
        """Module that has a weight -> the modules in whose forward an operator takes it, as the graph notes them."""
        signature = self._content.program.graph_signature
        owners = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        callers: dict[str, set[str]] = {}
        for node in self._content.program.graph.nodes:
            owner, _, attribute = owners.get(node.name, "").rpartition(".")
            if node.op == "placeholder" and owner and attribute == "weight" and node.meta["val"].dim() > 1:
                stacks = [list(user.meta.get("nn_module_stack", {}).values()) for user in node.users]
                callers[owner] = {stack[-1][0] for stack in stacks if stack}
        return callers

    def _in_training(self) -> bool:
        """Whether a module of torch's drops or normalises as in training; a function does so in evaluation as well."""
        return any(_trains(node) for node in self._content.program.graph.nodes)

    def _expected(self) -> Iterator[tuple[str, str]]:
        for owner, callers in self._callers().items():
            if not callers:
                yield owner.removeprefix(self._prefix), UNUSED

    def trace(self, inputs: Inputs) -> Trace:
        """Run a few samples, as many as the program takes, and say which layers there are."""
        return super().trace(_padded(taken(inputs, slice(self._content.most)), self._content.least))

    def forward(self, inputs: Inputs, sink: Sink, *, unmeasured: bool = False) -> Any:
        """Run a batch, in pieces where the program does not take as many samples; see `Network.forward`."""
        samples = count(inputs)
        if self._content.least <= samples <= self._content.most:
            return super().forward(inputs, sink, unmeasured=unmeasured)
        if samples > self._content.most:
            return self._forward_pieces(inputs, sink)

        def cut(activation: Activation) -> bool:
            return sink(replace(activation, values=activation.values[:samples]))

        output = super().forward(_padded(inputs, self._content.least), cut, unmeasured=unmeasured)
        return pytree.tree_map_only(torch.Tensor, lambda tensor: tensor[:samples], output)

    def norm_input(self, inputs: Inputs) -> NormInput | None:
        """Run a batch, in pieces as `forward` does; only whole ones count, where there are any."""
        pieces = split(inputs, min(self._content.most, count(inputs)))
        whole = [piece for piece in pieces if count(piece) >= self._content.least] or [
            _padded(inputs, self._content.least)
        ]
        found = [each for piece in whole if (each := super(ExportedNetwork, self).norm_input(piece)) is not None]
        return pooled(found) if found else None

    def _forward_pieces(self, inputs: Inputs, sink: Sink) -> Any:
        """Keep the activations of each piece, since the sink takes a whole batch of a layer at a time."""
        pieces: list[list[Activation]] = []
        outputs = []
        for piece in split(inputs, self._content.most):
            uses_of_piece: list[Activation] = []
            pieces.append(uses_of_piece)

            def keep(activation: Activation, copies: list[Activation] = uses_of_piece) -> bool:
                copies.append(replace(activation, values=activation.values.clone()))
                return False

            outputs.append(self.forward(piece, keep))
        for uses in zip(*pieces, strict=True):
            if sink(replace(uses[0], values=torch.cat([use.values for use in uses]))):
                return None
        return pytree.tree_map(lambda *parts: torch.cat(parts), outputs[0], *outputs[1:])


def _trains(node: Any) -> bool:
    """Whether a node of a graph is what a dropout or a batch normalisation of torch's own does in training."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    owner, operator = str(stack[-1][1]) if stack else "", str(node.target)
    if owner.startswith("torch.nn.modules.dropout."):
        return "native_dropout" in operator or node.args[2:3] == (True,)
    if owner.startswith("torch.nn.modules.batchnorm.") and "batch_norm" in operator:
        running, training = node.args[3], node.args[5] if len(node.args) > 5 else None
        return running is not None and (training is True or "_functional" in operator)
    return False


def _padded(inputs: Inputs, least: int) -> Inputs:
    """The samples, the last one repeated until there are as many as asked for."""
    missing = least - count(inputs)
    if missing <= 0:
        return inputs
    return changed(inputs, lambda each: torch.cat([each, each[-1:].expand(missing, *each.shape[1:])]))
