"""TorchScript nets in training: entropies are taken by an operator of ours, put into a copy of the program.

A program runs no hooks, and what sees its operators from outside sits below autograd. So a copy of its graph gets an
operator after each use of a layer, in loops and branches too, which takes the entropy before anything can write over
the activation. The entropies of a layer's uses go into a list, which the copy returns beside the net's output. The
module itself keeps its own program, and that is what is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.activations.layer_kinds import channel_dim
from rfav_cli.activations.networks.torchscript import attributes, weight_names
from rfav_cli.errors import ModelError, RecipeError
from rfav_cli.graphs import nodes
from rfav_cli.training.operators import KINDS, kind_of, norm_of, weight_of
from rfav_cli.training.passes import Passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rfav_cli.training.readers import Reader

_DROPOUTS = ("dropout", "dropout_", "feature_dropout", "feature_dropout_", "alpha_dropout", "alpha_dropout_")
_MODAL = {"aten::batch_norm": "batch normalisation"} | {f"aten::{name}": "dropout" for name in _DROPOUTS}
"""Operators that do something else while a net trains."""


@dataclass(frozen=True)
class ScriptLayer:
    """A layer of a program, as a target's module.

    Attributes:
        owner: the module that has the weight.
        kind: as its class is called: "Conv2d", "ConvTranspose1d", "Linear", ...
        groups: of a convolution, else 1.
        uses: the operators of the graph that apply it.
    """

    owner: Any
    kind: str
    groups: int
    uses: list[Any] = field(default_factory=list)

    @property
    def weight(self) -> Tensor:
        """The weight as it is in the net."""
        weight: Tensor = self.owner.weight
        return weight

    @property
    def training(self) -> bool:
        """Whether the layer trains."""
        return bool(self.owner.training)


class Program:
    """A copy of a module's graph, with its layers.

    Args:
        module: the net.

    Attributes:
        layers: name, as in a store -> the layer.

    Raises:
        ModelError: there is nothing in it to train.
        RecipeError: which of its layers are used is not known before it runs.
    """

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        check_trainable(module, "the TorchScript module")
        self._module = module
        self._graph: Any = module.inlined_graph.copy()
        if any(node.kind() == "prim::CallMethod" for node in nodes(self._graph)):
            raise RecipeError(
                "the TorchScript module picks some of its modules only as it runs, so its layers cannot be penalised",
                "Train the eager net, with --model for the code that makes it.",
            )
        self.layers = self._find()

    def named_layers(self) -> Iterator[tuple[str, ScriptLayer, str]]:
        """Each layer: its name, itself, its kind."""
        for name, layer in self.layers.items():
            yield name, layer, layer.kind

    def attach(self, readers: Sequence[Reader], *, with_bias: bool, fold_norm: bool) -> Attachment:
        """Have the module's forward give the entropies of layers to readers while the net trains.

        Args:
            readers: their targets are layers of this program.
            with_bias: the bias is part of the activation; of scores it always is.
            fold_norm: the batch normalisation that takes an activation, as it is, is folded in; into scores none is.

        Raises:
            RecipeError: something is attached to the module already.
        """
        if isinstance(self._module.forward, Attachment):
            raise RecipeError("the TorchScript module has a regularizer already", "close() that one first.")
        start, lists = next(iter(self._graph.nodes())), []
        for reader in readers:
            uses = self._graph.create("prim::ListConstruct", [], 1).insertBefore(start).output()
            uses.setType(torch._C.ListType.ofTensors())
            lists.append(uses)
            for use in reader.target.module.uses:
                scores = reader.target.scores
                bias, fold = with_bias or scores, fold_norm and not scores
                self._take_entropy(reader.target.kind, use, uses, with_bias=bias, fold_norm=fold)
        (output,) = self._graph.outputs()
        together = self._graph.create("prim::TupleConstruct", [output, *lists], 1)
        together.output().setType(torch._C.TupleType([value.type() for value in (output, *lists)]))
        self._graph.appendNode(together)
        self._graph.eraseOutput(0)
        self._graph.registerOutput(together.output())
        return Attachment(self._module, torch._C._create_function_from_graph("with_entropies", self._graph), readers)

    def _find(self) -> dict[str, ScriptLayer]:
        names = weight_names(self._module)
        layers: dict[str, ScriptLayer] = {}
        for node in nodes(self._graph):
            path = attributes(weight_of(node)) if node.kind() in KINDS else None
            weight = reduce(getattr, path, self._module) if path else None
            if not path or not isinstance(weight, Tensor):
                continue
            kind = kind_of(node, weight)
            if (name := names.layer(weight, kind)) is not None:
                groups = 1 if kind == "Linear" else node.namedInput("groups").toIValue()
                layer = ScriptLayer(reduce(getattr, path[:-1], self._module), kind, groups)
                layers.setdefault(name, layer).uses.append(node)
        return layers

    def _take_entropy(self, kind: str, use: Any, uses: Any, *, with_bias: bool, fold_norm: bool) -> None:
        """Append the entropy of one use to the list of its layer's uses."""
        self._graph.setInsertPoint(use)
        axes = 2 if kind == "Linear" else int(kind[-2]) + 2
        bias = None if with_bias else use.namedInput("self" if use.kind() == "aten::addmm" else "bias")
        inputs = [use.output(), *map(self._graph.insertConstant, (channel_dim(kind), axes))]
        inputs.append(self._graph.insertConstant(None) if bias is None else bias)
        norm = norm_of(use) if fold_norm else None
        if norm is None:
            entropy = self._graph.create("rfav::entropy", inputs, 1).insertAfter(use)
        else:
            inputs += [norm.namedInput(name) for name in ("weight", "running_var", "training", "eps")]
            entropy = self._graph.create("rfav::folded_entropy", inputs, 1).insertBefore(norm)
        append = self._graph.create("aten::append", [uses, entropy.output()], 1).insertAfter(entropy)
        append.output().setType(torch._C.ListType.ofTensors())


