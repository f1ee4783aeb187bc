"""The options of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from rfav_cli.options import values
from rfav_cli.options.field import group, keyword, option, required
from rfav_cli.options.groups import (
    NETS,
    Activations,
    Callbacks,
    Device,
    Judging,
    Net,
    ProbeSize,
    Samples,
    Stopped,
)
from rfav_cli.options.hyperparameters import Hyperparameters
from rfav_cli.options.panels import (
    NET,
    PENALTIES,
    RUNS,
    SAMPLES,
)
from rfav_cli.options.stores import RuleOfLambda
from rfav_cli.records import ALONE, Ranks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.options.kinds import SampleObject
    from rfav_cli.records import Recipe


@group
class Train(Net, Samples, ProbeSize, Activations, RuleOfLambda, Hyperparameters, Device, Judging, Callbacks, Stopped):
    """What `train` takes."""

    FIRST: ClassVar[tuple[str, ...]] = ("model", "data", "recipe", "from_store", "out")
    HELP: ClassVar[Mapping[str, str]] = {
        "model": f"What makes the net: {NETS}. --from-store knows a net of the zoo by itself.",
        "with_bias": "Penalise (and measure) activations with their bias (Eq. 1 has none).",
        "no_fold_norm": "Penalise (and measure) activations before the batch normalisation that follows them, where "
        "their scale is free, and not after it.",
        "centering": "How Eq. 6 centres the filters: each by its own mean (pearson), or as printed (paper). This, "
        "--with-bias and --no-fold-norm are those of the store with --from-store, or of a recipe that has them.",
        "rule": "How lambda follows from a layer of that store: even (the default where it is advised), adaptive (the "
        "default elsewhere), paper or balanced.",
        "signed": "With --from-store, weigh the signed sum of Eq. 7, as printed; a recipe says which it takes.",
    }

    data: str | Path | SampleObject = required(
        help="What to train on: an image folder (a sub-folder a class), a .npz, .npy, .pt or .h5 file with labels, a "
        "Dataset, DataLoader or (x, y) of your code (data.py:train_set), or {names} (their training splits).",
        named="rfav_cli.data.sources:NAMED",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    out: str | Path = required(
        help="The folder of the run: a checkpoint an epoch, log.jsonl, and rfav.h5 with --probe.",
        names=("--out", "-o"),
        kind=Path,
        panel=RUNS,
        metavar="FOLDER",
        from_project="inside",
    )
    init: str | Path | None = option(
        default=None,
        help="The checkpoint to start from, or 'fresh'; by default what the recipe or the store rewinds to, else "
        "fresh.",
        panel=NET,
        metavar="FILE",
    )
    recipe: str | Path | Recipe | None = option(
        default=None,
        help="Which layers get which penalties: what `rfav recommend --out` wrote, or paper:sr1, paper:sr2, paper:sr3.",
        panel=PENALTIES,
        metavar="RECIPE",
    )
    from_store: str | Path | None = option(
        default=None,
        help="Judge the run in this store and do what follows: penalties on its flagged layers and its predictions, "
        "from the checkpoint of the lowest held-out loss. A healthy run is not trained again.",
        kind=Path,
        panel=PENALTIES,
        metavar="STORE",
    )
    validation: str | float | Path | SampleObject = option(
        default="0.1",
        help="What to validate on: a share of the data, or samples of their own as for --data; 0 for nothing.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    probe: str | Path | SampleObject | None = option(
        default=None,
        help="Held-out samples that each checkpoint is analysed on as it comes, into FOLDER/rfav.h5.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    skip_unreadable: bool = option(
        default=False, help="Go on without samples that cannot be read; they are listed.", panel=SAMPLES
    )
    keep: int | Literal["all"] = option(
        default="all",
        help="How many of the last checkpoints to keep: a number or 'all'.",
        panel=RUNS,
        kind=int,
        low=1,
        read=values.number_to_keep,
        unit="checkpoints",
        metavar="N|all",
    )
    resume: bool = option(
        default=False, help="Go on with the run in the folder, or begin it where there is none.", panel=RUNS
    )
    workers: int = option(
        default=2, help="Threads that read samples ahead; 0 for none.", panel=RUNS, unit="threads", low=0, metavar="N"
    )
    ranks: Ranks = keyword(
        default=ALONE,
        help="Which of several ranks this is, where they train together; the first alone writes and reports.",
    )
