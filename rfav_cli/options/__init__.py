"""What a user chooses: frozen dataclasses, a group each. Loads nothing heavy."""

from rfav_cli.options.field import Option, Options, group, keyword, option, options_of, required, spelled
from rfav_cli.options.flat import flat, flat_method
from rfav_cli.options.gate import Check
from rfav_cli.options.groups import Activations, Measured, Net, Samples
from rfav_cli.options.hyperparameters import Hyperparameters
from rfav_cli.options.measuring import Analyze, Calibrate, Layers, Monitored, Watch
from rfav_cli.options.panels import FIRST, PANELS
from rfav_cli.options.project import Init
from rfav_cli.options.scanning import Scan
from rfav_cli.options.stores import Compare, Doctor, Judge, Pack, Plot, Recommend, Report, Show
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.options.training import Train

__all__ = [
    "FIRST",
    "PANELS",
    "Activations",
    "Analyze",
    "Calibrate",
    "Check",
    "Compare",
    "Doctor",
    "Hyperparameters",
    "Init",
    "Judge",
    "Layers",
    "Measured",
    "Monitored",
    "Net",
    "Option",
    "Options",
    "Pack",
    "Plot",
    "Recommend",
    "Report",
    "Samples",
    "Scan",
    "Show",
    "Thresholds",
    "Train",
    "Watch",
    "flat",
    "flat_method",
    "group",
    "keyword",
    "option",
    "options_of",
    "required",
    "spelled",
]
