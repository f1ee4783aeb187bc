"""`rfav train`."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from rfav_cli.cli import options, values
from rfav_cli.cli.interrupts import INTERRUPTED, Stop, safe_in_run
from rfav_cli.cli.options import Centering, Device, Layout, flag, option
from rfav_cli.cli.output import emit
from rfav_cli.cli.recommend import Rule
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.records import Ranks
from rfav_cli.thresholds import Thresholds


class Optimizer(str, enum.Enum):
    """What moves the weights."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"


class Schedule(str, enum.Enum):
    """What becomes of the learning rate."""

    constant = "constant"
    cosine = "cosine"
    step = "step"


NET, PENALTIES, SAMPLES, HOW, RUN = "The net", "The penalties", "The data", "How it is trained", "How it runs"


@with_thresholds
def train(
    data: Annotated[
        str,
        option(
            SAMPLES,
            "What to train on: an image folder (a sub-folder a class), a .npz, .npy, .pt or .h5 file with labels, or "
            "cifar10:DIR, cifar100:DIR, tiny-imagenet:DIR, mnist:DIR, fashion-mnist:DIR (their training splits).",
            metavar="SAMPLES",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        option(
            RUN,
            "The folder of the run: a checkpoint an epoch, log.jsonl, and rfav.h5 with --probe.",
            "--out",
            "-o",
            metavar="FOLDER",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        option(
            NET,
            "What makes the net: module:factory, torchvision:NAME, timm:NAME or zoo:NAME. --from-store knows a net of "
            "the zoo by itself.",
            metavar="SPEC",
        ),
    ] = None,
    model_arg: Annotated[list[str], options.model_arg(NET)] = [],  # noqa: B006 - typer never hands it out
    init: Annotated[
        str | None,
        option(
            NET,
            "The checkpoint to start from, or 'fresh'; by default what the recipe or the store rewinds to, else fresh.",
            metavar="FILE",
        ),
    ] = None,
    output: Annotated[str | None, options.output(NET)] = None,
    i_trust_this_pickle: Annotated[bool, options.trust(NET)] = False,
    recipe: Annotated[
        str | None,
        option(
            PENALTIES,
            "Which layers get which penalties: what `rfav recommend --out` wrote, or paper:sr1, paper:sr2, paper:sr3.",
            metavar="RECIPE",
        ),
    ] = None,
    from_store: Annotated[
        Path | None,
        option(
            PENALTIES,
            "Judge the run in this store and do what follows: penalties on its ill layers, from the checkpoint before "
            "it went wrong. A healthy run is not trained again.",
            metavar="STORE",
        ),
    ] = None,
    rule: Annotated[
        Rule,
        option(PENALTIES, "How lambda follows from a layer of that store: even, paper or balanced.", metavar="RULE"),
    ] = Rule.even,
    squared: Annotated[
        bool, flag(PENALTIES, "Sum the squares of the correlations in Eq. 7, not the correlations.", "--squared")
    ] = False,
    with_bias: Annotated[
        bool, flag(PENALTIES, "Penalise activations with their bias (Eq. 1 has none).", "--with-bias")
    ] = False,
    fold_norm: Annotated[
        bool,
        flag(PENALTIES, "Penalise activations after the batch normalisation that follows them.", "--fold-norm"),
    ] = False,
    centering: Annotated[
        Centering,
        option(
            PENALTIES,
            "How Eq. 6 centres the filters: each by its own mean (pearson), or as printed (paper). This, --with-bias "
            "and --fold-norm are those of the store with --from-store, or of a recipe that has them.",
            metavar="HOW",
        ),
    ] = Centering.pearson,
    validation: Annotated[
        str,
        option(
            SAMPLES,
            "What to validate on: a share of the data, or samples of their own as for --data; 0 for nothing.",
            metavar="SAMPLES",
        ),
    ] = "0.1",
    probe: Annotated[
        str | None,
        option(
            SAMPLES,
            "Held-out samples that each checkpoint is analysed on as it comes, into FOLDER/rfav.h5.",
            metavar="SAMPLES",
        ),
    ] = None,
    probe_size: Annotated[
        int, option(SAMPLES, "Samples of the probe; chosen evenly over the classes.", min=1, metavar="N")
    ] = 1000,
    augment: Annotated[
        Any,
        option(
            SAMPLES,
            "flip, crop, or both with a comma: images flipped from left to right, moved by up to an eighth of a side.",
            parser=values.words,
            metavar="WORDS",
        ),
    ] = (),
    mean: Annotated[Any, options.mean(SAMPLES)] = None,
    std: Annotated[Any, options.std(SAMPLES)] = None,
    resize: Annotated[Any, options.resize(SAMPLES)] = None,
    gray: Annotated[bool, options.gray(SAMPLES)] = False,
    layout: Annotated[Layout | None, options.layout(SAMPLES)] = None,
    classes: Annotated[Path | None, options.classes(SAMPLES)] = None,
    skip_unreadable: Annotated[
        bool, flag(SAMPLES, "Go on without samples that cannot be read; they are listed.", "--skip-unreadable")
    ] = False,
    optimizer: Annotated[Optimizer, option(HOW, "sgd, adam or adamw.", metavar="NAME")] = Optimizer.sgd,
    learning_rate: Annotated[
        float | None, option(HOW, "By default 0.01 for sgd, 0.001 for adam and adamw.", metavar="X")
    ] = None,
    momentum: Annotated[float, option(HOW, "Of sgd; the paper has none.", metavar="X")] = 0.0,
    weight_decay: Annotated[float, option(HOW, "On all parameters.", metavar="X")] = 0.0,
    schedule: Annotated[
        Schedule,
        option(
            HOW,
            "The learning rate over the epochs: constant, cosine (half of one), or step (a tenth after half of them, "
            "another after three quarters).",
            metavar="NAME",
        ),
    ] = Schedule.constant,
    epochs: Annotated[int, option(HOW, "How many.", min=1, metavar="N")] = 100,
    batch_size: Annotated[int, option(HOW, "Samples a step, of all processes together.", min=1, metavar="N")] = 64,
    seed: Annotated[
        int,
        option(HOW, "Of fresh weights, the split, the order of samples, augmentation and dropout.", min=0, metavar="N"),
    ] = 0,
    amp: Annotated[bool, flag(HOW, "Run forwards in bfloat16 where that is safe.", "--amp")] = False,
    keep: Annotated[
        Any,
        option(
            RUN, "How many of the last checkpoints to keep: a number or 'all'.", parser=values.kept, metavar="N|all"
        ),
    ] = "all",
    resume: Annotated[
        bool, flag(RUN, "Go on with the run in the folder, or begin it where there is none.", "--resume")
    ] = False,
    device: Annotated[Device, options.device(RUN)] = Device.auto,
    workers: Annotated[int, option(RUN, "Threads that read samples ahead; 0 for none.", min=0, metavar="N")] = 2,
    quiet: Annotated[bool, flag(RUN, "Print errors only.", "--quiet", "-q")] = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Train a net with penalties on the layers that need them, a checkpoint an epoch."""
    import rfav_cli
    from rfav_cli.cli.training import TrainingReporter, summary

    ranks = Ranks.of_torchrun()
    with (
        TrainingReporter(quiet=quiet or not ranks.first) as reporter,
        Stop("step", reporter.say, lambda: safe_in_run(out), ranks) as stop,
    ):
        done = rfav_cli.train(
            data=data,
            out=out,
            model=model,
            model_arg=model_arg,
            recipe=recipe,
            from_store=from_store,
            rule=rule.value,
            init=init,
            validation=validation,
            optimizer=optimizer.value,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            schedule=schedule.value,
            epochs=epochs,
            batch_size=batch_size,
            augment=augment,
            seed=seed,
            with_bias=with_bias,
            fold_norm=fold_norm,
            centering=centering.value,
            squared=squared,
            output=output,
            probe=probe,
            probe_size=probe_size,
            mean=mean,
            std=std,
            resize=resize,
            gray=gray,
            layout=layout.value if layout else None,
            classes=classes,
            skip_unreadable=skip_unreadable,
            keep=keep,
            resume=resume,
            device=device.value,
            amp=amp,
            workers=workers,
            i_trust_this_pickle=i_trust_this_pickle,
            thresholds=thresholds,
            ranks=ranks,
            report=reporter.report,
            should_stop=lambda: stop.requested,
        )
    if not quiet and ranks.first:
        emit(summary(done))
    if stop.requested and not done.ended:
        raise typer.Exit(INTERRUPTED)
