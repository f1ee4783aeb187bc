"""`rfav analyze`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from rfav_cli.cli import options, values
from rfav_cli.cli.interrupts import INTERRUPTED, Stop, safe_in_store
from rfav_cli.cli.options import Centering, Device, Layout, flag, option
from rfav_cli.cli.output import emit, held
from rfav_cli.records import Ranks

NET, SAMPLES, MEASURE, RUN = "The net", "The probe", "What is measured", "How it runs"


def analyze(
    checkpoints: Annotated[
        list[str],
        typer.Argument(
            metavar="CHECKPOINTS", help="Checkpoints of one run: files, folders or globs.", show_default=False
        ),
    ],
    probe: Annotated[
        str,
        option(
            SAMPLES,
            "Held-out samples: an image folder (a sub-folder a class, or flat), a .npz, .npy, .pt or .h5 file, or "
            "cifar10:DIR, cifar100:DIR, tiny-imagenet:DIR, mnist:DIR, fashion-mnist:DIR.",
            metavar="SAMPLES",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        option(
            NET,
            "What makes the net of a state_dict: module:factory, torchvision:NAME, timm:NAME or zoo:NAME. "
            "TorchScript and exported programs need none.",
            metavar="SPEC",
        ),
    ] = None,
    model_arg: Annotated[list[str], options.model_arg(NET)] = [],  # noqa: B006 - typer never hands it out
    output: Annotated[str | None, options.output(NET)] = None,
    i_trust_this_pickle: Annotated[bool, options.trust(NET)] = False,
    out: Annotated[Path, option(RUN, "The store; it is continued if it exists.", "--out", "-o", metavar="FILE")] = Path(
        "rfav.h5"
    ),
    epochs: Annotated[
        str | None,
        option(RUN, "File names, {epoch} where the epoch stands, as in 'net_{epoch}_*.pt'.", metavar="PATTERN"),
    ] = None,
    layers: Annotated[
        list[str],
        option(MEASURE, "Layers to measure; can be repeated. All but the classifier if not given.", metavar="GLOB"),
    ] = [],  # noqa: B006
    skip: Annotated[list[str], option(MEASURE, "Layers to leave out; can be repeated.", metavar="GLOB")] = [],  # noqa: B006
    with_bias: Annotated[
        bool, flag(MEASURE, "Measure activations with their bias (Eq. 1 has none).", "--with-bias")
    ] = False,
    fold_norm: Annotated[
        bool, flag(MEASURE, "Measure activations after the batch normalisation that follows them.", "--fold-norm")
    ] = False,
    centering: Annotated[
        Centering,
        option(
            MEASURE,
            "How filters are centred before they are correlated: each by its own mean (pearson), or as Eq. 6 is "
            "printed (paper).",
            metavar="HOW",
        ),
    ] = Centering.pearson,
    no_outputs: Annotated[
        bool,
        flag(
            MEASURE,
            "Stop each forward after the last measured layer where the probe has no labels; the verdict then rests on "
            "entropy alone. With labels it changes nothing: the loss needs the output.",
            "--no-outputs",
        ),
    ] = False,
    maps: Annotated[
        Any,
        option(
            MEASURE,
            "Of how many samples heatmaps are kept: a number or 'all'.",
            parser=values.count_or_all,
            metavar="N|all",
        ),
    ] = 32,
    probe_size: Annotated[
        int, option(SAMPLES, "Samples to run; chosen evenly over the classes.", min=1, metavar="N")
    ] = 1000,
    seed: Annotated[int, option(SAMPLES, "Which samples are chosen.", min=0, metavar="N")] = 0,
    mean: Annotated[Any, options.mean(SAMPLES)] = None,
    std: Annotated[Any, options.std(SAMPLES)] = None,
    resize: Annotated[Any, options.resize(SAMPLES)] = None,
    gray: Annotated[bool, options.gray(SAMPLES)] = False,
    layout: Annotated[Layout | None, options.layout(SAMPLES)] = None,
    classes: Annotated[Path | None, options.classes(SAMPLES)] = None,
    device: Annotated[Device, options.device(RUN)] = Device.auto,
    batch_size: Annotated[
        Any, option(RUN, "Samples a forward: a number or 'auto'.", parser=values.count_or_auto, metavar="N|auto")
    ] = "auto",
    skip_bad: Annotated[
        bool,
        flag(RUN, "Go on without files that are no checkpoint of this net; the store records them.", "--skip-bad"),
    ] = False,
    fresh: Annotated[bool, flag(RUN, "Measure the whole run anew and replace the store.", "--fresh")] = False,
    no_pack: Annotated[
        bool, flag(RUN, "Leave each epoch in a file of its own, for other writers to add to.", "--no-pack")
    ] = False,
    shard: Annotated[
        str | None, option(RUN, "Every Nth checkpoint from the Kth; implies --no-pack.", metavar="K/N")
    ] = None,
    tensorboard: Annotated[
        Path | None,
        option(
            RUN,
            "Write scalars, histograms and images for TensorBoard, too; those of an earlier analysis there are "
            "replaced.",
            metavar="FOLDER",
        ),
    ] = None,
    quiet: Annotated[bool, flag(RUN, "Print errors only.", "--quiet", "-q")] = False,
) -> None:
    """Run held-out samples through every checkpoint of a run and write the store."""
    import rfav_cli
    from rfav_cli.cli.progress import Reporter
    from rfav_cli.render.base import count
    from rfav_cli.tensorboard import event_files

    ranks = Ranks.of_torchrun()
    if tensorboard is not None and ranks.first:
        event_files.check(tensorboard)
    with (
        Reporter(quiet=quiet, beside=not ranks.first) as reporter,
        Stop("checkpoint", reporter.say, lambda: safe_in_store(out), ranks) as stop,
    ):
        history = rfav_cli.analyze(
            checkpoints,
            probe=probe,
            model=model,
            model_arg=model_arg,
            out=out,
            epochs=epochs,
            layers=layers,
            skip=skip,
            with_bias=with_bias,
            fold_norm=fold_norm,
            centering=centering.value,
            output=output,
            no_outputs=no_outputs,
            maps=maps,
            probe_size=probe_size,
            seed=seed,
            mean=mean,
            std=std,
            resize=resize,
            gray=gray,
            layout=layout.value if layout else None,
            classes=classes,
            device=device.value,
            batch_size=batch_size,
            skip_bad=skip_bad,
            fresh=fresh,
            no_pack=no_pack,
            shard=shard,
            i_trust_this_pickle=i_trust_this_pickle,
            ranks=ranks,
            report=reporter.report,
            should_stop=lambda: stop.requested,
        )
    if tensorboard is not None and ranks.first:
        event_files.write(history, tensorboard)
        reporter.say(f"note: all epochs in TensorBoard: {event_files.command(history, tensorboard)}")
    if not quiet and ranks.first:
        bad = f"; {count(len(history.bad), 'file')} could not be used" if history.bad else ""
        emit(f"{held(out, history)}{bad}\n")
    if stop.requested:
        raise typer.Exit(INTERRUPTED)
