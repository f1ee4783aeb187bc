"""One training from its options to its end: what comes out of the loop is put on disk, then told."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import SampleError, StoreError, UsageError
from rfav_cli.records import Note, Training, TrainingEpoch
from rfav_cli.text import printable, some_of
from rfav_cli.training import log
from rfav_cli.training.batches import Batches
from rfav_cli.training.data import count_trained_on, load_data
from rfav_cli.training.folder import RunFolder, unwritable
from rfav_cli.training.loop import Loop
from rfav_cli.training.optimizers import make_optimizer
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.position import Position, own_random_state
from rfav_cli.training.settings import check_alike, check_same, record_of, settings_of_data, settings_of_penalties
from rfav_cli.training.setup import check_start, open_net
from rfav_cli.training.start import FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from rfav_cli.activations.network import Network, OpenOptions
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.distributed import Group
    from rfav_cli.options import Train
    from rfav_cli.records import Measurement
    from rfav_cli.training.data import Part
    from rfav_cli.training.setup import TrainedNet
    from rfav_cli.training.start import Start


class CheckpointRecorder(Protocol):
    """Measures the checkpoints of a training into a store, each epoch once."""

    def measure(self, epoch: int, path: Path) -> Measurement | None:
        """Measure a checkpoint file and commit it; None where the store has its epoch."""

    def pack(self) -> None:
        """Put all epochs into the one file."""


@dataclass(frozen=True)
class Assembly:
    """All that a training is made of, checked to go together.

    Attributes:
        options: of `train`; only the rank that reports has somebody who listens.
        start: what it starts from.
        group: the ranks that train.
        folder: of the run; None in all ranks but the one that writes.
        training, validation: the samples; no validation for None.
        net: with its first weights.
        device: where that is.
        settings: all that decides the weights but the device.
    """

    options: Train
    start: Start
    group: Group
    folder: RunFolder | None
    training: Part
    validation: Part | None
    net: TrainedNet
    device: torch.device
    settings: dict[str, Any]

    def train(self, recorder: CheckpointRecorder | None) -> Training:
        """Train to the end, or until it is asked to stop.

        Args:
            recorder: measures each checkpoint in the rank that writes; it has a net of its own.

        Raises:
            TrainingError: the run there is of other settings, its files cannot be written, or the net broke down.
            RecipeError: the penalties do not fit the net.
            ModelError: the net failed.
            StoreError: the store cannot be continued.
        """
        with contextlib.ExitStack() as stack:
            regularizer = self._regularizer()
            if regularizer is not None:
                stack.callback(regularizer.close)
            check_alike(self.group.gathered(self.settings))
            loop = self._loop(regularizer)
            for text in loop.notes:
                self.options.report(Note(text))
            return Trainer(self, loop, recorder).train()

    def _regularizer(self) -> TargetedRegularizer | None:
        if self.start.recipe is None:
            return None
        settings = self.start.settings
        return TargetedRegularizer(
            self.net.model,
            self.start.recipe,
            with_bias=settings.with_bias,
            fold_norm=settings.fold_norm,
            centering="paper" if settings.centering == "paper" else "pearson",
        )

    def _loop(self, regularizer: TargetedRegularizer | None) -> Loop:
        options, ranks, validation = self.options, self.group.ranks, None
        size, workers, channels_last = options.batch_size, options.workers, self.net.network.channels_last
        augment = tuple(options.augment)
        training = Batches(self.training, size, options.seed, augment, workers, ranks, channels_last)
        if self.validation is not None:
            validation = Batches(self.validation, size, workers=workers, ranks=ranks, channels_last=channels_last)
        return Loop(
            net=self.net,
            optimizer=make_optimizer(options, self.net.model.parameters()),
            training=training,
            validation=validation,
            regularizer=regularizer,
            options=options,
            device=self.device,
            group=self.group,
        )


@contextmanager
def assembled(
    options: Train, start: Start, opening: OpenOptions, samples: SampleOptions, group: Group
) -> Iterator[Assembly]:
    """Put a training together; until the block ends its folder is its own, and so are the generators of chance.

    Args:
        options: of `train`.
        start: what it starts from.
        opening: how the net is made, and where it runs.
        samples: how samples are read.
        group: the ranks that train.

    Raises:
        TrainingError: the folder holds another run, or cannot be written.
        ModelError: the net cannot be made or trained.
        CheckpointError: the checkpoint to start from is none of the net, or another than the store was measured on.
        SampleError: samples cannot be read, or do not fit the net.
    """
    reading = ReadOptions.of(options, opening.device)
    check_start(start.checkpoint, reading, opening)
    digest = FRESH
    if start.checkpoint is not None:
        digest = digest_of(start.checkpoint)
        start.check_sha256(digest)
    with own_random_state(), contextlib.ExitStack() as stack:
        folder = None
        if group.ranks.first:
            folder = stack.enter_context(
                RunFolder.open(Path(options.out), resume=options.resume, trust=reading.trust_pickle)
            )
        training, validation = _load_data(options, start, samples)
        net, notes = open_net(
            opening, start.checkpoint, reading, training, validation, output=start.settings.output, seed=options.seed
        )
        settings = {
            "model": opening.model_name,
            "init": digest,
            **settings_of_data(training, validation),
            **settings_of_penalties(start),
            "output": start.settings.output,
            **record_of(options),
        }
        for text in (*notes, *_raw_penalties(net.network, start)):
            options.report(Note(text))
        yield Assembly(options, start, group, folder, training, validation, net, opening.device, settings)


def _raw_penalties(network: Network, start: Start) -> Iterator[str]:
    """What to say of layers that are penalised before a normalisation which could be folded in."""
    if start.recipe is None or start.settings.fold_norm:
        return
    normalised = network.normalised()
    names = [printable(layer.name, 80) for layer in start.recipe.layers if layer.lambda_ and layer.name in normalised]
    if names:
        yield (
            f"penalised before the normalisation that follows, as the options, the recipe or the store say: "
            f"{', '.join(names)}; the scale is free there, so smaller weights pay the penalty"
        )


def _check_held_out(options: Train, start: Start, training: Part, validation: Part | None) -> None:
    """Tell of validation samples that are trained on, and refuse them where lambda is to follow them.

    Raises:
        SampleError: lambda follows the validation samples, and most of them are trained on.
    """
    if validation is None or validation.source is training.source:
        return
    common = count_trained_on(training, validation)
    if not common:
        return
    some = some_of(common, len(validation), "validation sample", "are")
    text = f"{printable(options.validation)}: {some} trained on"
    if start.recipe is not None and start.recipe.rule == "adaptive" and 2 * common >= len(validation):
        raise SampleError(
            f"{text}, and by the rule adaptive lambda follows how sure the net is of samples that it has not seen",
            "Give --validation other samples, or a share of --data.",
        )
    options.report(Note(f"{text}: their loss is no held-out one"))


def _load_data(options: Train, start: Start, samples: SampleOptions) -> tuple[Part, Part | None]:
    training, validation = load_data(
        options.data,
        options.validation,
        samples,
        seed=options.seed,
        workers=options.workers,
        skip_unreadable=options.skip_unreadable,
        report=options.report,
    )
    if validation is None and start.recipe is not None and start.recipe.rule == "adaptive":
        raise UsageError(
            "--validation 0: by the rule adaptive lambda follows the validation samples, and there are none",
            'Give --validation a share of the data or samples, or a recipe of another rule, such as rule = "even".',
        )
    _check_held_out(options, start, training, validation)
    beside = "" if validation is None else f", validated on {len(validation):,}"
    options.report(Note(f"training on {len(training):,} samples{beside}"))
    if start.checkpoint is not None and validation is not None and validation.source is training.source:
        text = "a checkpoint that was trained on the samples of --data has seen those that it is validated on"
        if start.recipe is not None and start.recipe.rule == "adaptive":
            text += ", and lambda follows how sure it is of them: give --validation samples that it has not seen"
        options.report(Note(text))
    return training, validation


@dataclass(frozen=True)
class Trainer:
    """A training under way.

    Attributes:
        assembly: what it is made of.
        loop: gives its events.
        recorder: measures each checkpoint, or None.
    """

    assembly: Assembly
    loop: Loop
    recorder: CheckpointRecorder | None

    def train(self) -> Training:
        """Train to the end, or until it is asked to stop; raises as `Assembly.train` does."""
        options, folder = self.assembly.options, self.assembly.folder
        position, rows = self._restore()
        stopped = False
        with contextlib.closing(self.loop.events(position)) as events:
            for event in events:
                if isinstance(event, TrainingEpoch):
                    self._commit(event, position, rows)
                options.report(event)
                if isinstance(event, TrainingEpoch) and folder is not None:
                    self._measure(event.epoch)
                    folder.prune(None if options.keep == "all" else options.keep)
                if self.assembly.group.any(options.should_stop()):
                    stopped = position.epoch < options.epochs
                    if not isinstance(event, TrainingEpoch):
                        self._save_state(position, rows)
                    break
        if self.recorder is not None and folder is not None and not stopped:
            with _resumable(folder.store):
                self.recorder.pack()
        return Training(str(Path(options.out)), tuple(rows), ended=not stopped)

    def _restore(self) -> tuple[Position, list[dict[str, Any]]]:
        """Where to go on: at the start, or where a run in the folder was left."""
        group = self.assembly.group
        state, rows = group.of_first(self._load())
        position = Position()
        if state is None:
            self._save_state(position, [])  # before any other file, so that a folder without it is none of ours
            return position, []
        self.loop.net.model.load_state_dict(state["model"])
        self.loop.optimizer.load_state_dict(state["optimizer"])
        if self.loop.regularizer is not None:
            self.loop.regularizer.load_state_dict(state["regularizer"])
        rank, randoms = group.ranks.rank, [state["position"]["random"], *state["others"]]
        position = Position.restored(state["position"] | {"random": randoms[rank] if rank < len(randoms) else ()})
        where = f"epoch {position.epoch}" + (f", step {position.step + 1}" if position.step else "")
        done = position.epoch >= self.loop.options.epochs
        text = "the run has all its epochs already" if done else f"going on at {where}"
        self.assembly.options.report(Note(text))
        return position, rows

    def _load(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The state of a run in the folder and its log, with nothing of what came after."""
        folder = self.assembly.folder
        state = folder.load_state() if folder is not None and self.assembly.options.resume else None
        if state is None or folder is None:
            return None, []
        check_same(state["settings"], self.assembly.settings, folder.path)
        done = state["position"]["epoch"] - 1
        for epoch in folder.checkpoints():
            if epoch <= done:
                self._measure(epoch)
        folder.remove_after(done)
        return state, list(log.truncate(folder.log, done, state["row"]))

    def _commit(self, event: TrainingEpoch, position: Position, rows: list[dict[str, Any]]) -> None:
        """Put an epoch on disk: its checkpoint first, so that a state never knows of one that is not there."""
        folder = self.assembly.folder
        if folder is not None:
            self.loop.net.save(folder, event.epoch)
        rows.append(event.row())
        self._save_state(position, rows)
        if folder is not None:
            log.append(folder.log, rows[-1])

    def _save_state(self, position: Position, rows: list[dict[str, Any]]) -> None:
        """Called in all ranks, since each has generators of its own."""
        captured = position.capture()
        randoms = self.assembly.group.gathered(captured["random"])
        if self.assembly.folder is not None:
            self.assembly.folder.save_state(
                {
                    "settings": self.assembly.settings,
                    "position": captured,
                    "others": randoms[1:],
                    "row": rows[-1] if rows else None,
                    "model": self.loop.net.model.state_dict(),
                    "optimizer": self.loop.optimizer.state_dict(),
                    "regularizer": None if self.loop.regularizer is None else self.loop.regularizer.state_dict(),
                }
            )

    def _measure(self, epoch: int) -> None:
        folder = self.assembly.folder
        if self.recorder is None or folder is None:
            return
        with _resumable(folder.store):
            measurement = self.recorder.measure(epoch, folder.path_of(epoch))
        if measurement:
            self.assembly.options.report(measurement)


@contextmanager
def _resumable(store: Path) -> Iterator[None]:
    """Where a store cannot be written, say what to do about a training."""
    try:
        yield
    except StoreError as error:
        if isinstance(error.__cause__, OSError):
            raise unwritable(store, error.__cause__) from error
        raise StoreError(
            error.what,
            f"Give the --probe and the settings that it was made with, or move {store.name} and {store.name}.d away: "
            "the checkpoints that are kept are measured anew.",
        ) from error
