"""The product: what each command does, to be called from Python.

Heavy imports are inside the functions, so that what needs no torch starts without it.
"""

from rfav_cli.api.checking import check, explain
from rfav_cli.api.drawing import plot
from rfav_cli.api.judging import judge, recommend
from rfav_cli.api.measuring import analyze
from rfav_cli.api.monitoring import Monitor
from rfav_cli.api.reporting import report
from rfav_cli.api.stores import compare, examine, open_store, pack, show
from rfav_cli.api.training import train
from rfav_cli.api.watching import watch

__all__ = [
    "Monitor",
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
