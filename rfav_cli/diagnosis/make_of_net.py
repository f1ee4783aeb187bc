"""Of which make a net is, as far as what a remedy does to it depends on that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rfav_cli.records import History

Make = Literal["plain", "normalised", "not known"]
"""Without a batch normalisation, or with one: what a penalty on activations does is another thing there."""


def make_of_net(history: History) -> Make:
    """Of which make the net of a store is.

    A store says of each layer whether a batch normalisation follows. One of an earlier version, which has no scales,
    does not: there the probe was compared with the first normalisation of an eager net; of a program it is not told.
    """
    if history.run.normalised or "probe/norm_shift" in history.columns:
        return "normalised"
    tells = "activation/scale" in history.columns or history.run.settings.model
    return "plain" if tells else "not known"
