"""Training with targeted penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.commands.starting import find_start
from rfav_cli.options import Train, flat

if TYPE_CHECKING:
    from rfav_cli.records import Training

GO_ON = "Every checkpoint that was written is kept; the same command with --resume goes on."
"""What to do when one of several processes has gone."""


def run(options: Train) -> Training:
    """Train a net, with the penalties of a recipe on the layers that it names, a checkpoint an epoch.

    Returns:
        What became of it; nothing is trained from the store of a run that has nothing to be mended.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.commands.session import Session
    from rfav_cli.distributed import PATIENCE, joined
    from rfav_cli.measure.device import pick_device
    from rfav_cli.training.settings import check

    with joined(options.ranks, options.device, PATIENCE, GO_ON) as group:
        options = check(options)
        start = find_start(options)
        return Session(options, pick_device(options.device, options.ranks), group).train(start)


train = flat(Train, run)
