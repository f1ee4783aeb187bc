"""Keras 3 on torch: `model.fit(..., callbacks=[MonitorCallback(rfav_cli.Monitor(net, probe, store))])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.errors import UsageError
from rfav_cli.training.integrations.base import checked, ignore, missing, record

try:
    import keras
except ImportError as error:
    raise missing("keras") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import Verdict
    from rfav_cli.training.integrations.base import EpochRecorder


class MonitorCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the net before training and after each epoch.

    Args:
        monitor: a `Monitor` of the torch net that the model has in a `keras.layers.TorchModuleWrapper`; Keras' own
            layers are not measured.
        on_verdict: called with what became of the run so far, after each epoch.

    Raises:
        UsageError: that is no monitor, or Keras does not run on torch.
    """

    def __init__(self, monitor: EpochRecorder, on_verdict: Callable[[Verdict], object] = ignore) -> None:
        super().__init__()
        if keras.backend.backend() != "torch":
            raise UsageError(
                f"Keras runs on {keras.backend.backend()}, and only nets of torch can be measured",
                "Set KERAS_BACKEND=torch before Keras is imported.",
            )
        self._monitor = checked(monitor)
        self._on_verdict = on_verdict

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        """See Keras."""
        if int(self.model.optimizer.iterations) == 0:
            record(self._monitor, -1, self._on_verdict)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        """See Keras."""
        record(self._monitor, epoch, self._on_verdict)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        """See Keras."""
        self._monitor.close()
