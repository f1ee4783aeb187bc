"""The loop over a run's checkpoints: files and probe in, one Measurement a checkpoint out.

It knows no store and no terminal.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.activations import networks
from rfav_cli.activations.layers import select_layers
from rfav_cli.activations.outputs import are_class_scores, describe_choice, select_output
from rfav_cli.checkpoints.find import sha256_of
from rfav_cli.data.probe import check_fits
from rfav_cli.errors import CheckpointError, ModelError, SampleError, SeriesError
from rfav_cli.measure.batches import BatchSize, Setup, exact_arithmetic, measure_weights
from rfav_cli.records import ALONE, BadCheckpoint, Checkpoint, Measurement, Progress, Run
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rfav_cli.activations.network import Network, Payload, Survey
    from rfav_cli.activations.networks import OpenOptions
    from rfav_cli.checkpoints.find import Entry
    from rfav_cli.data.probe import Probe
    from rfav_cli.records import Event, Ranks, Settings

SURVEY_SAMPLES = 2
"""Samples of the first, small forward: more than one, so that the axis of the samples can be told from the others."""


def pick_device(name: str, ranks: Ranks = ALONE) -> torch.device:
    """The device for `--device`: "auto" is CUDA when there is one, else the CPU; each process has a GPU of its own.

    Raises:
        ModelError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not ranks.alone:
        if ranks.local_world > torch.cuda.device_count():
            raise ModelError(
                f"--device cuda: {torch.cuda.device_count()} GPUs for {ranks.local_world} processes on this machine",
                "Start a process a GPU (torchrun --nproc-per-node=gpu), or give --device cpu.",
            )
        torch.cuda.set_device(ranks.local)
        name = f"cuda:{ranks.local}"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(
            f"--device {name}: {what_it_says(error)}", "Give auto, cpu, cuda or mps; `rfav doctor` lists the devices."
        ) from None
    return device


def keep_freed_memory() -> None:
    """Have glibc keep what is freed, up to twice this size, for the next batch.

    By default it hands an activation's memory back to the system, which zeroes every page anew: a seventh of the time
    of a small net. A large piece that is freed raises its limits for good, up to 32 MB: see M_MMAP_THRESHOLD in
    mallopt(3). The piece is never touched, so it takes no memory, and other allocators lose nothing by it.
    """
    torch.empty(31 * 1024 * 1024, dtype=torch.uint8)


def open_run(
    entries: Sequence[Entry],
    probe: Probe,
    options: OpenOptions,
    settings: Settings,
    *,
    layers: Sequence[str] = (),
    skip: Sequence[str] = (),
    skip_bad: bool = False,
) -> Setup:
    """Open the first checkpoint that can be used and find its layers with a small forward.

    Raises:
        SeriesError: no checkpoint can be used.
        CheckpointError: the first can't, and `skip_bad` is off.
        SampleError: the probe does not fit the net.
        ModelError: the net can't be made, or no layer is left to measure.
    """
    network = _open_first(entries, options, skip_bad=skip_bad)
    return fit(network, probe, options, settings, layers=layers, skip=skip)


