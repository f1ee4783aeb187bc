"""Exported programs, the `.pt2` archives of `torch.export.save`: graphs of operators with the names of a module."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch.export.graph_signature import InputKind
from torch.export.passes import move_to_device_pass
from torch.utils import _pytree as pytree

from rfav_cli.activations.kinds import UNUSED
from rfav_cli.activations.network import Activation, Payload, Sink, Survey
from rfav_cli.activations.programs import ProgramNetwork, named_tensors, wrapper_prefix
from rfav_cli.activations.weight_names import WeightNames
from rfav_cli.checkpoints import archives, export_archives
from rfav_cli.errors import CheckpointError
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor
    from torch.export import ExportedProgram

    from rfav_cli.activations.networks import OpenOptions

_OLD = "serialized_exported_program.json"


class Content(NamedTuple):
    """A program, the module that runs it, and the least and the most samples that it takes at a time."""

    program: ExportedProgram
    module: torch.nn.Module
    least: int
    most: int


def recognises(path: Path) -> bool:
    """Whether a file is an archive of `torch.export.save`, of this layout or of the one up to torch 2.7."""
    names = archives.member_names(path)
    return _OLD in names or any(name.startswith("models/") and name.endswith(".json") for name in names)


def read(path: Path, options: OpenOptions) -> Payload:
    """Read an exported program, everything that loading would evaluate looked through before.

    Raises:
        CheckpointError: the archive is damaged, or holds more than a graph of tensor operators.
    """
    try:
        program = _load(path)
        if options.device.type != "cpu":
            program = move_to_device_pass(program, options.device)
        # Guards would be written out as Python and executed; shapes are checked without them as well.
        module = program.module(check_guards=False).float()
        content = Content(program, module, *_batch_sizes(program))
    except CheckpointError:
        raise
    except Exception as error:  # the loader answers damage with errors of any sort
        raise CheckpointError(
            f"{path}: not an exported program that this torch can load: {what_it_says(error, part='last')}",
            f"Export it again; this is torch {torch.__version__}.",
        ) from error
    return Payload("exported", path, content)


def open_network(payload: Payload, options: OpenOptions) -> ExportedNetwork:
    """Make the network that takes this checkpoint and those like it."""
    return ExportedNetwork(payload, options)


def _load(path: Path) -> ExportedProgram:
    if _OLD not in archives.member_names(path):
        export_archives.check_exported(path)
        from torch.export.pt2_archive._package import load_pt2

        # torch.export.load would try the old layout where this fails, on bytes that were not looked through.
        with path.open("rb") as file:
            program: ExportedProgram = load_pt2(file).exported_programs["model"]
        return program
    from torch._export.serde.serialize import SerializedArtifact, deserialize

    members = export_archives.read_old_export(path)
    parts = (members.get(f"serialized_{part}.pt", b"") for part in ("state_dict", "constants", "example_inputs"))
    return deserialize(SerializedArtifact(members[_OLD], *parts))


class ExportedNetwork(ProgramNetwork):
    """An exported program; where it was exported for some batch sizes only, batches are split and padded to fit."""

    kind: ClassVar[str] = "exported"

    def _put(self, payload: Payload) -> None:
        self._content: Content = payload.content

    def _call(self, images: Tensor) -> Any:
        return self._content.module(images)

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

    def _expected(self) -> Iterator[tuple[str, str]]:
        for owner, callers in self._callers().items():
            if not callers:
                yield owner.removeprefix(self._prefix), UNUSED

    def survey(self, images: Tensor) -> Survey:
        """Run a few samples, as many as the program takes, and say which layers there are."""
        return super().survey(_padded(images[: self._content.most], self._content.least))

    def forward(self, images: Tensor, sink: Sink) -> Any:
        """Run a batch, in pieces where the program does not take as many samples; see `Network.forward`."""
        if self._content.least <= len(images) <= self._content.most:
            return super().forward(images, sink)
        if len(images) > self._content.most:
            return self._forward_pieces(images, sink)
        count = len(images)

        def cut(activation: Activation) -> bool:
            return sink(replace(activation, values=activation.values[:count]))

        output = super().forward(_padded(images, self._content.least), cut)
        return pytree.tree_map_only(torch.Tensor, lambda tensor: tensor[:count], output)

    def _forward_pieces(self, images: Tensor, sink: Sink) -> Any:
        """Keep the activations of each piece, since the sink takes a whole batch of a layer at a time."""
        pieces: list[list[Activation]] = []
        outputs = []
        for piece in images.split(self._content.most):
            kept: list[Activation] = []
            pieces.append(kept)

            def keep(activation: Activation, kept: list[Activation] = kept) -> bool:
                kept.append(replace(activation, values=activation.values.clone()))
                return False

            outputs.append(self.forward(piece, keep))
        for uses in zip(*pieces, strict=True):
            if sink(replace(uses[0], values=torch.cat([use.values for use in uses]))):
                return None
        return pytree.tree_map(lambda *parts: torch.cat(parts), outputs[0], *outputs[1:])


def _padded(images: Tensor, count: int) -> Tensor:
    """The images, the last one repeated until there are as many as asked for."""
    missing = count - len(images)
    return images if missing <= 0 else torch.cat([images, images[-1:].expand(missing, *images.shape[1:])])


def _batch_sizes(program: ExportedProgram) -> tuple[int, int]:
    """The least and the most samples that a program takes at a time."""
    specs = program.graph_signature.input_specs
    first = next(spec.arg.name for spec in specs if spec.kind == InputKind.USER_INPUT)
    node = next(node for node in program.graph.nodes if node.name == first)
    size = node.meta["val"].shape[0]
    if isinstance(size, int):
        return size, size
    bounds = program.range_constraints.get(size.node.expr)
    most = bounds.upper if bounds is not None else sys.maxsize
    return int(bounds.lower) if bounds is not None else 1, int(min(most, sys.maxsize))
