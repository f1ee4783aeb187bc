"""The figures of an epoch's predictions as text, in whichever table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALIBRATION = (
    ("calibrated_loss", "calibrated", "{:.3f}"),
    ("temperature", "T", "{:.2f}"),
    ("confidence", "conf", "{:.1%}"),
    ("calibration_error", "error", "{:.1%}"),
)
"""Name in the document, title, and form."""

NOTE = (
    "calibrated: the loss with a temperature, each half of the samples with that of the other; T: of all samples; "
    "conf: mean confidence; error: expected calibration error."
)
"""What the titles of the calibration stand for."""


def epoch_figures(document: dict[str, Any]) -> Iterator[tuple[str, list[str | None]]]:
    """Titles and cells, None where there is no figure; a figure of the calibration only where some epoch has it.

    Args:
        document: of `rfav show --format json`.
    """
    always = [("loss", "loss", "{:.3f}"), *_usual(document["probe"]["figure"])]
    for name, title, form in (*always, *_CALIBRATION):
        values = [epoch[name] for epoch in document["epochs"]]
        if (name, title, form) in always or any(value is not None for value in values):
            yield title, [None if value is None else figure(value, form) for value in values]


def _usual(named: str | None) -> Iterator[tuple[str, str, str]]:
    """The task's usual figure, where it has one: a share, or another number."""
    if named is None:
        return
    yield ("accuracy", named, "{:.1%}") if named.endswith("accuracy") else ("figure", named, "{:.3f}")
