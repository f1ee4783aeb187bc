"""What Lightning's `Trainer` leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tests.acceptance.recognised.folder import CLASSES, EPOCHS, Folder, folder_of_images

if TYPE_CHECKING:
    from pathlib import Path


def lightning(path: Path) -> Folder:
    """A Trainer with `ModelCheckpoint(save_top_k=-1, save_last=True)`, its folder the default one."""
    import lightning as library
    from lightning.pytorch.callbacks import ModelCheckpoint

    folder = folder_of_images(path)
    model = folder.user_code("lit.py").LitModel(width=5, classes=CLASSES, act="tanh")

    class Remember(library.Callback):
        def on_train_epoch_end(self, _: Any, module: Any) -> None:
            folder.remember(module)

    samples = torch.utils.data.TensorDataset(folder.inputs, folder.labels)
    library.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=path,
        callbacks=[ModelCheckpoint(save_top_k=-1, save_last=True), Remember()],
    ).fit(model, torch.utils.data.DataLoader(samples, batch_size=8))
    return folder
