"""The tasks of nets; a new one is one new file here and one line in the table of `records.tasks`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rfav_cli.records.tasks import TASKS

if TYPE_CHECKING:
    from rfav_cli.statistics.tasks.base import Task

__all__ = ["TASKS", "task_of"]


def task_of(name: str) -> Task:
    """The task of a name of the table; without one that of classes, as which predictions are told without labels."""
    module = import_module(f"{__name__}.{name if name in TASKS else 'classes'}")
    task: Task = module.TASK
    return task
