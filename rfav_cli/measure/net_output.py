"""What a net returns for the probe: which of it is the scores, and which layer they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.activations.class_scores import choose_output, described, repeats_samples, tensors
from rfav_cli.activations.classifier import find_classifier
from rfav_cli.chance import drawn_from
from rfav_cli.data.class_labels import check_fits
from rfav_cli.data.sources.base import are_class_numbers
from rfav_cli.errors import ModelError, SampleError
from rfav_cli.inputs import copied, count, device
from rfav_cli.measure.sigmoid import Ending, look_for_sigmoid
from rfav_cli.measure.tasks import tell_task
from rfav_cli.records import Doubt
from rfav_cli.records.tasks import AUTO
from rfav_cli.statistics.tasks import task_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from rfav_cli.activations.class_scores import ChosenOutput
    from rfav_cli.activations.network import Network
    from rfav_cli.data.probe import Probe
    from rfav_cli.inputs import Inputs
    from rfav_cli.measure.own_loss import OwnLoss
    from rfav_cli.measure.tasks import ToldTask
    from rfav_cli.records import Settings

SAMPLES = 4
"""Samples of the forwards that the scores are compared with each layer in."""

BOXES = frozenset({"boxes", "pred_boxes", "bbox", "bboxes", "bbox_pred"})
"""Names of outputs of nets that detect objects."""

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
        task: with labels, what the net is asked for, and the labels in the form that it takes; None where no loss is.
        probabilities: the output is that of a sigmoid, where the task looks at it as one.
    """

    choice: str = ""
    path: str = ""
    shape: tuple[int, ...] | None = None
    read: bool = False
    classifier: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    task: ToldTask | None = None
    probabilities: bool = False


def look_at_output(
    network: Network, probe: Probe, settings: Settings, inputs: Inputs, loss: OwnLoss | None = None
) -> NetOutput:
    """Run a few samples and find the scores, the task and the classifier.

    Only labels need the output: without them a net may return anything.

    Args:
        network: opened and traced.
        probe: the samples and their labels.
        settings: which output and task the user chose, and whether outputs are wanted without labels.
        inputs: (n, ...), the first samples of the probe.
        loss: the user's own.

    Raises:
        ModelError: there is no such output; or there are labels, and none or several may be held against them; or the
            user's own loss does not take it.
        SampleError: the labels do not fit the scores.
    """
    labelled = probe.labels is not None
    with drawn_from(0, device(inputs)):
        output = network.forward(copied(inputs), lambda _: False)
    try:
        _refuse_boxes(output, labelled=labelled and loss is None)
        chosen = choose_output(output, inputs, count_classes(probe), settings.output)
    except ModelError as error:
        if labelled:
            raise
        return NetOutput(
            settings.output, notes=(f"{error.what}, so no predictions are measured",) if settings.outputs else ()
        )
    return _of_tensor(network, probe, settings, inputs, loss, chosen)


def _of_tensor(
    network: Network, probe: Probe, settings: Settings, inputs: Inputs, loss: OwnLoss | None, chosen: ChosenOutput
) -> NetOutput:
    """What is known of the output that was chosen."""
    tensor, shape, labelled = chosen.tensor, tuple(chosen.tensor.shape[1:]), probe.labels is not None
    again = not settings.output and _repeats(tensor, inputs, probe, settings.task)
    scores = tensor.is_floating_point() and tensor.ndim > 0 and len(tensor) == count(inputs) and not again
    task = _task(tensor, probe, settings, loss) if scores else None
    known = task.name if task else settings.task
    rows = scores and (task is not None or (not labelled and _gives_predictions(tensor, known)))
    told = probe if task is None else replace(probe, labels=task.labels)  # rows of one 1 each as the classes they are
    noted = _check_classes(told, shape, known, asked=bool(settings.task)) if scores else ()
    classifier = find_classifier(network, inputs, tensor) if scores else ""
    one_score = rows and task_of(known).has_one_score(shape, tuple(task.labels.shape[1:]) if task else ())
    ending = look_for_sigmoid(network, inputs, tensor, classifier) if one_score else Ending()
    of_choice = _notes(chosen, rows, again) if labelled or settings.outputs else ()
    return NetOutput(
        choice=chosen.choice,
        path=chosen.path,
        shape=shape if scores else None,
        read=rows and (labelled or settings.outputs),
        classifier=classifier,
        notes=(*(task.notes if task else ()), *noted, *of_choice, *ending.notes),
        doubts=(*((_doubt(chosen),) if chosen.guessed else ()), *ending.doubts, *_embeds(tensor, rows, known, loss)),
        task=task,
        probabilities=ending.sigmoid,
    )


