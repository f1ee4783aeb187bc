"""What is shown, and how: records to text, figures and pages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rfav_cli.errors import RfavError
from rfav_cli.render.screen import Screen
from rfav_cli.render.text import FORMATS, render

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rfav_cli.records import Calibration, Comparison, Finding, LayerList, Recipe, ScanReport

__all__ = [
    "CALIBRATION_FORMATS",
    "COMPARISON_FORMATS",
    "FINDING_FORMATS",
    "FORMATS",
    "LAYER_LIST_FORMATS",
    "RECIPE_FORMATS",
    "SCAN_FORMATS",
    "Screen",
    "render",
    "render_calibration",
    "render_comparison",
    "render_findings",
    "render_layers",
    "render_recipe",
    "render_scan",
]

FINDING_FORMATS = ("table", "json")
"""The formats of `rfav doctor`: doctor.py has `as_NAME(findings, screen) -> str` for each."""

RECIPE_FORMATS = ("table", "json")
"""The formats of `rfav recommend`, likewise: recipe.py."""

COMPARISON_FORMATS = ("table", "json")
"""The formats of `rfav compare`, likewise: comparison.py."""

LAYER_LIST_FORMATS = ("table", "json")
"""The formats of `rfav layers`, likewise: layers.py."""

CALIBRATION_FORMATS = ("number", "json")
"""The formats of `rfav calibrate`, likewise: calibration.py."""

SCAN_FORMATS = ("text", "json", "sarif")
"""The formats of `rfav scan`, likewise: scan.py."""


def render_findings(findings: Sequence[Finding], output_format: str = "table", *, screen: Screen | None = None) -> str:
    """What `rfav doctor` prints.

    Args:
        findings: what it found.
        output_format: a name in `FINDING_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("doctor", findings, output_format, FINDING_FORMATS, screen)


def render_recipe(recipe: Recipe, output_format: str = "table", *, screen: Screen | None = None) -> str:
    """What `rfav recommend` prints.

    Args:
        recipe: what it recommends.
        output_format: a name in `RECIPE_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("recipe", recipe, output_format, RECIPE_FORMATS, screen)


def render_comparison(comparison: Comparison, output_format: str = "table", *, screen: Screen | None = None) -> str:
    """What `rfav compare` prints.

    Args:
        comparison: of two runs.
        output_format: a name in `COMPARISON_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("comparison", comparison, output_format, COMPARISON_FORMATS, screen)


def render_layers(listed: LayerList, output_format: str = "table", *, screen: Screen | None = None) -> str:
    """What `rfav layers` prints.

    Args:
        listed: the layers of a net.
        output_format: a name in `LAYER_LIST_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("layers", listed, output_format, LAYER_LIST_FORMATS, screen)


def render_calibration(found: Calibration, output_format: str = "number", *, screen: Screen | None = None) -> str:
    """What `rfav calibrate` prints.

    Args:
        found: the temperature of a checkpoint, and what it is worth.
        output_format: a name in `CALIBRATION_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("calibration", found, output_format, CALIBRATION_FORMATS, screen)


def render_scan(report: ScanReport, output_format: str = "text", *, screen: Screen | None = None) -> str:
    """What `rfav scan` prints.

    Args:
        report: what files are and hold.
        output_format: a name in `SCAN_FORMATS`.
        screen: as for `render`.

    Raises:
        RfavError: there is no such format.
    """
    return _rendered("scan", report, output_format, SCAN_FORMATS, screen)


def _rendered(stem: str, record: object, output_format: str, formats: Collection[str], screen: Screen | None) -> str:
    """A record by the file of its kind, which has `as_NAME(record, screen) -> str` for each of its formats."""
    _check(output_format, formats)
    module = import_module(f"{__name__}.{stem}")
    text: str = getattr(module, f"as_{output_format}")(record, screen or Screen())
    return text


def _check(name: str, formats: Collection[str]) -> None:
    if name not in formats:
        raise RfavError(f"--format: there is no {name!r:.60}", f"Give one of: {', '.join(formats)}.")
