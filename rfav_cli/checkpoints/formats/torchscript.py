"""What `torch.jit.save` wrote: traced, scripted and frozen modules."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from rfav_cli.checkpoints import archives
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.errors import CheckpointError
from rfav_cli.graphs import constants
from rfav_cli.records import Payload
from rfav_cli.text import what_it_says

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
        CheckpointError: the archive is damaged, or has operators that reach beyond tensors.
    """
    check_archive(path)
    archives.check_torchscript(path)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", FutureWarning)
            module = torch.jit.load(str(path), map_location=options.device)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not a TorchScript archive that this torch can load: {what_it_says(error, part='last')}",
            f"Save it again; this is torch {torch.__version__}.",
        ) from error
    if not hasattr(module, "forward"):
        raise CheckpointError(f"{path}: has no forward", "Save the net itself.")
    archives.check_graphs(path, module)
    weights = [constant for constant in constants(module) if constant.is_floating_point() and constant.dim() > 1]
    if wrong := {weight.dtype for weight in weights} - {torch.float32}:
        raise CheckpointError(f"{path}: its weights are frozen in {wrong.pop()}", "Freeze the net in float32.")
    note = "the archive is frozen: layers that lost their name are named by kind and order"
    in_training = any(getattr(inner, "training", False) for inner in module.modules())  # eval() makes it say otherwise
    notes = (note,) if weights else ()
    return Payload("torchscript", path, module.eval().float(), notes=notes, in_training=in_training)


def stored_epoch(_: Path, __: ReadOptions) -> None:
    """None: the format has no place for one."""
