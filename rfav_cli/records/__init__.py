"""What flows from a run's files to a verdict: plain records, no behaviour beyond looking at themselves.

Shapes are written with E epochs, L layers, N probe images, M images whose heatmaps are kept, D channels.
"""

from rfav_cli.records.events import Event, Finding, Note, Progress
from rfav_cli.records.history import Column, History
from rfav_cli.records.run import (
    BadCheckpoint,
    Checkpoint,
    Layer,
    Measurement,
    ProbeRecord,
    Run,
    Settings,
    SkippedLayer,
)

__all__ = [
    "BadCheckpoint",
    "Checkpoint",
    "Column",
    "Event",
    "Finding",
    "History",
    "Layer",
    "Measurement",
    "Note",
    "ProbeRecord",
    "Progress",
    "Run",
    "Settings",
    "SkippedLayer",
]
