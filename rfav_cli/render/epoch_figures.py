"""The figures of an epoch's predictions as text, in whichever table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ALWAYS = (("loss", "loss", "{:.3f}"), ("accuracy", "accuracy", "{:.1%}"))
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


def epoch_figures(epochs: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[str | None]]]:
    """Titles and cells, None where there is no figure; a figure of the calibration only where some epoch has it.

    Args:
        epochs: those of the document of `rfav show --format json`.
    """
    for name, title, form in (*_ALWAYS, *_CALIBRATION):
        values = [epoch[name] for epoch in epochs]
        if (name, title, form) in _ALWAYS or any(value is not None for value in values):
            yield title, [None if value is None else figure(value, form) for value in values]
