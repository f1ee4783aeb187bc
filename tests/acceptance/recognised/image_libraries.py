"""What the training scripts of timm and of torchvision leave."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import torch

from tests.acceptance.recognised.folder import CLASSES, EPOCHS, Folder, folder_of_images, trained

if TYPE_CHECKING:
    from pathlib import Path


def timm(path: Path) -> Folder:
    """timm's `CheckpointSaver` with the arguments of `train.py` and averaged weights."""
    import timm as library
    from timm.utils import CheckpointSaver, ModelEmaV3

    folder = folder_of_images(path, side=32)
    net = library.create_model("test_resnet", num_classes=CLASSES)
    average = ModelEmaV3(net, decay=0.5)
    arguments = argparse.Namespace(model="test_resnet", num_classes=CLASSES, mean=None, opt_betas=[0.9, 0.99])
    (path / "output").mkdir()
    saver = CheckpointSaver(
        net,
        torch.optim.Adam(net.parameters()),
        args=arguments,
        model_ema=average,
        checkpoint_dir=path / "output",
        recovery_dir=path,
    )
    for epoch in range(EPOCHS):
        saver.optimizer = trained(folder, net, epoch)
        average.update(net)
        saver.save_checkpoint(epoch, metric=50.0 - epoch)
    return folder


def torchvision(path: Path) -> Folder:
    """The dictionary that `references/classification/train.py` of torchvision saves, as epochs and as the newest."""
    import torchvision as library

    folder = folder_of_images(path, side=32)
    net = library.models.shufflenet_v2_x0_5(num_classes=CLASSES)
    arguments = argparse.Namespace(model="shufflenet_v2_x0_5", data_path="imagenet", lr=0.1, output_dir="runs")
    (path / "runs").mkdir()
    for epoch in range(EPOCHS):
        optimizer = trained(folder, net, epoch)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 30)
        checkpoint = {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "lr_scheduler": schedule.state_dict(),
            "epoch": epoch,
            "args": arguments,
        }
        for name in (f"model_{epoch}.pth", "checkpoint.pth"):
            torch.save(checkpoint, path / "runs" / name)
    return folder
