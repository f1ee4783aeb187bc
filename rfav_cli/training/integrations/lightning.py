"""Lightning: `Trainer(callbacks=[MonitorCallback(rfav_cli.Monitor(module, probe, store))])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.training.integrations.base import checked, ignore, missing, record

try:
    from lightning.pytorch import Callback
except ImportError as error:
    raise missing("lightning") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import Verdict
    from rfav_cli.training.integrations.base import EpochRecorder


class MonitorCallback(Callback):  # type: ignore[misc]
    """Records the net before training and after each epoch, on the first rank alone.

    Args:
        monitor: a `Monitor` of the module, or of a net in it.
        on_verdict: called with what became of the run so far, after each epoch.

    Raises:
        UsageError: that is no monitor.
    """

    def __init__(self, monitor: EpochRecorder, on_verdict: Callable[[Verdict], object] = ignore) -> None:
        self._monitor = checked(monitor)
        self._on_verdict = on_verdict

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - Lightning's signature
        """See Lightning."""
        if trainer.global_step == 0:
            self._record(trainer, -1)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - Lightning's signature
        """See Lightning."""
        self._record(trainer, trainer.current_epoch)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - Lightning's signature
        """See Lightning."""
        if trainer.is_global_zero:
            self._monitor.close()

    def _record(self, trainer: Any, epoch: int) -> None:
        if trainer.is_global_zero:
            record(self._monitor, epoch, self._on_verdict)
