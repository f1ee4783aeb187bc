"""The loop over a run's checkpoints: files and probe in, one Measurement a checkpoint out.

It knows no store and no terminal.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rfav_cli import isolation
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.errors import CheckpointError
from rfav_cli.measure.checkpoint import BatchSize, measure_weights
from rfav_cli.records import BadCheckpoint, Checkpoint, Measurement, Progress
from rfav_cli.remote import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rfav_cli.checkpoints.find import CheckpointFile
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.measure.setup import Setup
    from rfav_cli.records import Event, Payload


def measure_checkpoints(
    files: Sequence[CheckpointFile],
    setup: Setup,
    options: ReadOptions,
    *,
    batch_size: int | None = None,
    skip_bad: bool = False,
    report: Callable[[Event], None] = lambda _: None,
) -> Generator[Measurement | BadCheckpoint, None, None]:
    """Measure checkpoints in turn; the next file is read while one runs.

    Args:
        files: the checkpoints to measure.
        setup: the net, with the layers to measure, and the probe.
        options: how files are read.
        batch_size: samples a forward, None for automatic.
        skip_bad: give a file that is no checkpoint of this net out as bad and go on.
        report: is told the progress.

    Raises:
        CheckpointError: a file is no checkpoint of this net, and `skip_bad` is off.
    """
    size = BatchSize.of(batch_size, setup.device, setup.run.layers)
    for number, (file, read) in enumerate(_read_ahead(files, options)):
        progress = Progress(shown(file.path), number, len(files), 0, len(setup.probe), setup.run.settings.unit)
        report(progress)
        yield _measure_entry(file, read, setup, size, skip_bad, progress, report)


def _measure_entry(
    file: CheckpointFile,
    read: Callable[[], tuple[Payload, str]],
    setup: Setup,
    size: BatchSize,
    skip_bad: bool,
    progress: Progress,
    report: Callable[[Event], None],
) -> Measurement | BadCheckpoint:
    """Measure one file."""
    try:
        payload, digest = read()
        checkpoint = Checkpoint(file.epoch, shown(file.path), digest)

        def on_batch(samples: int) -> None:
            report(replace(progress, samples=samples))

        return measure_weights(setup, payload, checkpoint, size, on_batch, report)
    except CheckpointError as error:
        if not skip_bad:
            raise CheckpointError(error.what, f"{error.remedy} --skip-bad goes on without it.") from error
        return BadCheckpoint(shown(file.path), shown(error.what))


def _read_ahead(
    files: Sequence[CheckpointFile], options: ReadOptions
) -> Iterator[tuple[CheckpointFile, Callable[[], tuple[Payload, str]]]]:
    """Each file with a call that gives its payload and digest, or raises; the one after it is read meanwhile."""

    def read(file: CheckpointFile) -> tuple[Payload, str]:
        payload = formats.read(file.path, options)
        return payload, payload.sha256 or digest_of(file.path)

    if isolation.is_child():  # one thing at a time, so that what ends the process is known, and its time is its own
        yield from ((file, partial(read, file)) for file in files)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        upcoming = pool.submit(read, files[0]) if files else None
        for number, file in enumerate(files):
            current = upcoming
            upcoming = pool.submit(read, files[number + 1]) if number + 1 < len(files) else None
            if current is not None:
                yield file, current.result
