"""What `torch.export.save` wrote, `.pt2`: graphs of operators with the names of a module."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import torch
from torch.export.graph_signature import InputKind
from torch.export.passes import move_to_device_pass

from rfav_cli.checkpoints import archives, export_archives
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.errors import CheckpointError
from rfav_cli.records import Payload, RunnableProgram
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from torch.export import ExportedProgram

    from rfav_cli.checkpoints.formats.base import ReadOptions

_OLD = "serialized_exported_program.json"


def recognises(path: Path) -> bool:
    """Whether a file is an archive of `torch.export.save`, of this layout or of the one up to torch 2.7."""
    names = archives.member_names(path)
    return _OLD in names or any(name.startswith("models/") and name.endswith(".json") for name in names)


def read(path: Path, options: ReadOptions) -> Payload:
    """Read an exported program, everything that loading would evaluate looked through before.

    Raises:
        CheckpointError: the archive is damaged, or holds more than a graph of tensor operators.
    """
    content = archives.read_whole(path)
    check_archive(path, io.BytesIO(content))
    try:
        program = _load(path, content, options.trust_program)
        if options.device.type != "cpu":
            program = move_to_device_pass(program, options.device)
        # Guards would be written out as Python and executed; shapes are checked without them as well.
        module = program.module(check_guards=False).float()
        _guard(module)
        made = RunnableProgram(program, module, *_batch_sizes(program))
    except CheckpointError:
        raise
    except Exception as error:  # the loader answers damage with errors of any sort
        raise CheckpointError(
            f"{path}: not an exported program that this torch can load: {what_it_says(error, part='last')}",
            f"Export it again; this is torch {torch.__version__}.",
        ) from error
    return Payload("exported", path, made, sha256=hashlib.sha256(content).hexdigest())


def stored_epoch(_: Path, __: ReadOptions) -> None:
    """None: the format has no place for one."""


def _load(path: Path, content: bytes, trust: bool) -> ExportedProgram:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        old = any(name.rpartition("/")[2] == _OLD for name in archive.namelist())
    if not old:
        export_archives.check_exported(path, content, trust=trust)
        from torch.export.pt2_archive._package import load_pt2

        # torch.export.load would try the old layout where this fails, on bytes that were not looked through.
        program: ExportedProgram = load_pt2(io.BytesIO(content)).exported_programs["model"]
        return program
    from torch._export.serde.serialize import SerializedArtifact, deserialize

    members = export_archives.read_old_export(path, content, trust=trust)
    parts = (members.get(f"serialized_{part}.pt", b"") for part in ("state_dict", "constants", "example_inputs"))
    return deserialize(SerializedArtifact(members[_OLD], *parts))


def _guard(module: torch.nn.Module) -> None:
    """Put a look at sizes before operators that take them on trust."""
    for inner in module.modules():
        if isinstance(inner, torch.fx.GraphModule):
            for node in inner.graph.nodes:
                if node.target is torch.ops.aten._native_batch_norm_legit_no_training.default:
                    node.target = _batch_norm
            inner.recompile()


def _batch_norm(input: torch.Tensor, *others: Any, **named: Any) -> Any:  # noqa: A002 - as the operator has it
    """Batch norm of (n, C, *positions), whose weights are held against C."""
    for value in (*others, *named.values()):
        if isinstance(value, torch.Tensor) and value.shape != input.shape[1:2]:
            raise ValueError(f"a batch norm of {input.shape[1]} channels with weights for {tuple(value.shape)}")
    return torch.ops.aten._native_batch_norm_legit_no_training.default(input, *others, **named)


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
