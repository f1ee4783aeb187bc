"""The table of what is recognised: each row of `docs/recognised.md` has what writes such a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.recognised import (
    folders_of_states,
    image_libraries,
    layouts,
    lightning_runs,
    transformers_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.recognised.folder import Folder

LIBRARIES: dict[str, tuple[tuple[str, ...], Callable[..., Folder]]] = {
    "lightning": (("lightning", "torchmetrics"), lightning_runs.lightning),
    "transformers-vit": (("transformers", "accelerate"), transformers_runs.transformers_images),
    "transformers-resnet": (("transformers", "accelerate"), transformers_runs.transformers_resnet),
    "transformers-text": (("transformers", "accelerate"), transformers_runs.transformers_texts),
    "accelerate": (("accelerate",), folders_of_states.accelerate),
    "timm": (("timm",), image_libraries.timm),
    "torchvision": (("torchvision",), image_libraries.torchvision),
    "torch.distributed.checkpoint": ((), folders_of_states.distributed_checkpoint),
}
"""Name of a row -> the libraries that write it, and how."""

LAYOUTS: dict[str, Callable[..., Folder]] = {
    "ultralytics": layouts.ultralytics,
    "fastai": layouts.fastai,
    "deepspeed": layouts.deepspeed,
}
"""Name of a row -> what writes files as that framework does, without it."""
