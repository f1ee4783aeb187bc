"""One training from its options to its end: the place that knows training, the analysis and the store."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.activations.factory import make_factory
from rfav_cli.checkpoints.find import sha256_of
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.commands.following import Run
from rfav_cli.commands.preparing import Prepared, name_of, open_options, sample_options
from rfav_cli.commands.recording import Recorder
from rfav_cli.commands.starting import FRESH, check_sha256
from rfav_cli.data.probe import load_probe
from rfav_cli.errors import SampleError
from rfav_cli.measure.device import keep_freed_memory
from rfav_cli.measure.setup import fit
from rfav_cli.options.groups import Recording, unheard
from rfav_cli.records import Note, Training
from rfav_cli.text import printable
from rfav_cli.training.batches import Batches
from rfav_cli.training.data import load_data
from rfav_cli.training.folder import RunFolder
from rfav_cli.training.loop import Task
from rfav_cli.training.optimizers import make_optimizer
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.position import own_random_state
from rfav_cli.training.settings import check_alike, record_of
from rfav_cli.training.setup import Net, check_start, open_net

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.commands.starting import Start
    from rfav_cli.distributed import Group
    from rfav_cli.options import Train
    from rfav_cli.records import TrainingEvent
    from rfav_cli.training.data import Part


@dataclass(frozen=True)
class Session:
    """What is trained, by which processes.

    Attributes:
        options: of `train`.
        device: where the net is going to be.
        group: the processes that train it.
    """

    options: Train
    device: torch.device
    group: Group

    def train(self, start: Start) -> Training:
        """Train to the end, or until it is asked to stop.

        Raises:
            RfavError: as for `rfav_cli.train`.
        """
        how = self.options
        self._tell(*start.notes)
        if start.done:
            return Training("", reason=start.done)
        keep_freed_memory()
        loading = self._opening(start)
        reading = ReadOptions(self.options.i_trust_this_pickle, self.device)
        check_start(start.checkpoint, reading, loading)
        digest = FRESH if start.checkpoint is None else sha256_of(start.checkpoint)
        if start.checkpoint is not None:
            check_sha256(start.checkpoint, start.sha256, digest)
        ranks = self.group.ranks
        with own_random_state(), contextlib.ExitStack() as stack:
            out, trust = Path(self.options.out), self.options.i_trust_this_pickle
            opening = RunFolder.open(out, resume=self.options.resume, trust=trust)
            folder = stack.enter_context(opening) if ranks.first else None
            training, held_out = self._data(how.seed, start)
            net, notes = open_net(
                loading, start.checkpoint, reading, training, held_out, output=start.settings.output, seed=how.seed
            )
            recorder = None if folder is None else self._recorder(folder, net, loading, start, training)
            regularizer = self._regularizer(net, start)
            if regularizer is not None:
                stack.callback(regularizer.close)
            record = self._record(start, loading.model_name, digest, training, held_out)
            check_alike(self.group.gathered(record))
            task = Task(
                net=net,
                optimizer=make_optimizer(how, net.model.parameters()),
                training=Batches(training, how.batch_size, how.seed, tuple(how.augment), self.options.workers, ranks),
                validation=None
                if held_out is None
                else Batches(held_out, how.batch_size, workers=self.options.workers, ranks=ranks),
                regularizer=regularizer,
                how=how,
                device=self.device,
                group=self.group,
            )
            self._tell(*notes, *task.notes)
            keep = None if self.options.keep == "all" else self.options.keep
            told = (self._report, self.options.should_stop)
            return Run(folder, task, recorder, out, record, self.options.resume, keep, *told).follow()

    def _opening(self, start: Start) -> OpenOptions:
        factory = make_factory(start.model, start.model_arg) if isinstance(start.model, str) else start.model
        settings = replace(start.settings, model=name_of(start.model, start.model_arg))
        return open_options(settings, factory, self.device)

    def _data(self, seed: int, start: Start) -> tuple[Part, Part | None]:
        training, held_out = load_data(
            str(self.options.data),
            str(self.options.validation),
            sample_options(self.options),
            seed=seed,
            workers=self.options.workers,
            skip_unreadable=self.options.skip_unreadable,
            report=self._report,
        )
        beside = "" if held_out is None else f", validated on {len(held_out):,}"
        self._tell(f"training on {len(training):,} samples{beside}")
        if start.checkpoint is not None and held_out is not None and held_out.source is training.source:
            self._tell("a checkpoint that was trained on the samples of --data has seen those that it is validated on")
        return training, held_out

    @property
    def _report(self) -> Callable[[TrainingEvent], None]:
        """The first process alone tells what goes on."""
        return self.options.report if self.group.ranks.first else unheard

    def _tell(self, *texts: str) -> None:
        for text in texts:
            self._report(Note(text))

    def _regularizer(self, net: Net, start: Start) -> TargetedRegularizer | None:
        if start.recipe is None:
            return None
        return TargetedRegularizer(
            net.model,
            start.recipe,
            with_bias=start.settings.with_bias,
            fold_norm=start.settings.fold_norm,
            centering="paper" if start.settings.centering == "paper" else "pearson",
            squared=self.options.squared,
        )

    def _recorder(
        self, folder: RunFolder, net: Net, opening: OpenOptions, start: Start, training: Part
    ) -> Recorder | None:
        """What measures the probe, on a net of its own, with samples normalised as those that are trained on."""
        if self.options.probe is None:
            return None
        samples = sample_options(self.options)
        if training.mean is not None:
            samples = replace(samples, mean=training.mean, std=training.std)
        probe = load_probe(str(self.options.probe), size=self.options.probe_size, options=samples)
        if probe.mean != training.mean:
            raise SampleError(
                f"--probe {printable(self.options.probe)}: has a mean and std of its own, unlike the training data",
                "Give --mean and --std, which hold for both.",
            )
        self._tell(*probe.notes)
        settings = replace(start.settings, model=opening.model_name, maps=min(start.settings.maps, len(probe)))
        fit(net.network, probe, opening, settings)  # what does not fit is refused before the run begins
        twin = copy.deepcopy(net.model)
        own = replace(opening, make_model=lambda: twin, notes=[])
        reading = ReadOptions(self.options.i_trust_this_pickle, self.device)
        return Recorder(folder.store, Prepared(probe, settings, own, reading), Recording(report=self._report))

    def _record(self, start: Start, model: str, digest: str, training: Part, held_out: Part | None) -> dict[str, Any]:
        """All that decides the weights but the device."""
        layers = [] if start.recipe is None else [[e.name, e.lambda_, e.kappa] for e in start.recipe.layers]
        measured = [start.settings.with_bias, start.settings.fold_norm, start.settings.centering, self.options.squared]
        return {
            "model": model,
            "init": digest,
            "data": training.digest,
            "validation": "none" if held_out is None else held_out.digest,
            "samples": f"{len(training)} and {0 if held_out is None else len(held_out)}",
            "normalisation": f"{training.mean} {training.std}",
            "penalties": json.dumps([*layers, measured]) if layers else "none",
            "output": start.settings.output,
            **record_of(self.options),
        }
