"""Training data as the tests load them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.data.sources import SampleOptions
from rfav_cli.training.data import load_data

if TYPE_CHECKING:
    from rfav_cli.training.data import Part


def load(spec: object, validation: object = "0", **options: Any) -> tuple[Part, Part | None, list[str]]:
    told: list[str] = []
    known = {"seed": 0, "workers": 0, "skip_unreadable": False, "report": lambda note: told.append(note.text)}
    sample_options = options.pop("options", SampleOptions())
    return (*load_data(spec, validation, sample_options, **(known | options)), told)
