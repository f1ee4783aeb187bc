"""Checkpoints of a training that is under way, each into the store as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records import Checkpoint, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rfav_cli.commands.preparing import Prepared
    from rfav_cli.measure.checkpoint import BatchSize
    from rfav_cli.measure.setup import Setup
    from rfav_cli.options.groups import Recording
    from rfav_cli.records import BadCheckpoint, Measurement, Payload
    from rfav_cli.store import StoreWriter


class Recorder:
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
            SampleError: the probe does not fit the net.
            StoreError: the store is of another run, or cannot be written.
        """
        from rfav_cli.checkpoints import formats
        from rfav_cli.checkpoints.find import sha256_of

        if epoch in self.committed:
            return None
        payload = formats.read(path, self._prepared.reading)
        return self.add(payload, Checkpoint(epoch, str(path), sha256_of(path)))

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

    def record_bad(self, bad: BadCheckpoint) -> None:
        """Put into the store that a file could not be used, as soon as there is a store."""
        self._bad.append(bad)
        self._record_bad()

    def pack(self) -> None:
        """Put all epochs into the one file."""
        from rfav_cli.store import pack

        if self._opened is not None:
            pack(self._store)

    def _open(self, payload: Payload) -> tuple[Setup, BatchSize, StoreWriter]:
        from rfav_cli.activations import networks
        from rfav_cli.measure.checkpoint import BatchSize
        from rfav_cli.measure.setup import fit
        from rfav_cli.store import StoreWriter

        if self._opened is None:
            probe, settings, opening, _ = self._prepared
            network = networks.open_network(payload, opening)
            setup = fit(network, probe, opening, settings, layers=self._options.layers, skip=self._options.skip)
            writer = StoreWriter.open(self._store, setup.run, fresh=self._options.fresh, watching=self._watching)
            size = BatchSize.of(self._options.samples_a_forward, setup.device, setup.run.layers)
            self._opened = setup, size, writer
            for text in setup.notes:
                self._options.report(Note(text))
            self._record_bad()
        return self._opened

    def _record_bad(self) -> None:
        while self._opened is not None and self._bad:
            self._opened[2].record_bad(self._bad.pop(0))
