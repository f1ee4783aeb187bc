"""The options of the gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.options import values
from rfav_cli.options.field import group, keyword, option
from rfav_cli.options.groups import (
    Asked,
    Device,
    Judging,
    Net,
    ProbeSize,
    Samples,
    unheard,
)
from rfav_cli.options.naming import Names
from rfav_cli.options.panels import (
    BASELINE,
    NET,
    POLICY,
    SAMPLES,
)
from rfav_cli.options.stores import Written
from rfav_cli.records import SourceLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rfav_cli.records import Allowance


@group
class Check(Net, Asked, Samples, ProbeSize, Device, Names, Written, Judging):
    """What `check` takes."""

    paths: str | Path | Sequence[str | Path] = option(
        default=("rfav.h5",),
        help="Stores (.h5), or checkpoints of one run with --probe.",
        metavar="STORE|CHECKPOINTS",
        several=True,
        kw_only=False,
    )
    fail_on: Sequence[str] = option(
        default=("collapsed", "overfitting"),
        help="States that are flagged, with commas: collapsed, overfitting, falling (or worse), correlated; or none.",
        panel=POLICY,
        read=values.states,
        metavar="STATES",
    )
    min_entropy: Sequence[tuple[str, float]] | Mapping[str, float] = option(
        default=(),
        help="Least entropy of layers in the last checkpoint, as a fraction of ln D; can be repeated. X alone: of all.",
        panel=POLICY,
        read=values.per_layer,
        metavar="[GLOB=]X",
        several=True,
    )
    max_correlation: Sequence[tuple[str, float]] | Mapping[str, float] = option(
        default=(),
        help="Largest mean |correlation| of the filters of layers, likewise.",
        panel=POLICY,
        read=values.per_layer,
        metavar="[GLOB=]X",
        several=True,
    )
    min_accuracy: float | None = option(
        default=None,
        help="Least accuracy on the probe, from 0 to 1.",
        panel=POLICY,
        read=values.share,
        metavar="X",
    )
    allow: Sequence[Allowance] = option(
        default=(),
        help=f"An exception: '{values.EXCEPTION}'; can be repeated. An expired one is flagged.",
        panel=POLICY,
        read=values.allowance,
        metavar="EXCEPTION",
        several=True,
    )
    final: bool = option(
        default=False, help="Judge the last checkpoint alone, by limits and the baseline; no states.", panel=POLICY
    )
    allow_gaps: bool = option(default=False, help="Go on where epochs are missing or lack figures.", panel=POLICY)
    last_epoch: int | None = option(
        default=None,
        help="The epoch that must have been reached.",
        kind=int,
        panel=POLICY,
        unit="epoch",
        low=0,
        metavar="N",
    )
    baseline: str | Path | None = option(
        default=None,
        help="The store of a good run, or what --write-baseline wrote.",
        kind=Path,
        panel=BASELINE,
        metavar="FILE",
    )
    max_accuracy_drop: float | None = option(
        default=None,
        help="How far the accuracy may be below the baseline's; 0.02 by default.",
        panel=BASELINE,
        read=values.share,
        metavar="X",
    )
    max_entropy_drop: Sequence[tuple[str, float]] | Mapping[str, float] = option(
        default=(),
        help="The same for the entropy of layers, as a fraction of ln D; 0.1 by default.",
        panel=BASELINE,
        read=values.per_layer,
        metavar="[GLOB=]X",
        several=True,
    )
    write_baseline: str | Path | None = option(
        default=None,
        help="Where nothing is found, write the last figures as a small JSON file to be committed; another baseline "
        "there is replaced.",
        kind=Path,
        panel=BASELINE,
        metavar="FILE",
        from_project="inside",
    )
    probe: str | Path | None = option(
        default=None,
        help="Held-out samples, as for `rfav analyze`.",
        panel=SAMPLES,
        metavar="SAMPLES",
        from_project="said",
    )
    output: str | None = option(
        default=None,
        help="Index or key of the output that holds the class scores. As a key: output, as for `rfav analyze`.",
        names=("--scores",),
        panel=NET,
        metavar="KEY",
    )
    location: SourceLocation = keyword(
        default=SourceLocation(), help="The file of the repository that findings are pointed at."
    )
    report: Callable[[Any], None] = keyword(
        default=unheard, help="Is called with what goes on while checkpoints are analysed."
    )
