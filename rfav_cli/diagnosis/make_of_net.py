"""Of which make a net is, as far as what a remedy does to it depends on that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rfav_cli.records import History

Make = Literal["plain", "normalised", "not known"]
"""Without a batch normalisation, or with one: what a penalty on activations does is another thing there."""


def make_of_net(history: History) -> Make:
    """Of which make the net of a store is.

    The probe is compared with the first batch normalisation of an eager net, so a store tells whether there is one.
    Of a program (TorchScript, exported), which has no `--model`, it is not told.
    """
    if "probe/norm_shift" in history.columns:
        return "normalised"
    return "plain" if history.run.settings.model else "not known"
