"""What a net returns for the probe: which of it is the scores, and which layer they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.activations.class_scores import choose_output, repeats_samples
from rfav_cli.activations.classifier import find_classifier
from rfav_cli.chance import drawn_from
from rfav_cli.data.probe import check_fits
from rfav_cli.errors import ModelError
from rfav_cli.inputs import copied, count, device
from rfav_cli.records import Doubt
from rfav_cli.statistics.base import are_class_scores
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.activations.class_scores import ChosenOutput
    from rfav_cli.activations.network import Network
    from rfav_cli.data.probe import Probe
    from rfav_cli.inputs import Inputs
    from rfav_cli.records import Settings

SAMPLES = 4
"""Samples of the forwards that the scores are compared with each layer in."""

_A_GUESS = 0.5
"""That a guess among outputs that fit equally is wrong."""


@dataclass(frozen=True)
class NetOutput:
    """What is known of a net's output.

    Attributes:
        choice: what `select_output` takes to give the scores.
        path: where they are in what the net returns; empty where that is one tensor.
        shape: of the scores of one sample; None where nothing is taken as scores.
        read: the output is measured.
        classifier: the layer whose output is the scores; empty where there is none.
        notes: what the user should be told.
        doubts: that another output may hold the scores.
    """

    choice: str = ""
    path: str = ""
    shape: tuple[int, ...] | None = None
    read: bool = False
    classifier: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def look_at_output(network: Network, probe: Probe, settings: Settings, inputs: Inputs) -> NetOutput:
    """Run a few samples and find the class scores and the classifier.

    Only labels need the output: without them a net may return anything.

    Args:
        network: opened and traced.
        probe: the samples and their labels.
        settings: which output the user chose, and whether outputs are wanted without labels.
        inputs: (n, ...), the first samples of the probe.

    Raises:
        ModelError: there is no such output; or there are labels, and none or several may be held against them.
        SampleError: the labels do not fit the scores.
    """
    labelled = probe.labels is not None
    with drawn_from(0, device(inputs)):
        output = network.forward(copied(inputs), lambda _: False)
    try:
        chosen = choose_output(output, inputs, count_classes(probe), settings.output)
    except ModelError as error:
        if labelled:
            raise
        return NetOutput(
            settings.output, notes=(f"{error.what}, so no predictions are measured",) if settings.outputs else ()
        )
    tensor = chosen.tensor
    again = not settings.output and repeats_samples(tensor, inputs, count_classes(probe))
    per_sample = tensor.is_floating_point() and tensor.ndim > 0 and len(tensor) == count(inputs)
    scores = per_sample and not again
    rows = scores and are_class_scores(tensor, count(inputs))
    noted = check_fits(probe, tensor.shape[1]) if scores and tensor.ndim == 2 else ()
    return NetOutput(
        choice=chosen.choice,
        path=chosen.path,
        shape=tuple(tensor.shape[1:]) if scores else None,
        read=rows and (labelled or settings.outputs),
        classifier=find_classifier(network, inputs, tensor) if scores else "",
        notes=(*noted, *(_notes(chosen, rows, again) if labelled or settings.outputs else ())),
        doubts=(_doubt(chosen),) if chosen.guessed else (),
    )


def count_classes(probe: Probe) -> int:
    """How many classes the samples have: of how many there are names, or one more than the highest label; 0 without."""
    return 0 if probe.labels is None else max(len(probe.classes), int(probe.labels.max()) + 1)


def _notes(chosen: ChosenOutput, rows: bool, again: bool) -> tuple[str, ...]:
    kind = f"{chosen.tensor.dtype} {tuple(chosen.tensor.shape)}".removeprefix("torch.")
    if again:
        return (f"the net's output, {kind}, has the shape of the samples, so it is not measured as class scores",)
    missing = () if rows else (f"the net's output, {kind}, is no row of class scores, so it is not measured",)
    noted = () if chosen.guessed or not chosen.note else (chosen.note,)
    return (*noted, *missing)


def _doubt(chosen: ChosenOutput) -> Doubt:
    taken = printable(chosen.path)
    return Doubt(
        "output",
        "",
        f"the net returns {chosen.returned}, and nothing tells which holds the class scores; {taken} was taken",
        "Name the output that holds them with --output.",
        _A_GUESS,
    )
