"""`rfav analyze`."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from rfav_cli.cli import values
from rfav_cli.cli.interrupts import INTERRUPTED, StopAfterCheckpoint
from rfav_cli.cli.output import emit


class Centering(str, enum.Enum):
    """How Eq. 6 centres the filters."""

    pearson = "pearson"
    paper = "paper"


class Layout(str, enum.Enum):
    """Axes of an array of samples."""

    nhwc = "nhwc"
    nchw = "nchw"
    nhw = "nhw"
    nct = "nct"
    nf = "nf"


class Device(str, enum.Enum):
    """Where the net runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


def _option(panel: str, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


def _flag(panel: str, text: str, *names: str) -> Any:
    return _option(panel, text, *names, metavar="")  # typer would show a type, as if a value were to be given


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
        _option(
            SAMPLES,
            "Held-out samples: an image folder (a sub-folder a class, or flat), a .npz, .npy, .pt or .h5 file, or "
            "cifar10:DIR, cifar100:DIR, tiny-imagenet:DIR, mnist:DIR.",
            metavar="SAMPLES",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        _option(
            NET,
            "What makes the net of a state_dict: module:factory, torchvision:NAME, timm:NAME or zoo:NAME. "
            "TorchScript and exported programs need none.",
            metavar="SPEC",
        ),
    ] = None,
    model_arg: Annotated[
        list[str],
        _option(NET, "KEY=VALUE, an argument for what makes the net; can be repeated.", metavar="ARG"),
    ] = [],  # noqa: B006 - typer reads the default and never gives it to us
    output: Annotated[
        str | None,
        _option(
            NET, "Index or key of the output that the loss is taken of; by default the first tensor.", metavar="KEY"
        ),
    ] = None,
    i_trust_this_pickle: Annotated[
        bool, _flag(NET, "Load pickles that may run code. Only for files that you made.", "--i-trust-this-pickle")
    ] = False,
    out: Annotated[
        Path, _option(RUN, "The store; it is continued if it exists.", "--out", "-o", metavar="FILE")
    ] = Path("rfav.h5"),
    epochs: Annotated[
        str | None,
        _option(RUN, "File names, {epoch} where the epoch stands, as in 'net_{epoch}_*.pt'.", metavar="PATTERN"),
    ] = None,
    layers: Annotated[
        list[str],
        _option(MEASURE, "Layers to measure; can be repeated. All but the classifier if not given.", metavar="GLOB"),
    ] = [],  # noqa: B006
    skip: Annotated[list[str], _option(MEASURE, "Layers to leave out; can be repeated.", metavar="GLOB")] = [],  # noqa: B006
    with_bias: Annotated[
        bool, _flag(MEASURE, "Measure activations with their bias (Eq. 1 has none).", "--with-bias")
    ] = False,
    fold_norm: Annotated[
        bool, _flag(MEASURE, "Measure activations after the batch normalisation that follows them.", "--fold-norm")
    ] = False,
    centering: Annotated[
        Centering,
        _option(
            MEASURE,
            "How filters are centred before they are correlated: each by its own mean (pearson), or as Eq. 6 is "
            "printed (paper).",
            metavar="HOW",
        ),
    ] = Centering.pearson,
    maps: Annotated[
        Any,
        _option(
            MEASURE,
            "Of how many samples heatmaps are kept: a number or 'all'.",
            parser=values.count_or_all,
            metavar="N|all",
        ),
    ] = 32,
    probe_size: Annotated[
        int, _option(SAMPLES, "Samples to run; chosen evenly over the classes.", min=1, metavar="N")
    ] = 1000,
    seed: Annotated[int, _option(SAMPLES, "Which samples are chosen.", min=0, metavar="N")] = 0,
    mean: Annotated[
        Any,
        _option(
            SAMPLES,
            "Mean to subtract: one number or one a channel (0.49,0.48,0.45).",
            parser=values.per_channel,
            metavar="NUMBERS",
        ),
    ] = None,
    std: Annotated[
        Any, _option(SAMPLES, "Deviation to divide by, likewise.", parser=values.per_channel, metavar="NUMBERS")
    ] = None,
    resize: Annotated[
        Any, _option(SAMPLES, "Resize images to a side or HEIGHTxWIDTH.", parser=values.image_size, metavar="S|HxW")
    ] = None,
    gray: Annotated[bool, _flag(SAMPLES, "Run images in one channel.", "--gray")] = False,
    layout: Annotated[
        Layout | None,
        _option(
            SAMPLES,
            "Axes of an array of samples, where its shape does not tell: nhwc, nchw, nhw, nct or nf.",
            metavar="AXES",
        ),
    ] = None,
    classes: Annotated[
        Path | None,
        _option(SAMPLES, "The class names in the order of the net's outputs, one a line.", metavar="FILE"),
    ] = None,
    device: Annotated[
        Device,
        _option(RUN, "Where the net runs: cpu, cuda, mps, or auto: CUDA when there is one.", metavar="DEVICE"),
    ] = Device.auto,
    batch_size: Annotated[
        Any, _option(RUN, "Samples a forward: a number or 'auto'.", parser=values.count_or_auto, metavar="N|auto")
    ] = "auto",
    skip_bad: Annotated[
        bool,
        _flag(RUN, "Go on without files that are no checkpoint of this net; the store records them.", "--skip-bad"),
    ] = False,
    fresh: Annotated[bool, _flag(RUN, "Measure the whole run anew and replace the store.", "--fresh")] = False,
    no_pack: Annotated[
        bool, _flag(RUN, "Leave each epoch in a file of its own, for other writers to add to.", "--no-pack")
    ] = False,
    shard: Annotated[
        str | None, _option(RUN, "Every Nth checkpoint from the Kth; implies --no-pack.", metavar="K/N")
    ] = None,
    quiet: Annotated[bool, _flag(RUN, "Print errors only.", "--quiet", "-q")] = False,
) -> None:
    """Run held-out samples through every checkpoint of a run and write the store."""
    from rfav_cli import api
    from rfav_cli.cli.progress import Reporter

    with Reporter(quiet=quiet) as reporter, StopAfterCheckpoint(out, reporter.say) as stop:
        history = api.analyze(
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
            report=reporter.report,
            should_stop=lambda: stop.requested,
        )
    if not quiet:
        run = history.run
        bad = f"; {len(history.bad)} files could not be used" if history.bad else ""
        emit(f"{out}: {len(history)} epochs, {len(run.layers)} layers, {run.probe.size:,} samples{bad}\n")
    if stop.requested:
        raise typer.Exit(INTERRUPTED)
