"""What accelerate and torch.distributed.checkpoint leave: a folder a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tests.acceptance.recognised.folder import EPOCHS, Folder, folder_of_images, trained

if TYPE_CHECKING:
    from pathlib import Path


def accelerate(path: Path) -> Folder:
    """`Accelerator.save_state` with automatic names."""
    from accelerate import Accelerator
    from accelerate.utils import ProjectConfiguration

    folder = folder_of_images(path)
    configuration = ProjectConfiguration(project_dir=str(path / "project"), automatic_checkpoint_naming=True)
    accelerator = Accelerator(cpu=True, project_config=configuration)
    net = folder.user_code("nets.py").Net()
    net, _ = accelerator.prepare(net, torch.optim.Adam(net.parameters(), 0.01))
    for epoch in range(EPOCHS):
        trained(folder, net, epoch)
        accelerator.save_state()
    return folder


def distributed_checkpoint(path: Path) -> Folder:
    """`torch.distributed.checkpoint.save`, a folder a step."""
    from torch.distributed import checkpoint

    folder = folder_of_images(path)
    net = folder.user_code("nets.py").Net()
    for epoch in range(EPOCHS):
        optimizer = trained(folder, net, epoch)
        state = {"model": net.state_dict(), "optimizer": optimizer.state_dict()}
        checkpoint.save(state, checkpoint_id=path / "runs" / f"step_{epoch}", no_dist=True)
    return folder