class Attachment:
    """What stands in the place of a module's forward, until it is removed."""

    def __init__(
        self, module: torch.jit.ScriptModule, with_entropies: Callable[..., Any], readers: Sequence[Reader]
    ) -> None:
        self._module, self._with_entropies, self._readers = module, with_entropies, readers
        self.passes = Passes(module, readers)
        self._plain: Any = module.forward
        # Saving and copying a module go by what is below Python, and see nothing of this.
        vars(module)["forward"] = self

    def remove(self) -> None:
        """Give the module its own forward back."""
        vars(self._module)["forward"] = self._plain

    def __getattr__(self, name: str) -> Any:
        """The graph, schema and so on of the module's own forward."""
        return getattr(self._plain, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the net, with the entropies given to the readers of layers that train."""
        reading = [reader.target.module.training for reader in self._readers]
        for reader, trains in zip(self._readers, reading, strict=True):
            reader.slept = reader.slept or (torch.is_grad_enabled() and not trains)
        if not any(reading) or not torch.is_grad_enabled():
            return self._plain(*args, **kwargs)
        self.passes.begin()
        output, *uses = self._with_entropies(self._module._c, *args, *self._named(len(args), kwargs))
        for reader, trains, entropies in zip(self._readers, reading, uses, strict=True):
            for entropy in entropies if trains else ():
                reader.add(entropy)
        self.passes.end(output)
        return output

    def _named(self, positional: int, kwargs: dict[str, Any]) -> list[Any]:
        """Arguments after the first so many, by their names or as they are by default."""
        left = self._plain.schema.arguments[1 + positional :]
        return [kwargs.get(argument.name, argument.default_value) for argument in left]


def check_trainable(module: torch.jit.ScriptModule, name: str) -> None:
    """Refuse a module in which there is nothing to train.

    Raises:
        ModelError: it is frozen, or none of its parameters takes a gradient.
    """
    parameters = list(module.parameters())
    if not parameters:
        raise ModelError(
            f"{name}: has no parameters to train; where a net is frozen, its weights are constants in its code",
            "Save the net with torch.jit.script and without torch.jit.freeze.",
        )
    if not any(parameter.requires_grad for parameter in parameters):
        raise ModelError(
            f"{name}: none of its parameters takes a gradient",
            "Call requires_grad_() on the net before torch.jit.script, and save it again.",
        )


def fixed_modes(module: torch.jit.ScriptModule) -> str:
    """What a program does in evaluation mode even while it trains, as traced ones do, in words; empty for nothing."""
    counts: dict[str, int] = {}
    for node in nodes(module.inlined_graph):
        name = _MODAL.get(node.kind())
        if name and node.namedInput("training" if name == "batch normalisation" else "train").toIValue() is False:
            counts[name] = counts.get(name, 0) + 1
    return " and ".join(f"{count} x {name}" for name, count in counts.items())
