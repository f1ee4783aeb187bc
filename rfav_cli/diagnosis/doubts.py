"""Why a verdict may be unsafe: what was recorded while the run was measured, and what its figures tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.diagnosis.probe_doubts import probe_doubts
from rfav_cli.diagnosis.run_doubts import run_doubts
from rfav_cli.records import Derived
from rfav_cli.records.units import said_in

if TYPE_CHECKING:
    from rfav_cli.records import Doubt, History


def doubts(history: History) -> tuple[Doubt, ...]:
    """All doubts about a run: those recorded, then those that its figures tell."""
    return (*history.doubts, *_derived_doubts(history))


def derive(history: History) -> Derived:
    """What is written into a packed store beside what was measured."""
    columns = {"checkpoint/distance": history.distance} if "checkpoint/sketch" in history.columns else {}
    return Derived(said_in(_derived_doubts(history), history.unit), columns)


def _derived_doubts(history: History) -> tuple[Doubt, ...]:
    return (*probe_doubts(history), *run_doubts(history))
