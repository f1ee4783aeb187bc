"""What a net is asked for: the tasks, with the names of their losses and figures."""

from __future__ import annotations

from dataclasses import dataclass

CROSS_ENTROPY = "cross-entropy"
"""The loss of classes, and that of stores that are older than other losses."""


@dataclass(frozen=True)
class Task:
    """A task, in words.

    Attributes:
        loss: the name of its loss.
        figure: the name of its usual figure; empty where there is none.
        asks: what its labels are, as a part of a sentence.
        in_nats: the loss is a cross-entropy, in nats.
        is_share: the figure is the share of what is predicted right, so that it stands as the accuracy.
        one_class: the prediction is one class a sample.
    """

    loss: str
    figure: str
    asks: str
    in_nats: bool = True
    is_share: bool = True
    one_class: bool = False


TASKS = {
    "classes": Task(CROSS_ENTROPY, "accuracy", "whole numbers from 0 on, the class of each sample", one_class=True),
    "binary": Task(CROSS_ENTROPY, "accuracy", "0 or 1, one a sample", one_class=True),
    "multilabel": Task("cross-entropy a tag", "tag accuracy", "0 or 1 for each tag of each sample"),
    "regression": Task("mean squared error", "R squared", "the values themselves", in_nats=False, is_share=False),
    "pixels": Task("cross-entropy a pixel", "pixel accuracy", "the class of each pixel, or of each step of a sequence"),
    "other": Task("", "", "whatever --loss takes", in_nats=False, is_share=False),
}
"""Name -> task; the file of that name in `statistics/tasks` computes it. The last is for losses of the user's own."""

AUTO = "auto"
CHOICES = (AUTO, *TASKS)
"""What `--task` can be."""


def loss_in_words(task: str, loss: str) -> str:
    """What a held-out loss is called in text and on axes.

    Args:
        task: its name; empty without labels.
        loss: the loss's name, as settings have it.

    >>> loss_in_words("classes", "cross-entropy"), loss_in_words("regression", "mean squared error")
    ('held-out loss', 'held-out mean squared error')
    >>> loss_in_words("classes", "mine:focal")
    'held-out loss mine:focal'
    """
    if task not in TASKS or loss != TASKS[task].loss:
        return "held-out loss" if not task or loss == CROSS_ENTROPY else f"held-out loss {loss}"
    return "held-out loss" if TASKS[task].one_class else f"held-out {loss}"