def _task(tensor: Tensor, probe: Probe, settings: Settings, loss: OwnLoss | None) -> ToldTask | None:
    """The task of the net, with labels; the user's own loss is tried on a few samples."""
    if probe.labels is None:
        return None
    shape, asked = tuple(tensor.shape[1:]), settings.task or AUTO
    task = tell_task(probe.labels, shape, asked, probe.source, own=loss is not None)
    if task is not None and loss is not None:
        loss(tensor, probe.labels[: len(tensor)])
    return task


def count_classes(probe: Probe) -> int:
    """How many classes the samples have: of how many there are names, or one more than the highest label; 0 without.

    Of labels that are a row a sample it is how long that is, of one number each 1; of those of positions it is 0.
    """
    labels = probe.labels
    if labels is None or labels.ndim > 2:
        return 0
    if labels.ndim == 2:
        return int(labels.shape[1])
    return max(len(probe.classes), int(labels.max()) + 1) if are_class_numbers(labels) else 1


def _check_classes(probe: Probe, shape: tuple[int, ...], task: str, *, asked: bool) -> tuple[str, ...]:
    """Refuse classes that cannot be those of the net; gives what the user should be told."""
    if task == "binary":
        return check_fits(probe, 2)
    if task == "regression" and probe.classes and not asked:
        raise SampleError(
            f"{printable(probe.source)}: {len(probe.classes)} classes, for a net that gives one number",
            "Give samples of two classes; or --task regression, where the numbers of the classes are what it tells.",
        )
    return check_fits(probe, shape[0]) if len(shape) == 1 and task in ("", "classes") else ()


def _repeats(tensor: Tensor, inputs: Inputs, probe: Probe, task: str) -> bool:
    """Whether an output is the samples again; not where labels or the user say that it is something else."""
    labels = probe.labels
    if task not in ("", AUTO, "classes") or (labels is not None and not are_class_numbers(labels)):
        return False
    return repeats_samples(tensor, inputs, count_classes(probe))


def _gives_predictions(tensor: Tensor, task: str) -> bool:
    """Whether an output without labels is one of a task whose predictions say something."""
    return task_of(task).choices(tensor, len(tensor), None) is not None


def _refuse_boxes(output: Any, *, labelled: bool) -> None:
    """Refuse to hold labels against what a net says that detects objects."""
    names = {part.lower() for path, _ in tensors(output) for part in path.split(".")}
    if labelled and names & BOXES:
        raise ModelError(
            f"the net returns {described(output)}: it finds objects, and rfav has no loss a sample for boxes",
            "Give samples without labels, of which the layers are measured, or a loss of your own with --loss.",
        )


def _notes(chosen: ChosenOutput, rows: bool, again: bool) -> tuple[str, ...]:
    kind = f"{chosen.tensor.dtype} {tuple(chosen.tensor.shape)}".removeprefix("torch.")
    if again:
        return (f"the net's output, {kind}, has the shape of the samples, so it is not measured as class scores",)
    missing = () if rows else (f"the net's output, {kind}, is no row of class scores, so it is not measured",)
    noted = () if chosen.guessed or not chosen.note else (chosen.note,)
    return (*noted, *missing)


def _embeds(tensor: Tensor, rows: bool, task: str, loss: OwnLoss | None) -> tuple[Doubt, ...]:
    """The doubt about rows that all have length 1, as an embedding has; probabilities, which add up to 1, have none."""
    if not rows or loss is not None or task not in ("", "classes") or tensor.ndim != 2:
        return ()
    values = tensor.detach().double()
    probabilities = bool((values >= 0).all()) and torch.allclose(values.sum(1), values.new_ones(len(values)), atol=1e-3)
    if probabilities or not torch.allclose(values.norm(dim=1), values.new_ones(len(values)), atol=1e-4):
        return ()
    what = (
        f"each row of the net's output, {tensor.shape[1]} wide, has the length 1: that is an embedding, no class scores"
    )
    return (
        Doubt("output", "", what, "Name the scores with --output, or give a loss of your own with --loss.", _A_GUESS),
    )


def _doubt(chosen: ChosenOutput) -> Doubt:
    taken = printable(chosen.path)
    return Doubt(
        "output",
        "",
        f"the net returns {chosen.returned}, and nothing tells which holds the class scores; {taken} was taken",
        "Name the output that holds them with --output.",
        _A_GUESS,
    )
