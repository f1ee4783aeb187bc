"""Checkpoints into a store, one at a time, for commands that see them come."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rfav_cli.commands.pack import pack
from rfav_cli.errors import RunError
from rfav_cli.records import Checkpoint, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rfav_cli.commands.measuring import Prepared
    from rfav_cli.measure.checkpoint import BatchSize
    from rfav_cli.measure.setup import Setup
    from rfav_cli.options.groups import Recording
    from rfav_cli.records import BadCheckpoint, Doubt, Measurement, Payload
    from rfav_cli.store import StoreWriter


class StoreRecorder:
    """Measures checkpoints into a store, each epoch once; the store can be read meanwhile.

    The net is made when the first checkpoint comes, and kept.

    Args:
        store: where it goes.
        prepared: what is measured; a net must not be the one that is trained.
        options: which layers and how many samples a forward, as for `analyze`.
        watching: this is the store's watcher.
    """

    def __init__(
        self,
        store: Path,
        prepared: Prepared,
        options: Recording,
        *,
        watching: bool = False,
    ) -> None:
        self._store = store
        self._prepared = prepared
        self._options = options
        self._watching = watching
        self._opened: tuple[Setup, BatchSize, StoreWriter] | None = None
        self._bad: list[BadCheckpoint] = []

    @property
    def opened(self) -> bool:
        """Whether there was a checkpoint of the net yet."""
        return self._opened is not None

    @property
    def committed(self) -> Mapping[int, Checkpoint]:
        """The checkpoints whose epochs are in the store, as far as that was opened."""
        return {} if self._opened is None else self._opened[2].committed

    def measure(self, epoch: int, path: Path) -> Measurement | None:
        """Measure a checkpoint file and commit it; None where the store has its epoch.

        Raises:
            CheckpointError: it is none of the net.
            SampleError: the probe does not fit the net, or the training probe does not fit it.
            StoreError: the store is of another run, or cannot be written.
        """
        from rfav_cli.checkpoints import formats
        from rfav_cli.checkpoints.digests import digest_of

        if epoch in self.committed:
            return None
        payload = formats.read(path, self._prepared.reading)
        return self.add(payload, Checkpoint(epoch, str(path), payload.sha256 or digest_of(path)))

    def add(
        self, payload: Payload, checkpoint: Checkpoint, on_batch: Callable[[int], None] = lambda _: None
    ) -> Measurement | None:
        """Measure what was read and commit it; None where the store has its epoch. Raises as `measure` does."""
        from rfav_cli.measure.checkpoint import measure_weights

        setup, size, writer = self._open(payload)
        if checkpoint.epoch in writer.committed:
            return None
        measurement = measure_weights(setup, payload, checkpoint, size, on_batch, self._options.report)
        writer.append(measurement)
        return measurement

    @property
    def unit(self) -> str:
        """What the checkpoints are counted by."""
        return self._prepared.settings.unit

    def count_in(self, unit: str) -> None:
        """Say what the checkpoints are counted by, before each.

        Raises:
            RunError: those before were counted by another unit.
        """
        before = self._prepared.settings.unit
        if unit != before and self._opened is not None:
            raise RunError(
                f"the checkpoints before were counted by {before}s, and this one says a {unit}",
                f"Give --unit, such as --unit {unit}, and --fresh.",
            )
        self._prepared = self._prepared.counted_in(unit)

    def has_weights(self, payload: Payload, epoch: int) -> bool | None:
        """Whether an epoch in the store was measured on these weights; None where the store does not say.

        Raises:
            CheckpointError: they are none of the net.
        """
        from rfav_cli.measure.checkpoint import sketch_weights
        from rfav_cli.records.distances import are_same
        from rfav_cli.store import open_store

        history = open_store(self._store)
        known = history.sketches[history.epochs == epoch]
        if self._opened is None or not known.size or not math.isfinite(known.sum()):
            return None
        return are_same(known[0], sketch_weights(self._opened[0], payload))

    def record_bad(self, bad: BadCheckpoint) -> None:
        """Put into the store that a file could not be used, as soon as there is a store."""
        self._bad.append(bad)
        self._record_bad()

    def record_doubt(self, doubt: Doubt) -> None:
        """Tell a doubt, and put it into the store, which there is."""
        if self._opened is not None:
            self._opened[2].record_doubt(doubt)
            self._options.report(doubt)

    def pack(self) -> None:
        """Put all epochs into the one file."""
        if self._opened is not None:
            pack(self._store)

    def _open(self, payload: Payload) -> tuple[Setup, BatchSize, StoreWriter]:
        from rfav_cli.activations import networks
        from rfav_cli.measure.checkpoint import BatchSize
        from rfav_cli.measure.setup import fit
        from rfav_cli.measure.train_probe import with_train_probe
        from rfav_cli.store import StoreWriter

        if self._opened is None:
            probe, settings, opening, _, train_probe, loss = self._prepared
            network, chosen = networks.open_network(payload, opening), self._options
            setup = fit(network, probe, opening, settings, layers=chosen.layers, skip=chosen.skip, loss=loss)
            setup = with_train_probe(setup, train_probe)
            writer = StoreWriter.open(self._store, setup.run, fresh=self._options.fresh, watching=self._watching)
            size = BatchSize.of(self._options.samples_a_forward, setup.device, setup.run.layers)
            self._opened = setup, size, writer
            for text in setup.notes:
                self._options.report(Note(text))
            for doubt in setup.doubts:
                self.record_doubt(doubt)
            self._record_bad()
        return self._opened

    def _record_bad(self) -> None:
        while self._opened is not None and self._bad:
            self._opened[2].record_bad(self._bad.pop(0))
