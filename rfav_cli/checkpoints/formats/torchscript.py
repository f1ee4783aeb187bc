"""What `torch.jit.save` wrote: traced, scripted and frozen modules."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import torch

from rfav_cli.checkpoints import archives
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.errors import CheckpointError
from rfav_cli.graphs import constants
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions


def recognises(path: Path) -> bool:
    """Whether a file is a TorchScript archive."""
    names = archives.member_names(path)
    return "constants.pkl" in names and any(name.startswith("code/") for name in names)


def read(path: Path, options: ReadOptions) -> Payload:
    """Read a TorchScript archive, its code looked through before any of it runs.

    Raises:
        CheckpointError: the archive is damaged, or uses operators that nets do not need.
    """
    content = archives.read_whole(path)
    check_archive(path, io.BytesIO(content))
    if not options.trust_program:
        archives.check_torchscript(path, content)
    module = archives.load_torchscript(path, content, options.device, trust=options.trust_program)
    if not hasattr(module, "forward"):
        raise CheckpointError(f"{path}: has no forward", "Save the net itself.")
    weights = [constant for constant in constants(module) if constant.is_floating_point() and constant.dim() > 1]
    if wrong := {weight.dtype for weight in weights} - {torch.float32}:
        raise CheckpointError(f"{path}: its weights are frozen in {wrong.pop()}", "Freeze the net in float32.")
    note = "the archive is frozen: layers that lost their name are named by kind and order"
    in_training = any(getattr(inner, "training", False) for inner in module.modules())  # eval() makes it say otherwise
    return Payload(
        "torchscript",
        path,
        module.eval().float(),
        notes=(note,) if weights else (),
        in_training=in_training,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def stored_epoch(_: Path, __: ReadOptions) -> None:
    """None: the format has no place for one."""
