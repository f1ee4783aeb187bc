"""Epochs of a training that is under way, into a store, from inside the training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.judge import judge
from rfav_cli.commands.measuring import prepare
from rfav_cli.commands.pack import pack
from rfav_cli.errors import UsageError
from rfav_cli.options import Monitored, flat_method
from rfav_cli.records import Note

if TYPE_CHECKING:
    from rfav_cli.records import Verdict

_LAST_EPOCH = 2**31 - 1


class Monitor:
    """Records epochs of a net while it trains; no checkpoint is needed.

        with rfav_cli.Monitor(model, "cifar10:DIR", "rfav.h5") as monitor:
            for epoch in range(epochs):
                train_an_epoch(model)
                verdict = monitor.record(epoch)

    The figures are those of `analyze` on a checkpoint of the same weights. The net itself is not touched: a copy of it
    takes its weights and is measured. What is wrapped around it (DistributedDataParallel, torch.compile) does not
    matter; in a distributed training make and call it on one rank alone. The store can be read meanwhile.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """

    @flat_method(Monitored)
    def __init__(self, options: Monitored) -> None:
        from rfav_cli.store import StoreWriter, check_place
        from rfav_cli.training.monitor import LiveNet

        self._store, self._thresholds, self._report = Path(options.store), options.thresholds, options.report
        check_place(self._store, fresh=options.fresh)
        prepared = prepare(options.probe, options, make_model=options.make_model)
        self._net = LiveNet(
            options.model,
            prepared.probe,
            prepared.options,
            prepared.settings,
            layers=options.layers,
            skip=options.skip,
            batch_size=options.samples_a_forward,
            loss=prepared.loss,
        )
        for text in (*prepared.probe.notes, *self._net.notes):
            self._report(Note(text))
        self._writer = StoreWriter.open(self._store, self._net.run, fresh=options.fresh)
        for doubt in self._net.doubts:
            self._writer.record_doubt(doubt)
            self._report(doubt)

    def record(self, epoch: int) -> Verdict:
        """Measure the net as it is now and put the epoch into the store; one that is there already is not measured.

        Args:
            epoch: its number; -1 is before training.

        Returns:
            What became of the run and of each layer so far.

        Raises:
            UsageError: that is no epoch.
            StoreError: the store has this epoch of other weights, or cannot be written.
            CheckpointError: the net has changed, or did not reach some layer.
        """
        if not isinstance(epoch, int) or isinstance(epoch, bool) or not -1 <= epoch <= _LAST_EPOCH:
            raise UsageError(f"epoch {epoch!r:.60}: out of range", "Give a whole number from -1 (before training) on.")
        checkpoint = self._net.checkpoint(epoch)
        if self._writer.is_new(checkpoint):
            measurement = self._net.measure(checkpoint, self._report)
            self._writer.append(measurement)
            self._report(measurement)
        return judge(self._store, thresholds=self._thresholds)

    def close(self) -> None:
        """Put all epochs into the one file."""
        pack(self._store)

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
