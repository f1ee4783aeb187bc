"""Finds the layers that overfit, by the entropy of their activations.

The public names are those of `rfav_cli.api`; they are imported on use, so that `import rfav_cli` loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfav_cli.api import (
        Monitor,
        analyze,
        check,
        compare,
        examine,
        explain,
        judge,
        open_store,
        pack,
        plot,
        recommend,
        report,
        show,
        train,
        watch,
    )
    from rfav_cli.errors import RfavError
    from rfav_cli.records import History, Verdict
    from rfav_cli.thresholds import Thresholds
    from rfav_cli.training.penalties import TargetedRegularizer

__version__ = "0.1.0"
__all__ = [
    "History",
    "Monitor",
    "RfavError",
    "TargetedRegularizer",
    "Thresholds",
    "Verdict",
    "__version__",
    "analyze",
    "check",
    "compare",
    "examine",
    "explain",
    "judge",
    "open_store",
    "pack",
    "plot",
    "recommend",
    "report",
    "show",
    "train",
    "watch",
]

_HOMES = {
    "History": "records",
    "RfavError": "errors",
    "TargetedRegularizer": "training.penalties",
    "Thresholds": "thresholds",
    "Verdict": "records",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
