"""Training with targeted penalties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.commands.starting import find_start
from rfav_cli.records import ALONE, Settings
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.records import Ranks, Recipe, Training, TrainingEvent

GO_ON = "Every checkpoint that was written is kept; the same command with --resume goes on."
"""What to do when one of several processes has gone."""


def train(
    *,
    data: str | Path,
    out: str | Path,
    model: str | Callable[..., torch.nn.Module] | None = None,
    model_arg: Sequence[str] = (),
    recipe: str | Path | Recipe | None = None,
    from_store: str | Path | None = None,
    rule: Literal["even", "paper", "balanced"] = "even",
    init: str | Path | None = None,
    validation: str | float | Path = "0.1",
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd",
    learning_rate: float | None = None,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: Literal["constant", "cosine", "step"] = "constant",
    epochs: int = 100,
    batch_size: int = 64,
    augment: Sequence[str] = (),
    seed: int = 0,
    with_bias: bool = False,
    fold_norm: bool = False,
    centering: Literal["pearson", "paper"] = "pearson",
    squared: bool = False,
    output: str | None = None,
    probe: str | Path | None = None,
    probe_size: int = 1000,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: int | tuple[int, int] | None = None,
    gray: bool = False,
    layout: str | None = None,
    classes: str | Path | None = None,
    skip_unreadable: bool = False,
    keep: int | Literal["all"] = "all",
    resume: bool = False,
    device: str = "auto",
    amp: bool = False,
    workers: int = 2,
    i_trust_this_pickle: bool = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    ranks: Ranks = ALONE,
    report: Callable[[TrainingEvent], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Training:
    """Train a net, with the penalties of a recipe on the layers that it names, a checkpoint an epoch.

    Args:
        data: what to train on: any source that `analyze` takes as a probe; of a named set the training split.
        out: the folder of the run: checkpoints, `log.jsonl`, and with a probe `rfav.h5`.
        model: what makes the net; by default that of TorchScript, or the net of the zoo that the store names.
        model_arg: "key=value" arguments for what makes the net.
        recipe: a recipe, its file, or "paper:sr1", "paper:sr2", "paper:sr3".
        from_store: the store of a run to judge; recipe and first weights are those that follow from it, and the net
            where it is one of the zoo.
        rule: how lambda follows from a layer of that run.
        init: the checkpoint to start from, or "fresh"; by default what the recipe or the store rewinds to.
        validation: a share of the data, of each class alike; or samples of their own; 0 for none.
        optimizer: its name.
        learning_rate: by default 0.01 for "sgd", 0.001 for the others.
        momentum: of "sgd".
        weight_decay: on all parameters.
        schedule: of the learning rate: constant, half a cosine, or a tenth after half of the epochs and again.
        epochs: how many.
        batch_size: samples a step, of all processes together.
        augment: "flip", "crop".
        seed: of fresh weights, the order of the samples, augmentation, dropout and the choice of validation samples.
        with_bias: penalise (and measure) activations with their bias.
        fold_norm: penalise (and measure) activations after the batch normalisation that follows them.
        centering: how Eq. 6 centres the filters.
        squared: sum the squares of the correlations in Eq. 7.
        output: index or key of the net's output that holds the class scores; the first tensor for None.
        probe: held-out samples that each checkpoint is analysed on as it comes.
        probe_size: how many of them.
        mean: to subtract from samples; a named set has its own.
        std: to divide them by, likewise.
        resize: side or (height, width) in pixels that images are resized to.
        gray: images are taken in one channel.
        layout: axes of an array of samples.
        classes: a file with the names of the classes in the order of the net's outputs, one a line.
        skip_unreadable: leave out samples that cannot be read.
        keep: how many of the last checkpoints are kept.
        resume: go on with the run in the folder, if there is one.
        device: "auto", "cpu", "cuda", "mps".
        amp: run forwards in bfloat16 where that is safe.
        workers: threads that read samples ahead; 0 for none.
        i_trust_this_pickle: load pickles that may run code.
        thresholds: of the verdict on the run of `from_store`.
        ranks: of several processes that train together, each of which makes this call, which is this one
            (`Ranks.of_torchrun()`). The first alone writes and reports.
        report: is told what goes on.
        should_stop: asked after each step and epoch; True, in any process, ends the run there, to be resumed.

    Returns:
        What became of it; nothing is trained from the store of a run that has nothing to be mended.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.commands.preparing import sample_options
    from rfav_cli.commands.session import Session
    from rfav_cli.distributed import PATIENCE, joined
    from rfav_cli.measure.device import pick_device
    from rfav_cli.training.settings import Hyperparameters

    with joined(ranks, device, PATIENCE, GO_ON) as group:
        how = Hyperparameters(
            optimizer, learning_rate, momentum, weight_decay, schedule, epochs, batch_size, tuple(augment), amp, seed
        )
        start = find_start(
            model=model,
            model_arg=model_arg,
            recipe=recipe,
            from_store=from_store,
            rule=rule,
            init=init,
            settings=Settings(with_bias, centering, fold_norm, "", output or ""),
            thresholds=thresholds,
        )
        session = Session(
            out=Path(out),
            data=str(data),
            validation=str(validation),
            samples=sample_options(layout, resize, gray, mean, std, classes),
            probe=None if probe is None else str(probe),
            probe_size=probe_size,
            device=pick_device(device, ranks),
            group=group,
            workers=workers,
            keep=None if keep == "all" else keep,
            squared=squared,
            skip_unreadable=skip_unreadable,
            trust_pickle=i_trust_this_pickle,
            resume=resume,
            report=report if ranks.first else lambda _: None,
            should_stop=should_stop,
        )
        return session.train(how, start)
