"""Options that several commands have, a group each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rfav_cli.options import values
from rfav_cli.options.field import Options, group, keyword, option, required
from rfav_cli.options.naming import Names
from rfav_cli.options.panels import MEASURED, NET, RUNS, SAMPLES, TRUSTED
from rfav_cli.options.programs import Programs
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records.tasks import AUTO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.options.kinds import SampleObject
    from rfav_cli.records import Centering

NETS = (
    "module:factory or my/file.py:factory (a function or class of yours), torchvision:NAME, timm:NAME, "
    "zoo:NAME, or hf: or hf:FOLDER (as the config.json of the checkpoints, or of a folder, says)"
)
"""What `--model` takes."""


def unheard(_event: Any) -> None:
    """The default of `report`: it ignores each event."""


def never() -> bool:
    """The default of `should_stop`: the run goes on to its end."""
    return False


@group
class Output(Options):
    """Which output of a net holds the scores."""

    output: str | None = option(
        default=None,
        help="Index or key of the output that holds the class scores, with dots between where it is nested; by default "
        "it is found by its name, its width and its rows.",
        panel=NET,
        metavar="KEY",
    )


@group
class Asked(Options):
    """What a net is asked for, and the loss of that."""

    task: str = option(
        default=AUTO,
        help="What the net is asked for: classes (one of many), binary (one of two, by one score), multilabel (tags), "
        "regression (numbers) or pixels (a class for each); other is for --loss. By default its output and the labels "
        "tell.",
        panel=NET,
        choices="rfav_cli.records.tasks:CHOICES",
        metavar="TASK",
    )
    loss: str | Callable[..., Any] | None = option(
        default=None,
        help="A held-out loss of your own, in place of the task's, as module:function or my/file.py:fn: it takes the "
        "net's output and the labels of n samples, and gives n numbers.",
        panel=NET,
        metavar="SPEC",
        from_project="said",
    )


@group
class Net(Output, Programs):
    """What makes a net, and how its files are read."""

    model: str | Callable[..., Any] | None = option(
        default=None,
        help=f"What makes the net of a state_dict: {NETS}. TorchScript and exported programs need none.",
        panel=NET,
        metavar="SPEC",
        from_project="said",
    )
    model_arg: Sequence[str] = option(
        default=(),
        help="KEY=VALUE, an argument for what makes the net; can be repeated.",
        panel=NET,
        metavar="ARG",
        several=True,
        from_project="said",
    )
    weights: str | None = option(
        default=None,
        help="Which weights of a checkpoint that holds several: ema (averages), model (those that were trained), or "
        "the key that they are under. By default those under a usual name, trained ones first; a note names them.",
        panel=NET,
        metavar="KEY",
    )
    i_trust_this_pickle: bool = option(
        default=False,
        help="Load pickles that may run code. Only for files that you made.",
        panel=TRUSTED,
        from_project="never",
    )
    i_trust_this_program: bool = option(
        default=False,
        help="Run programs (TorchScript, .pt2) with operators that nets do not need. Only for files that you made.",
        panel=TRUSTED,
        from_project="never",
    )


@group
class Samples(Options):
    """How samples are read."""

    transform: str | Callable[..., Any] | None = option(
        default=None,
        help="What images go through, as in training: imagenet (shorter side 256, its middle 224x224, the usual mean "
        "and deviation), timm (what the net of --model timm:NAME was made for), hf:FOLDER (what "
        "its preprocessor does), or a callable of your code on a PIL image (data.py:eval).",
        panel=SAMPLES,
        metavar="TRANSFORM",
        from_project="said",
    )
    mean: Sequence[float] | str | None = option(
        default=None,
        help="Mean to subtract, of values between 0 and 1, since bytes are divided by 255 first: one number or one a "
        "channel (0.49,0.48,0.45), or by name, with its deviation: imagenet, cifar10, cifar100, mnist, clip or half. "
        "Floating-point arrays are in their own units. A named set has its own.",
        panel=SAMPLES,
        read=values.per_channel,
        metavar="NUMBERS",
    )
    std: Sequence[float] | str | None = option(
        default=None,
        help="Standard deviation to divide by, likewise.",
        panel=SAMPLES,
        read=values.per_channel,
        metavar="NUMBERS",
    )
    resize: int | tuple[int, int] | None = option(
        default=None,
        help="Resize images to a square of this side or HEIGHTxWIDTH in pixels; with --center-crop one number is the "
        "shorter side, and the longer one follows.",
        panel=SAMPLES,
        read=values.image_size,
        unit="pixels",
        metavar="S|HxW",
    )
    center_crop: int | tuple[int, int] | None = option(
        default=None,
        help="Cut a square of this side, or HEIGHTxWIDTH in pixels, out of the middle of each image.",
        panel=SAMPLES,
        read=values.image_size,
        unit="pixels",
        metavar="S|HxW",
    )
    gray: bool = option(
        default=False,
        help="Read images as gray ones, with one channel. A probe is, where the net takes no other.",
        panel=SAMPLES,
    )
    rgb: bool = option(
        default=False,
        help="Read gray images as coloured ones, with three equal channels. A probe is, where the net takes no other.",
        panel=SAMPLES,
    )
    layout: str | None = option(
        default=None,
        help="Axes of an array, where its shape does not tell: nhwc, nchw, nhw, nct, nf, ncthw, nthwc or ntchw.",
        panel=SAMPLES,
        choices="rfav_cli.data.axes:LAYOUTS",
        metavar="AXES",
    )
    classes: str | Path | None = option(
        default=None,
        help="The class names in the order of the net's outputs, one a line.",
        panel=SAMPLES,
        kind=Path,
        metavar="FILE",
    )


@group
class ProbeSize(Options):
    """How many samples of a probe are run."""

    probe_size: int = option(
        default=1000,
        help="Samples of the probe to run, and of a training probe; chosen evenly over the classes.",
        panel=SAMPLES,
        unit="samples",
        low=1,
        metavar="N",
    )


@group
class Activations(Options):
    """What an activation is, and what a correlation."""

    with_bias: bool = option(
        default=False, help="Measure activations with their bias (Eq. 1 has none).", panel=MEASURED
    )
    no_fold_norm: bool = option(
        default=False,
        help="Measure activations before the batch normalisation that follows them, where their scale is free, and not "
        "after it.",
        panel=MEASURED,
    )
    centering: Centering = option(
        default="pearson",
        help="How filters are centred before they are correlated: each by its own mean (pearson), or as Eq. 6 is "
        "printed (paper).",
        panel=MEASURED,
        choices="rfav_cli.records:CENTERINGS",
        metavar="HOW",
    )


@group
class Device(Options):
    """Where a net runs."""

    device: str = option(
        default="auto",
        help="Where the net runs: cpu, cuda, mps, or auto: CUDA when there is one.",
        panel=RUNS,
        choices=("auto", "cpu", "cuda", "mps"),
        metavar="DEVICE",
    )


@group
class Callbacks(Options):
    """How the caller follows a run."""

    report: Callable[[Any], None] = keyword(
        default=unheard, help="Is called with each event: a note, progress, a result."
    )


@group
class Stopped(Options):
    """How the caller ends a run."""

    should_stop: Callable[[], bool] = keyword(
        default=never, help="Is asked again and again; True ends the run in good order."
    )


@group
class ChosenLayers(Options):
    """Which layers are measured."""

    layers: Sequence[str] = option(
        default=(),
        help="Layers to measure; can be repeated. All but the classifier if not given.",
        panel=MEASURED,
        metavar="GLOB",
        several=True,
    )
    skip: Sequence[str] = option(
        default=(), help="Layers to skip; can be repeated.", panel=MEASURED, metavar="GLOB", several=True
    )


@group
class Recording(Callbacks, ChosenLayers):
    """Which layers are measured, and how, whatever their weights come from."""

    batch_size: int | Literal["auto"] = option(
        default="auto",
        help="Samples a forward: a number or 'auto'.",
        panel=RUNS,
        kind=int,
        low=1,
        read=values.count_or_auto,
        unit="samples",
        metavar="N|auto",
    )
    fresh: bool = option(default=False, help="Measure the whole run anew and replace the store.", panel=RUNS)

    @property
    def samples_a_forward(self) -> int | None:
        """The batch size, or None for what suits."""
        return None if self.batch_size == "auto" else self.batch_size


@group
class Measured(Output, Asked, Samples, ProbeSize, Activations, Device, Recording):
    """What is measured of a net, whatever its weights come from."""

    no_outputs: bool = option(
        default=False,
        help="Stop each forward after the last measured layer where the probe has no labels; the verdict then rests on "
        "entropy alone. With labels it changes nothing: the loss needs the output.",
        panel=MEASURED,
    )
    maps: int | Literal["all"] = option(
        default=32,
        help="Of how many samples heatmaps are kept: a number or 'all'.",
        panel=MEASURED,
        kind=int,
        low=0,
        read=values.count_or_all,
        unit="samples",
        metavar="N|all",
    )
    seed: int = option(default=0, help="Seed of the choice of samples.", panel=SAMPLES, low=0, metavar="N")


@group
class Checkpoints(Net, Measured, Names, Stopped):
    """What checkpoints are measured on, and where the figures go."""

    probe: str | Path | SampleObject = required(
        help="Held-out samples: an image folder (a sub-folder a class, or flat), a .npz, .npy, .pt or .h5 file, a "
        "Dataset, DataLoader or (x, y) of your code (my_pkg.data:val_set, path/to/file.py:val_set), or {names}. From "
        "Python the object itself.",
        named="rfav_cli.data.sources:NAMED",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    train_probe: str | Path | SampleObject | None = option(
        default=None,
        help="Samples that the net was trained on, of the same kinds and read in the same way, as many; labels are not "
        "needed. How sure the net is of them is measured beside the probe.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    out: str | Path = option(
        default="rfav.h5",
        help="The store; it is continued if it exists.",
        names=("--out", "-o"),
        kind=Path,
        panel=RUNS,
        metavar="FILE",
        from_project="inside",
    )


@group
class Judging(Options):
    """Where a verdict draws its lines: one value from Python, an option each on the command line."""

    thresholds: Thresholds = keyword(default=Thresholds(), help="Where the verdict draws its lines.")
