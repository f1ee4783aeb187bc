"""Training with targeted penalties."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from rfav_cli.errors import SampleError, UsageError
from rfav_cli.options import Train, flat
from rfav_cli.options.groups import Recording, unheard
from rfav_cli.records import Note, Training
from rfav_cli.text import printable

if TYPE_CHECKING:
    import torch

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.commands.store_recorder import StoreRecorder
    from rfav_cli.training.run import Assembly
    from rfav_cli.training.start import Start

GO_ON = "Every checkpoint that was written is kept; the same command with --resume goes on."
"""What to do when one of several ranks has gone."""


def run(options: Train) -> Training:
    """Train a net, with the penalties of a recipe on the layers that it names, a checkpoint an epoch.

    Returns:
        What became of it; nothing is trained from the store of a run that has nothing to be mended.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.commands.measuring import sample_options
    from rfav_cli.distributed import PATIENCE, joined
    from rfav_cli.measure.device import keep_freed_memory, pick_device
    from rfav_cli.training.run import assembled
    from rfav_cli.training.settings import check

    with joined(options.ranks, options.device, PATIENCE, GO_ON) as group:
        options = check(options)
        options = replace(options, report=options.report if options.ranks.first else unheard)
        start = _start(options)
        device = pick_device(options.device, options.ranks)
        for text in start.notes:
            options.report(Note(text))
        if start.done:
            return Training("", reason=start.done)
        keep_freed_memory()
        opening = _opening(start, device)
        with assembled(options, start, opening, sample_options(options), group) as assembly:
            return assembly.train(_recorder(assembly, opening))


train = flat(Train, run)


def _start(options: Train) -> Start:
    """Put together what the options, the recipe and the store say.

    Raises:
        UsageError: both a recipe and a store are given.
        StoreError, RecipeError: one cannot be read, or nothing can be said of the run.
        ModelError: there is nothing that makes the net.
        CheckpointError: the checkpoint to start from is not there.
    """
    from rfav_cli import recipes
    from rfav_cli.commands.open_store import open_store
    from rfav_cli.commands.recommend import prescribe
    from rfav_cli.training.start import Start

    if options.from_store is not None and options.recipe is not None:
        raise UsageError("--from-store and --recipe: a recipe is made of the store", "Give one of the two.")
    start = Start.of(options)
    if options.from_store is not None:
        history = open_store(options.from_store)
        start = start.after_run(history, prescribe(history, options, options.thresholds))
    elif options.recipe is not None:
        start = start.with_recipe(recipes.find(options.recipe))
    return start.from_weights(options.init)


def _opening(start: Start, device: torch.device) -> OpenOptions:
    """How the net is made, and what the store is going to call it."""
    from rfav_cli.activations.specs import net_maker
    from rfav_cli.commands.measuring import name_of, open_options

    factory = net_maker(start.model, start.model_arg)
    settings = replace(start.settings, model=name_of(start.model, start.model_arg))
    return open_options(settings, factory, device)


def _recorder(assembly: Assembly, opening: OpenOptions) -> StoreRecorder | None:
    """What measures the probe, on a net of its own, with samples normalised as those that are trained on."""
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.commands.measuring import Prepared, sample_options
    from rfav_cli.commands.store_recorder import StoreRecorder
    from rfav_cli.data.probe import load_probe
    from rfav_cli.data.sources import is_code
    from rfav_cli.measure.setup import fit

    options, start, training = assembly.options, assembly.start, assembly.training
    if assembly.folder is None or options.probe is None:
        return None
    samples = sample_options(options)
    prepared_by_code = is_code(options.probe)  # which has seen to its normalisation itself
    if training.mean is not None and not prepared_by_code:
        samples = replace(samples, mean=training.mean, std=training.std)
    probe = load_probe(options.probe, size=options.probe_size, options=samples)
    if probe.mean != training.mean and not prepared_by_code:
        raise SampleError(
            f"--probe {printable(probe.source)}: has a mean and std of its own, unlike the training data",
            "Give --mean and --std, which hold for both.",
        )
    for text in probe.notes:
        options.report(Note(text))
    settings = replace(start.settings, model=opening.model_name, maps=min(start.settings.maps, len(probe)), weights="")
    fit(assembly.net.network, probe, opening, settings)  # what does not fit is refused before the run begins
    model = copy.deepcopy(assembly.net.model)
    own = replace(opening, make_model=lambda: model, notes=[], weights="")
    prepared = Prepared(probe, settings, own, ReadOptions.of(options, opening.device))
    return StoreRecorder(assembly.folder.store, prepared, Recording(report=options.report))