def fit(
    network: Network,
    probe: Probe,
    options: OpenOptions,
    settings: Settings,
    *,
    layers: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Setup:
    """Find a net's layers with a small forward.

    Raises:
        SampleError: the probe does not fit the net.
        ModelError: no layer is left to measure.
    """
    keep_freed_memory()
    with exact_arithmetic():
        images = probe.batch(slice(0, min(SURVEY_SAMPLES, len(probe))), options.device)
        survey = _survey(network, probe, images)
        chosen, skipped = select_layers(survey, layers, skip)
        output = network.forward(images, lambda _: False)
    reads_output, notes = _look_at_output(output, len(images), probe, settings)
    run = Run(chosen, skipped, probe.record(), settings)
    kept_notes = tuple(note for note in (*options.notes, *notes) if note)
    return Setup(network, probe, run, survey.uses, reads_output, options.device, kept_notes)


def _look_at_output(output: Any, samples: int, probe: Probe, settings: Settings) -> tuple[bool, list[str]]:
    """Whether a net's output is going to be measured, and what the user should be told of it.

    Only labels need the output: without them a net may return anything.
    """
    labelled = probe.labels is not None
    if not labelled and not settings.outputs:
        return False, []
    try:
        scores = select_output(output, settings.output)
    except ModelError as error:
        if labelled:
            raise
        return False, [f"{error.what}, so no predictions are measured"]
    if scores.ndim == 2:
        check_fits(probe, scores.shape[1])
    notes = [describe_choice(output, settings.output)]
    if are_class_scores(scores, samples):
        return True, notes
    kind = f"{scores.dtype} {tuple(scores.shape)}".removeprefix("torch.")
    return False, [*notes, f"the net's output, {kind}, is no row of class scores, so it is not measured"]


def _survey(network: Network, probe: Probe, images: torch.Tensor) -> Survey:
    try:
        return network.survey(images)
    except SampleError as error:
        raise SampleError(f"{printable(probe.source)}: {error.what}", error.remedy) from error


def _open_first(entries: Sequence[Entry], options: OpenOptions, *, skip_bad: bool) -> Network:
    """The net of the first file that can be opened; the loop over all files will report the others."""
    failures: list[CheckpointError] = []
    for entry in entries:
        opened = _open_or_fail(entry, options)
        if not isinstance(opened, CheckpointError):
            return opened
        if not skip_bad:
            raise opened
        failures.append(opened)
    raise SeriesError(f"none of the {len(failures)} checkpoints can be used; the first: {failures[0].what}")


def _open_or_fail(entry: Entry, options: OpenOptions) -> Network | CheckpointError:
    try:
        return networks.open_network(networks.read(entry.path, options), options)
    except CheckpointError as error:
        return error


def sweep(
    entries: Sequence[Entry],
    setup: Setup,
    options: OpenOptions,
    *,
    batch_size: int | None = None,
    skip_bad: bool = False,
    done: int = 0,
    report: Callable[[Event], None] = lambda _: None,
) -> Generator[Measurement | BadCheckpoint, None, None]:
    """Measure checkpoints in turn; the next file is read while one runs.

    Args:
        entries: the checkpoints to measure.
        setup: the net, with the layers to measure, and the probe.
        options: how files are read.
        batch_size: samples a forward, None for automatic.
        skip_bad: give a file that is no checkpoint of this net out as bad and go on.
        done: checkpoints of the run that were measured before, for the progress.
        report: is told the progress.

    Raises:
        CheckpointError: a file is no checkpoint of this net, and `skip_bad` is off.
    """
    size = BatchSize.of(batch_size, setup.device, setup.run.layers)
    for number, (entry, read) in enumerate(_read_ahead(entries, options)):
        progress = Progress(str(entry.path), done + number, done + len(entries), 0, len(setup.probe))
        report(progress)
        yield _measure_entry(entry, read, setup, size, skip_bad, progress, report)


def _measure_entry(
    entry: Entry,
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
        checkpoint = Checkpoint(entry.epoch, str(entry.path), digest)

        def told(samples: int) -> None:
            report(replace(progress, samples=samples))

        return measure_weights(setup, payload, checkpoint, size, told, report)
    except CheckpointError as error:
        if not skip_bad:
            raise CheckpointError(error.what, f"{error.remedy} --skip-bad goes on without it.") from error
        return BadCheckpoint(str(entry.path), error.what)


def _read_ahead(
    entries: Sequence[Entry], options: OpenOptions
) -> Iterator[tuple[Entry, Callable[[], tuple[Payload, str]]]]:
    """Each entry with a call that gives its payload and digest, or raises; the one after it is read meanwhile."""

    def read(entry: Entry) -> tuple[Payload, str]:
        digest = sha256_of(entry.path)
        return networks.read(entry.path, options), digest

    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        upcoming = pool.submit(read, entries[0]) if entries else None
        for number, entry in enumerate(entries):
            current = upcoming
            upcoming = pool.submit(read, entries[number + 1]) if number + 1 < len(entries) else None
            if current is not None:
                yield entry, current.result
