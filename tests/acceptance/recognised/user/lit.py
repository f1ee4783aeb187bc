"""The LightningModule of a user: it needs arguments, and has a loss with weights and a metric beside its net."""

from __future__ import annotations

from typing import Any

import lightning
import torch
import torchmetrics
from torch import nn


class LitModel(lightning.LightningModule):
    """A net for (N, 3, 8, 8) whose width only the checkpoint knows."""

    def __init__(self, width: int, classes: int, act: str = "relu", lr: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.act = {"relu": torch.relu, "tanh": torch.tanh}[act]
        self.conv = nn.Conv2d(3, width, 3)
        self.net = nn.ModuleDict({"hidden": nn.Linear(width * 36, 12), "head": nn.Linear(12, classes)})
        self.criterion = nn.CrossEntropyLoss(weight=torch.linspace(1, 2, classes))
        self.accuracy = torchmetrics.Accuracy("multiclass", num_classes=classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = self.net["hidden"](self.act(self.conv(images)).flatten(1))
        scores: torch.Tensor = self.net["head"](self.act(hidden))
        return scores

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        images, labels = batch
        scores = self(images)
        self.accuracy(scores, labels)
        loss: torch.Tensor = self.criterion(scores, labels)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])
