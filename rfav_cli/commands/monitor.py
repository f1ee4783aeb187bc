"""Epochs of a training that is under way, into a store, from inside the training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.commands.judge import judge
from rfav_cli.commands.pack import pack
from rfav_cli.commands.preparing import prepare, sample_options
from rfav_cli.errors import SampleError, UsageError
from rfav_cli.records import Note, Settings
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.records import Event, Verdict

_LAST_EPOCH = 2**31 - 1


class Monitor:
    """Records epochs of a net while it trains; no checkpoint is needed.

        with rfav_cli.Monitor(model, "cifar10:DIR", "rfav.h5") as monitor:
            for epoch in range(epochs):
                train_an_epoch(model)
                verdict = monitor.record(epoch)

    The figures are those of `analyze` on a checkpoint of the same weights. The net itself is not touched: a copy of it
    takes its weights and is measured. What is wrapped around it (DistributedDataParallel, torch.compile) does not
    matter; in a distributed training make and call it on one process alone. The store can be read meanwhile.

    Args:
        model: the net that is trained.
        probe: where the held-out samples are, as for `analyze`.
        store: where the store goes; one of the same run is continued.
        make_model: makes a net like it, for nets that cannot be copied.
        thresholds: where the verdict draws its lines.
        report: is told what goes on.
        layers, skip, with_bias, fold_norm, centering, output, no_outputs, maps, probe_size, seed, mean, std, resize,
            gray, layout, classes, device, batch_size, fresh: as for `analyze`.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        probe: str | Path,
        store: str | Path = "rfav.h5",
        *,
        make_model: Callable[[], torch.nn.Module] | None = None,
        layers: Sequence[str] = (),
        skip: Sequence[str] = (),
        with_bias: bool = False,
        fold_norm: bool = False,
        centering: Literal["pearson", "paper"] = "pearson",
        output: str | None = None,
        no_outputs: bool = False,
        maps: int | Literal["all"] = 32,
        probe_size: int = 1000,
        seed: int = 0,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        resize: int | tuple[int, int] | None = None,
        gray: bool = False,
        layout: str | None = None,
        classes: str | Path | None = None,
        device: str = "auto",
        batch_size: int | Literal["auto"] = "auto",
        fresh: bool = False,
        thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
        report: Callable[[Event], None] = lambda _: None,
    ) -> None:
        from rfav_cli.store import StoreWriter, check_place
        from rfav_cli.training.monitor import LiveNet

        if not isinstance(probe, (str, Path)) or not str(probe):
            raise SampleError(
                "a Monitor needs held-out samples, and there is no probe",
                'Give the path of a folder or a file, or a named set such as "cifar10:DIR".',
            )
        self._store, self._thresholds, self._report = Path(store), thresholds, report
        check_place(self._store, fresh=fresh)
        samples, settings, options, _ = prepare(
            probe,
            sample_options(layout, resize, gray, mean, std, classes),
            Settings(with_bias, centering, fold_norm, "", output or "", outputs=not no_outputs),
            probe_size=probe_size,
            seed=seed,
            maps=maps,
            device=device,
            make_model=make_model,
        )
        batch = None if batch_size == "auto" else batch_size
        self._net = LiveNet(model, samples, options, settings, layers=layers, skip=skip, batch_size=batch)
        for text in (*samples.notes, *self._net.notes):
            report(Note(text))
        self._writer = StoreWriter.open(self._store, self._net.run, fresh=fresh)

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
