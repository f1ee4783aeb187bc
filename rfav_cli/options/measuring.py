"""The options of what measures a run: its checkpoints, as they are or as they come, or the net itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rfav_cli.options.field import group, keyword, option, required
from rfav_cli.options.groups import (
    Asked,
    Callbacks,
    Checkpoints,
    ChosenLayers,
    Device,
    Judging,
    Measured,
    Net,
    ProbeSize,
    Samples,
)
from rfav_cli.options.panels import (
    RUNS,
    SAMPLES,
    WATCH,
    WRITTEN,
)
from rfav_cli.options.stores import Written
from rfav_cli.records import ALONE, Ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rfav_cli.options.kinds import SampleObject
    from rfav_cli.records import History


@group
class Analyze(Checkpoints):
    """What `analyze` takes."""

    FIRST: ClassVar[tuple[str, ...]] = ("model", "probe", "out")

    checkpoints: str | Path | Sequence[str | Path] = required(
        help="Checkpoints of one run: files, folders or globs.",
        metavar="CHECKPOINTS",
        several=True,
        kw_only=False,
    )
    skip_bad: bool = option(
        default=False,
        help="Go on without files that are no checkpoint of this net; the store records them.",
        panel=RUNS,
    )
    no_pack: bool = option(
        default=False, help="Leave each epoch in a file of its own, for other writers to add to.", panel=RUNS
    )
    shard: str | None = option(
        default=None, help="Every Nth checkpoint from the Kth; implies --no-pack.", panel=RUNS, metavar="K/N"
    )
    ranks: Ranks = keyword(default=ALONE, help="Which of several ranks this is, where they share the checkpoints.")


@group
class Layers(Net, Asked, Samples, ProbeSize, Device, ChosenLayers):
    """What `layers` takes."""

    FIRST: ClassVar[tuple[str, ...]] = ("model", "probe")

    checkpoint: str | Path | None = option(
        default=None,
        help="A checkpoint of the net; without one it has the weights that its code gives it.",
        kind=Path,
        metavar="CHECKPOINT",
        kw_only=False,
    )
    probe: str | Path | SampleObject | None = option(
        default=None,
        help="Held-out samples, as for `analyze`; without them no forward is run, and the weights alone are listed.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )


@group
class Calibrate(Net, Asked, Samples, ProbeSize, Device, Written, Callbacks):
    """What `calibrate` takes."""

    FIRST: ClassVar[tuple[str, ...]] = ("model", "probe", "out")

    path: str | Path | History = option(
        default="rfav.h5",
        help="A store that `rfav analyze` wrote, or a checkpoint, which is measured on --probe.",
        kind=Path,
        metavar="STORE",
        kw_only=False,
    )
    probe: str | Path | SampleObject | None = option(
        default=None,
        help="Held-out samples with labels, as for `analyze`, to measure a checkpoint on.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    epoch: int | None = option(
        default=None,
        help="Which epoch of a store; the last by default.",
        kind=int,
        panel=RUNS,
        unit="number of an epoch",
        low=-1,
        metavar="N",
    )
    out: str | Path | None = option(
        default=None,
        help="Write what `--format json` prints, too; another such file there is replaced.",
        names=("--out", "-o"),
        kind=Path,
        panel=WRITTEN,
        metavar="FILE",
        from_project="inside",
    )


@group
class Watch(Checkpoints, Judging):
    """What `watch` takes."""

    FIRST: ClassVar[tuple[str, ...]] = ("model", "probe", "out")

    folder: str | Path = required(
        help="The folder that the training writes its checkpoints into, or a glob; it may not be there yet.",
        metavar="DIR",
        kw_only=False,
    )
    interval: float = option(
        default=2.0, help="Time between two looks at the folder.", panel=WATCH, unit="seconds", metavar="SECONDS"
    )
    patience: float = option(
        default=30.0,
        help="A file that cannot be read is tried again until it has not changed for so long; then it is skipped.",
        panel=WATCH,
        unit="seconds",
        metavar="SECONDS",
    )
    idle: float | None = option(
        default=None,
        help="End when no checkpoint has come for so long; by default it goes on.",
        kind=float,
        panel=WATCH,
        unit="seconds",
        metavar="SECONDS",
    )
    on_collapse: str | None = option(
        default=None,
        help="A command to run once when the run overfits, breaks or diverges, or a layer has collapsed, without a "
        "shell; RFAV_STORE, RFAV_EPOCH, RFAV_STATE and RFAV_LAYERS tell it what.",
        panel=WATCH,
        metavar="CMD",
        from_project="never",
    )
    until_collapse: bool = option(
        default=False,
        help="End with exit code 3 when the run overfits, breaks or diverges, or a layer has collapsed.",
        panel=WATCH,
    )


@group
class Monitored(Measured, Judging):
    """What a `Monitor` takes."""

    model: Any = required(help="The net that is trained.", kw_only=False)
    probe: str | Path | SampleObject = required(
        help="Held-out samples, as for `analyze`: a folder or a file, a named set such as cifar10:DIR, a Dataset, a "
        "DataLoader, or (x, y) as tensors or arrays.",
        kw_only=False,
    )
    store: str | Path = option(
        default="rfav.h5", help="Where the store goes; one of the same run is continued.", kw_only=False
    )
    make_model: Callable[[], Any] | None = keyword(
        default=None, help="Makes a net like it, for nets that cannot be copied."
    )
    on_error: str = keyword(
        default="warn",
        help="What becomes of an epoch that cannot be recorded: with 'warn' a warning, and the training goes on; with "
        "'raise' the error.",
    )
