"""What `torch.export.save` wrote, `.pt2`: graphs of operators with the names of a module."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

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
    check_archive(path)
    try:
        program = _load(path)
        if options.device.type != "cpu":
            program = move_to_device_pass(program, options.device)
        # Guards would be written out as Python and executed; shapes are checked without them as well.
        module = program.module(check_guards=False).float()
        content = RunnableProgram(program, module, *_batch_sizes(program))
    except CheckpointError:
        raise
    except Exception as error:  # the loader answers damage with errors of any sort
        raise CheckpointError(
            f"{path}: not an exported program that this torch can load: {what_it_says(error, part='last')}",
            f"Export it again; this is torch {torch.__version__}.",
        ) from error
    return Payload("exported", path, content)


def stored_epoch(_: Path, __: ReadOptions) -> None:
    """None: the format has no place for one."""


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
