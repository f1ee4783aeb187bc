"""Finds the layers that overfit, by the entropy of their activations.

The public names are imported on use, so that `import rfav_cli` loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.version import __version__

if TYPE_CHECKING:
    from rfav_cli.commands.analyze import analyze
    from rfav_cli.commands.calibrate import calibrate
    from rfav_cli.commands.check import check, explain
    from rfav_cli.commands.compare import compare
    from rfav_cli.commands.doctor import examine
    from rfav_cli.commands.init import init
    from rfav_cli.commands.judge import judge
    from rfav_cli.commands.layers import layers
    from rfav_cli.commands.monitor import Monitor
    from rfav_cli.commands.open_store import open_store
    from rfav_cli.commands.pack import pack
    from rfav_cli.commands.plot import plot
    from rfav_cli.commands.recommend import recommend
    from rfav_cli.commands.report import report
    from rfav_cli.commands.scan import scan
    from rfav_cli.commands.show import show
    from rfav_cli.commands.train import train
    from rfav_cli.commands.watch import watch
    from rfav_cli.errors import RfavError
    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Verdict
    from rfav_cli.tensorboard.event_files import write as write_event_files
    from rfav_cli.training.penalties import TargetedRegularizer

__all__ = [
    "History",
    "Monitor",
    "RfavError",
    "TargetedRegularizer",
    "Thresholds",
    "Verdict",
    "__version__",
    "analyze",
    "calibrate",
    "check",
    "compare",
    "examine",
    "explain",
    "init",
    "judge",
    "layers",
    "open_store",
    "pack",
    "plot",
    "recommend",
    "report",
    "scan",
    "show",
    "train",
    "watch",
    "write_event_files",
]

_HOMES = {
    "History": "records",
    "Monitor": "commands.monitor",
    "RfavError": "errors",
    "TargetedRegularizer": "training.penalties",
    "Thresholds": "options",
    "Verdict": "records",
    "analyze": "commands.analyze",
    "calibrate": "commands.calibrate",
    "check": "commands.check",
    "compare": "commands.compare",
    "examine": "commands.doctor",
    "explain": "commands.check",
    "init": "commands.init",
    "judge": "commands.judge",
    "layers": "commands.layers",
    "open_store": "commands.open_store",
    "pack": "commands.pack",
    "plot": "commands.plot",
    "recommend": "commands.recommend",
    "report": "commands.report",
    "scan": "commands.scan",
    "show": "commands.show",
    "train": "commands.train",
    "watch": "commands.watch",
    "write_event_files": "tensorboard.event_files:write",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), attribute or name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
