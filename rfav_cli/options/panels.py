"""The panels that options stand in, named after what they do."""

FIRST = "The net, the samples, the result"
"""What a beginner needs; it comes first in the help of a command."""

TRUSTED = "What files from others may do"
FIGURE, DRAWN, WRITTEN = "What is drawn", "How it is drawn", "What is written"
POLICY, BASELINE = "What is flagged", "Against a baseline"
NET, SAMPLES, MEASURED = "The net", "How samples are read", "What is measured"
PENALTIES, TRAINED = "The penalties", "How it is trained"
WATCH, RUNS, THRESHOLDS = "How it watches", "How it runs", "When something is flagged"

PANELS = (
    *(FIGURE, DRAWN, WRITTEN, POLICY, BASELINE, NET, TRUSTED, SAMPLES, MEASURED, PENALTIES, TRAINED, WATCH, RUNS),
    THRESHOLDS,
)
"""Those that follow it, in their order."""
