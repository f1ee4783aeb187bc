"""What a run looks at, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records.tasks import CROSS_ENTROPY
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Subject


def in_words(subject: Subject) -> str:
    """Samples, classes, normalisation, layers, output and classifier: `looked at 1,000 samples of probe.npz, ...`."""
    return f"looked at {', '.join(_parts(subject))}"


def _parts(subject: Subject) -> Iterator[str]:
    yield f"{count(subject.samples, 'sample')} of {printable(subject.probe)}"
    yield _labels(subject)
    if subject.train_samples:
        yield f"{count(subject.train_samples, 'training sample')} of {printable(subject.train_probe)}"
    figures = (("mean", subject.mean), ("std", subject.std))
    given = [f"{name} {' '.join(f'{value:.4g}' for value in values)}" for name, values in figures if values]
    yield " ".join(given) or ("as their code gives them" if subject.as_is else "not normalised")
    yield count(len(subject.layers), "layer")
    yield _output(subject)
    yield f"classifier {printable(subject.classifier)}" if subject.classifier else "no classifier"


def _labels(subject: Subject) -> str:
    """What the labels are: of how many classes, or of which task; and a loss that is no matter of course."""
    if not subject.classes and not subject.task:
        return "no labels"
    of = count(subject.classes, "class") if subject.classes else ""
    usual = subject.task in ("", "classes") and subject.loss in ("", CROSS_ENTROPY)
    return of if usual else ", ".join(filter(None, (of, f"task {subject.task}", f"loss {printable(subject.loss)}")))


def _output(subject: Subject) -> str:
    """The output that is taken as the scores."""
    if subject.output_shape is None:
        return "no class scores"
    name = f"output {printable(subject.output)}" if subject.output else "output"
    size = "x".join(map(str, subject.output_shape)) or "1"
    unread = "" if subject.reads_output else ", not measured"
    return f"{name} ({size} wide{unread})" if len(subject.output_shape) < 2 else f"{name} ({size}{unread})"
