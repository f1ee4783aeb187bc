"""Whether the labels of samples can be the numbers of a net's outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.data.probe import Probe


def check_fits(probe: Probe, outputs: int) -> tuple[str, ...]:
    """Refuse labels that cannot be the numbers of a net's outputs.

    Args:
        probe: the samples.
        outputs: C, how many scores the net gives.

    Returns:
        What the user should be told.

    Raises:
        SampleError: a label is C or above; class folders, which are numbered by the alphabet, are fewer than C, so that
            a missing one shifts all after it; or `--classes` names more than C.
    """
    if probe.labels is None:
        return ()
    where, net = printable(probe.source), f"the {outputs} outputs of the net"
    top, count = int(probe.labels.max()), len(probe.classes)
    if top >= outputs:
        raise _beyond(probe, top, outputs)
    if probe.alphabetical and count < outputs:
        empty = f" ({printable(', '.join(probe.empty))}: no images in there)" if probe.empty else ""
        folders = "1 class folder" if count == 1 else f"{count} class folders"
        raise SampleError(
            f"{where}: {folders}{empty} for {net}: a class that is missing shifts the labels after it",
            f"Give --classes FILE, a text file that names the net's {outputs} classes in the order of its outputs, "
            "one a line.",
        )
    if count > outputs and not probe.alphabetical:
        raise SampleError(f"{where}: {count} classes for {net}", "Give samples of the classes that the net knows.")
    seen = len(np.unique(probe.labels))
    if seen < min(outputs, len(probe)):
        classes = "1 class" if seen == 1 else f"{seen} classes"
        return (f"the probe has samples of {classes}, for {net}",)
    return ()


def _beyond(probe: Probe, top: int, outputs: int) -> SampleError:
    where, named = printable(probe.source), ""
    if top < len(probe.classes):
        named = f" ({printable(probe.classes[top])})"
    elif top == outputs and probe.labels is not None and probe.labels.min() == 1:
        return SampleError(
            f"{where}: labels from 1 to {top} for the {outputs} outputs of the net: are they numbered from 1?",
            "The net's first output is label 0: if so, subtract 1 from every label.",
        )
    return SampleError(
        f"{where}: label {top}{named} is beyond the {outputs} outputs of the net",
        "Give samples of the classes that the net knows, or their order with --classes.",
    )
