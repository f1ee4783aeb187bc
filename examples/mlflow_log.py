"""Logs a store to MLflow: the figures of each layer and epoch as metrics, and the report of `rfav check`.

Run it as `python mlflow_log.py rfav.h5`, with MLFLOW_TRACKING_URI set to where runs are kept.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow

import rfav_cli
from rfav_cli.render import Screen
from rfav_cli.render.ci import render_check


def log_store(path: str | Path) -> str:
    """Log a store as a run of MLflow.

    Epoch -1, before training, is step -1; figures that are not finite are left out.

    Returns:
        The id of the run.
    """
    history, report = rfav_cli.open_store(path), rfav_cli.check(path)
    with mlflow.start_run() as run, TemporaryDirectory() as folder:
        for row, epoch in enumerate(int(epoch) for epoch in history.epochs):
            figures = {"loss": history.loss[row], "accuracy": history.accuracy[row]}
            for column, layer in enumerate(history.run.layers):
                if layer.channels > 1:
                    figures[f"entropy/{_name(layer.name)}"] = history.entropy[row, column] / layer.max_entropy
            finite = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
            mlflow.log_metrics(finite, step=epoch)
        mlflow.set_tags({"rfav.state": report.stores[0].state, "rfav.exit_code": report.code})
        for name, file in (("json", "rfav-check.json"), ("markdown", "rfav-check.md")):
            written = Path(folder) / file
            written.write_text(render_check(report, name, Screen()), encoding="utf-8")
            mlflow.log_artifact(str(written))
        return str(run.info.run_id)


def _name(layer: str) -> str:
    """A layer's name with the characters alone that MLflow allows."""
    return re.sub(r"[^\w.\- ]", "_", layer)


if __name__ == "__main__":
    print(log_store(sys.argv[1]))
