"""Epochs of a training that is under way, into a store, from inside the training."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.judge import judge
from rfav_cli.commands.measuring import prepare
from rfav_cli.commands.pack import pack
from rfav_cli.errors import RfavError, UsageError
from rfav_cli.options import Monitored, flat_method
from rfav_cli.records import Note
from rfav_cli.text import lines, named, span

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
    matter. In a distributed training each rank may make and call one: the first records, and the others do nothing.
    The store can be read meanwhile.

    Once it is made it ends no training: what goes wrong with an epoch is a warning, unless `on_error="raise"`. A
    training that goes on from an earlier epoch takes the place of what was recorded from there on.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """

    @flat_method(Monitored)
    def __init__(self, options: Monitored) -> None:
        from rfav_cli.distributed import is_first_rank
        from rfav_cli.store import StoreWriter, check_place
        from rfav_cli.training.monitor import LiveNet

        self._store, self._thresholds, self._report = Path(options.store), options.thresholds, options.report
        if options.on_error not in ("warn", "raise"):
            raise UsageError(f"on_error={options.on_error!r:.60}: not known", "Give 'warn' or 'raise'.")
        self._raises = options.on_error == "raise"
        self._records = is_first_rank()
        if not self._records:
            return
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

    def record(self, epoch: int) -> Verdict | None:
        """Measure the net as it is now and put the epoch into the store; one that is there already is not measured.

        Args:
            epoch: its number; -1 is before training.

        Returns:
            What became of the run and of each layer so far; None on another rank than the first, and where the epoch
            could not be recorded, which a warning says.

        Raises:
            UsageError: that is no epoch.
            StoreError: the store cannot be written, and errors are raised.
            CheckpointError: the net has changed, or did not reach some layer, and errors are raised.
        """
        if not isinstance(epoch, int) or isinstance(epoch, bool) or not -1 <= epoch <= _LAST_EPOCH:
            raise UsageError(f"epoch {epoch!r:.60}: out of range", "Give a whole number from -1 (before training) on.")
        if not self._records:
            return None
        try:
            return self._record(epoch)
        except Exception as error:
            self._pass_over(f"epoch {epoch} was not recorded", error)
            return None

    def close(self) -> None:
        """Put all epochs into the one file."""
        if not self._records:
            return
        try:
            pack(self._store)
        except Exception as error:
            self._pass_over("the epochs were not put into one file", error)

    def _record(self, epoch: int) -> Verdict:
        checkpoint = self._net.checkpoint(epoch)
        before = self._writer.committed.get(epoch)
        if before is not None and before.sha256 != checkpoint.sha256:
            gone = self._writer.forget_from(epoch)
            what = (
                f"the training goes on from an earlier epoch: what {self._store} had of {span(gone)} is recorded anew"
            )
            warnings.warn(f"rfav: {what}", stacklevel=3)
            self._report(Note(what))
        if self._writer.is_new(checkpoint):
            measurement = self._net.measure(checkpoint, self._report)
            self._writer.append(measurement)
            self._report(measurement)
        return judge(self._store, thresholds=self._thresholds)

    def _pass_over(self, what: str, error: Exception) -> None:
        """Warn of an error, or raise it.

        Raises:
            Exception: the error, where errors are raised.
        """
        if self._raises:
            raise error
        says = lines(str(error)) if isinstance(error, RfavError) else named(error)
        warnings.warn(f"rfav: {what}: {says}", stacklevel=3)

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
