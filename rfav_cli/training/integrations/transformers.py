"""Hugging Face's Trainer: `Trainer(..., callbacks=[MonitorCallback(rfav_cli.Monitor(model, probe, store))])`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rfav_cli.training.integrations.base import checked, ignore, missing, record

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise missing("transformers") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import Verdict
    from rfav_cli.training.integrations.base import EpochRecorder


class MonitorCallback(TrainerCallback):  # type: ignore[misc]
    """Records the net before training and after each epoch, on the first rank alone.

    Args:
        monitor: a `Monitor` of the model.
        on_verdict: called with what became of the run so far, after each epoch.

    Raises:
        UsageError: that is no monitor.
    """

    def __init__(self, monitor: EpochRecorder, on_verdict: Callable[[Verdict], object] = ignore) -> None:
        self._monitor = checked(monitor)
        self._on_verdict = on_verdict

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - as Trainer calls
        """See Trainer."""
        if state.global_step == 0:
            self._record(state, -1)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - as Trainer calls
        """See Trainer."""
        # Trainer counts epochs that are done, with a fraction where the steps end within one.
        self._record(state, math.ceil(round(state.epoch, 6)) - 1)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - as Trainer calls
        """See Trainer."""
        if state.is_world_process_zero:
            self._monitor.close()

    def _record(self, state: Any, epoch: int) -> None:
        if state.is_world_process_zero:
            record(self._monitor, epoch, self._on_verdict)
