"""What `rfav calibrate` found: a number, a document, and in words how it is used."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, TYPE_CHECKING

from rfav_cli.files.outputs import json_document
from rfav_cli.render.base import SCHEMA, count, finite_or_none
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Calibration
    from rfav_cli.render.base import Screen

LONGEST = 1000
"""Characters of a text."""

FIGURES = (
    "temperature",
    "loss",
    "calibrated_loss",
    "calibration_error",
    "calibrated_error",
    "accuracy",
    "confidence",
)

LAST = {"binary": "the sigmoid", "multilabel": "the sigmoid"}
"""Task -> what makes probabilities of its scores, where that is not softmax."""

CODE = """\
    class Calibrated(torch.nn.Module):
        def __init__(self, net: torch.nn.Module):
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x) / {temperature}

    net = Calibrated(net)  # a net in Python
    torch.jit.script(Calibrated(torch.jit.load("net.ts"))).save("calibrated.ts")  # TorchScript
"""
"""How a temperature is applied, whichever kind of net it is."""


def as_number(found: Calibration, _: Screen) -> str:
    """What the scores are to be divided by, and nothing else: 1 where a temperature is of no help."""
    return f"{found.temperature if found.helps else 1:.6g}\n"


def as_json(found: Calibration, _: Screen) -> str:
    """One JSON document, in ASCII whatever the screen; None for what was not measured."""
    document = {
        "schema": SCHEMA,
        "path": found.path,
        "epoch": found.epoch,
        "checkpoint": found.checkpoint,
        "samples": found.samples,
        "output": found.output,
        "task": found.task,
        "figure": found.figure,
        **{name: finite_or_none(getattr(found, name)) for name in FIGURES},
        "helps": found.helps,
        "notes": list(found.notes),
        "doubts": [asdict(doubt) for doubt in found.doubts],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def is_ours(file: IO[bytes]) -> bool:
    """Whether a file is a document of `as_json`."""
    document = json_document(file)
    return isinstance(document, dict) and {"schema", "temperature", "calibrated_loss", "helps"} <= {*document}


def in_words(found: Calibration) -> str:
    """What the temperature is worth, and how it is applied where it is worth something."""
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: Calibration) -> Iterator[str]:
    where = printable(found.path, LONGEST) + ("" if found.epoch is None else f", epoch {found.epoch}")
    figures = f"{found.figure} {found.accuracy:.1%}, confidence {found.confidence:.1%}"
    yield f"{where}: {count(found.samples, 'sample')}, {figures}"
    yield (
        f"held-out loss {found.loss:.3f}, divided by {found.temperature:.4g} {found.calibrated_loss:.3f}; calibration "
        f"error {found.calibration_error:.1%}, divided {found.calibrated_error:.1%} (each half of the samples with "
        "the temperature of the other half)"
    )
    for note in found.notes:
        yield printable(f"note: {note}", LONGEST)
    for doubt in found.doubts:
        yield printable(f"In doubt: {doubt.sentence}", LONGEST)
    yield from _use(found)


def _use(found: Calibration) -> Iterator[str]:
    if not found.helps:
        yield "No temperature lowers the held-out loss for sure: leave the scores as they are, which is to divide by 1."
        return
    sure = "surer of its predictions than it is right" if found.temperature > 1 else "less sure than it could be"
    of = f" (output {printable(found.output, LONGEST)})" if found.output else ""
    last = LAST.get(found.task, "softmax")
    yield f"The net is {sure}. Divide its scores{of} by {found.temperature:.4g} before {last}; no prediction changes:"
    yield ""
    yield CODE.format(temperature=f"{found.temperature:.6g}")
    if found.task in LAST:
        yield "Of a net that returns probabilities p it is log(p / (1 - p)) that is divided, and its sigmoid is taken."
    else:
        yield "Of a net that returns probabilities it is the logarithm that is divided, and softmax is taken again."
