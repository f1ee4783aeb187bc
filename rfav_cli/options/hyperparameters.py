"""The options of how a net is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.options import values
from rfav_cli.options.field import Options, group, option
from rfav_cli.options.panels import TRAINED

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_SEED = 2**64 - 1
"""What torch's generators take."""


@group
class Hyperparameters(Options):
    """How a net is trained; the defaults are the paper's."""

    optimizer: str = option(
        default="sgd",
        help="Optimiser: sgd, adam or adamw.",
        panel=TRAINED,
        choices="rfav_cli.training.learning_rate:RATES",
        metavar="NAME",
    )
    learning_rate: float | None = option(
        default=None,
        help="Learning rate; by default 0.01 for sgd, 0.001 for adam and adamw.",
        panel=TRAINED,
        kind=float,
        unit="per step",
        metavar="X",
    )
    momentum: float = option(
        default=0.0, help="Momentum of sgd; the paper has none.", panel=TRAINED, unit="share", metavar="X"
    )
    weight_decay: float = option(
        default=0.0, help="Weight decay on all parameters.", panel=TRAINED, unit="per step", metavar="X"
    )
    schedule: str = option(
        default="constant",
        help="The learning rate over the epochs: constant, cosine (half of one), or step (a tenth after half of them, "
        "another after three quarters).",
        panel=TRAINED,
        choices="rfav_cli.training.learning_rate:SCHEDULES",
        metavar="NAME",
    )
    epochs: int = option(default=100, help="Epochs to train.", panel=TRAINED, unit="epochs", low=1, metavar="N")
    batch_size: int = option(
        default=64,
        help="Samples a step, of all ranks together.",
        panel=TRAINED,
        unit="samples",
        low=1,
        metavar="N",
    )
    augment: Sequence[str] = option(
        default=(),
        help="Augmentation: flip, crop, or both with a comma; images flipped from left to right, moved by up "
        "to an eighth of a side.",
        panel=TRAINED,
        read=values.words,
        metavar="WORDS",
    )
    amp: bool = option(default=False, help="Run forwards in bfloat16 where that is safe.", panel=TRAINED)
    seed: int = option(
        default=0,
        help="Seed of fresh weights, the split, the order of samples, augmentation and dropout.",
        panel=TRAINED,
        low=0,
        high=LARGEST_SEED,
        metavar="N",
    )
