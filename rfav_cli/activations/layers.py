"""Which of the layers that a trace shows are measured."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from rfav_cli.errors import ModelError
from rfav_cli.records import CLASSIFIER, Layer, SkippedLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.activations.network import Trace


def select_layers(
    trace: Trace, classifier: str = "", layers: Sequence[str] = (), skip: Sequence[str] = ()
) -> tuple[tuple[Layer, ...], tuple[SkippedLayer, ...]]:
    """Choose the layers to measure: all but the classifier.

    The classifier's entropy falls in all trainings, overfitting or not (section 4.1).

    Args:
        trace: what the net has.
        classifier: the layer whose output is the scores; empty where there is none, and the net is measured whole.
        layers: globs of names; where given, only these are measured, the classifier too if one of them matches it.
        skip: globs of names that are not measured.

    Returns:
        The layers in forward order, and those skipped, with the reason for each.

    Raises:
        ModelError: a glob matches no layer, or no layer is left.
    """
    names = [layer.name for layer in trace.layers]
    for option, globs in (("--layers", layers), ("--skip", skip)):
        for glob in globs:
            if not any(fnmatchcase(name, glob) for name in names):
                raise ModelError(
                    f"{option} {glob!r} matches no layer", f"The layers are: {', '.join(names) or 'none'}."
                )
    chosen: list[Layer] = []
    skipped = list(trace.skipped)
    for layer in trace.layers:
        reason = _reason_to_skip(layer.name, classifier, layers, skip)
        if reason:
            skipped.append(SkippedLayer(layer.name, reason))
        else:
            chosen.append(layer)
    if not chosen:
        reasons = (
            "; ".join(f"{entry.name}: {entry.reason}" for entry in skipped)
            or "the net has no convolution or linear layer"
        )
        raise ModelError(f"no layer is left to measure ({reasons})", _remedy(trace))
    return tuple(chosen), tuple(skipped)


def _remedy(trace: Trace) -> str:
    """What helps where no layer is left: other globs, if there is a layer that they can name."""
    if trace.layers:
        return "Name layers with --layers, the classifier too if it is one."
    return "Give a net whose convolutions and linear layers are called as modules, with all samples of the batch."


def _reason_to_skip(name: str, classifier: str, layers: Sequence[str], skip: Sequence[str]) -> str:
    glob = next((glob for glob in skip if fnmatchcase(name, glob)), None)
    if glob is not None:
        return f"--skip {glob}"
    if layers:
        return "" if any(fnmatchcase(name, glob) for glob in layers) else "not named by --layers"
    return CLASSIFIER if name == classifier else ""
