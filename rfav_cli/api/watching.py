"""A probe that each checkpoint of a training is measured on as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.analysis.measure import Setup
    from rfav_cli.analysis.networks import OpenOptions
    from rfav_cli.analysis.probe import Probe
    from rfav_cli.records import Measurement, Settings
    from rfav_cli.store import StoreWriter


class Watch:
    """Measures checkpoints into a store, each once; the store can be read meanwhile.

    Args:
        store: where it goes.
        probe: the samples.
        options: how checkpoints are opened; its net must not be the one that is trained.
        settings: what is measured.
    """

    def __init__(self, store: Path, probe: Probe, options: OpenOptions, settings: Settings) -> None:
        self._store = store
        self._probe = probe
        self._options = options
        self._settings = settings
        self._opened: tuple[Setup, StoreWriter] | None = None

    def measure(self, epoch: int, path: Path) -> Measurement | None:
        """Measure a checkpoint and commit it; None where the store has its epoch.

        Raises:
            SampleError: the probe does not fit the net.
            StoreError: the store is of another run, or cannot be written.
        """
        from rfav_cli.analysis import sweep
        from rfav_cli.analysis.series import Entry
        from rfav_cli.records import Measurement
        from rfav_cli.store import StoreWriter

        entry = Entry(epoch, path)
        if self._opened is None:
            setup = sweep.open_run([entry], self._probe, self._options, self._settings)
            self._opened = setup, StoreWriter.open(self._store, setup.run)
        setup, writer = self._opened
        if epoch in writer.committed:
            return None
        (measurement,) = sweep.sweep([entry], setup, self._options)
        assert isinstance(measurement, Measurement)  # noqa: S101 - bad files raise here
        writer.append(measurement)
        return measurement

    def pack(self) -> None:
        """Put all epochs into the one file."""
        from rfav_cli.store import pack

        if self._opened is not None:
            pack(self._store)
