"""What flows from a run's files to a verdict: plain records, no behaviour beyond looking at themselves.

Shapes are written with E epochs, L layers, N probe images, M images whose heatmaps are kept, D channels.
"""

from rfav_cli.records.advice import Advice, AdviceStep, Best, Gain
from rfav_cli.records.calibration import Calibration
from rfav_cli.records.checking import (
    Allowance,
    Baseline,
    BaselineLayer,
    Checked,
    CheckedStore,
    CheckReport,
    CheckRule,
    Policy,
    SourceLocation,
)
from rfav_cli.records.comparison import Comparison, Difference, EpochFigures, LayerComparison, LayerSide, RunSide
from rfav_cli.records.description import Description
from rfav_cli.records.doubt import DOUBT_KINDS, Derived, Doubt, DoubtKind
from rfav_cli.records.events import Event, Finding, Judged, Note, Progress, TrainingEvent, WatchEvent
from rfav_cli.records.history import Column, History
from rfav_cli.records.nonlinearity import Nonlinearity
from rfav_cli.records.payload import Candidate, Payload, RunnableProgram
from rfav_cli.records.project import Choice, ProjectSetup, Recognised
from rfav_cli.records.ranks import ALONE, Ranks
from rfav_cli.records.recipe import PENALISED, RULES, LayerRecipe, Recipe, Rule
from rfav_cli.records.run import (
    CENTERINGS,
    CLASSIFIER,
    PARTS,
    BadCheckpoint,
    Centering,
    Checkpoint,
    Layer,
    Measurement,
    ProbeRecord,
    Run,
    Settings,
    SkippedLayer,
)
from rfav_cli.records.scan import (
    FLAGGED_LEVELS,
    SCAN_RULES,
    ScanFinding,
    ScanLevel,
    ScannedFile,
    ScannedMember,
    ScannedTensor,
    ScanReport,
    ScanRule,
    Some,
)
from rfav_cli.records.subject import HeldLayer, LayerList, ListedLayer, Subject
from rfav_cli.records.training import Training, TrainingEpoch, TrainingStep
from rfav_cli.records.verdict import FilterFinding, LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.records.watched import Watched

__all__ = [
    "ALONE",
    "CENTERINGS",
    "CLASSIFIER",
    "DOUBT_KINDS",
    "FLAGGED_LEVELS",
    "PARTS",
    "PENALISED",
    "RULES",
    "SCAN_RULES",
    "Advice",
    "AdviceStep",
    "Allowance",
    "BadCheckpoint",
    "Baseline",
    "BaselineLayer",
    "Best",
    "Calibration",
    "Candidate",
    "Centering",
    "CheckReport",
    "CheckRule",
    "Checked",
    "CheckedStore",
    "Checkpoint",
    "Choice",
    "Column",
    "Comparison",
    "Derived",
    "Description",
    "Difference",
    "Doubt",
    "DoubtKind",
    "EpochFigures",
    "Event",
    "FilterFinding",
    "Finding",
    "Gain",
    "HeldLayer",
    "History",
    "Judged",
    "Layer",
    "LayerComparison",
    "LayerFinding",
    "LayerList",
    "LayerRecipe",
    "LayerSide",
    "ListedLayer",
    "Measurement",
    "Nonlinearity",
    "Note",
    "Onset",
    "Payload",
    "Policy",
    "ProbeRecord",
    "Progress",
    "ProjectSetup",
    "Ranks",
    "Recipe",
    "Recognised",
    "Rule",
    "Run",
    "RunFinding",
    "RunSide",
    "RunnableProgram",
    "ScanFinding",
    "ScanLevel",
    "ScanReport",
    "ScanRule",
    "ScannedFile",
    "ScannedMember",
    "ScannedTensor",
    "Settings",
    "SkippedLayer",
    "Some",
    "SourceLocation",
    "Subject",
    "Training",
    "TrainingEpoch",
    "TrainingEvent",
    "TrainingStep",
    "Verdict",
    "WatchEvent",
    "Watched",
]
