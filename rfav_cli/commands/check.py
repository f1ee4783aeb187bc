"""The gate: whether the artefacts of a run may go on. On stores nothing of it needs torch."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.commands.check_paths import Analysis, names_stores
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.records import Place, Policy
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rfav_cli.records import Allowance, Baseline, Checked, CheckedStore, CheckReport, Event, History


def check(
    paths: str | Path | Sequence[str | Path] = ("rfav.h5",),
    *,
    fail_on: Sequence[str] = ("collapsed", "overfitting"),
    min_entropy: Sequence[tuple[str, float]] | Mapping[str, float] = (),
    max_correlation: Sequence[tuple[str, float]] | Mapping[str, float] = (),
    min_accuracy: float | None = None,
    baseline: str | Path | None = None,
    max_accuracy_drop: float | None = None,
    max_entropy_drop: Sequence[tuple[str, float]] | Mapping[str, float] = (),
    allow: Sequence[Allowance] = (),
    final: bool = False,
    allow_gaps: bool = False,
    last_epoch: int | None = None,
    write_baseline: str | Path | None = None,
    probe: str | Path | None = None,
    model: Any = None,
    model_arg: Sequence[str] = (),
    output: str | None = None,
    epochs: str | None = None,
    probe_size: int = 1000,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: int | tuple[int, int] | None = None,
    gray: bool = False,
    layout: str | None = None,
    classes: str | Path | None = None,
    device: str = "auto",
    i_trust_this_pickle: bool = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    place: Place = Place(),  # noqa: B008 - frozen
    report: Callable[[Event], None] = lambda _: None,
) -> CheckReport:
    """Decide by the verdict on a run, limits and a baseline whether its artefacts may go on.

    It never fails open: what is missing is a finding of its own, and the report's code is 2.

    Args:
        paths: stores, or checkpoints of one run, which are analysed first.
        fail_on: states that are flagged: "collapsed", "overfitting", "falling" (and worse), "correlated".
        min_entropy: glob of layers -> least entropy as a fraction of ln D.
        max_correlation: glob of layers -> largest mean |correlation| of the filters.
        min_accuracy: on the probe, between 0 and 1.
        baseline: the store of a good run, or the JSON file that `write_baseline` wrote.
        max_accuracy_drop: below the baseline's; 0.02 for None where both have labels.
        max_entropy_drop: glob of layers -> largest drop below the baseline's as a fraction of ln D; 0.1 for the others.
        allow: exceptions, each with a reason and a last day.
        final: judge the last checkpoint alone, by limits and the baseline.
        allow_gaps: go on where epochs are missing or lack figures.
        last_epoch: the epoch that must have been reached.
        write_baseline: a JSON file for the figures of the last epoch, written where nothing is found.
        probe: the held-out samples that checkpoints are analysed on; this and what follows is as for `analyze`.
        model: what makes the net of a state_dict.
        model_arg: "key=value" arguments for it.
        output: which of its outputs holds the class scores.
        epochs: pattern of the checkpoints' names.
        probe_size: how many samples.
        mean: to subtract from the samples.
        std: to divide them by.
        resize: of images.
        gray: images are run in one channel.
        layout: axes of an array of samples.
        classes: a file with the names of the classes.
        device: where the net runs.
        i_trust_this_pickle: load pickles that may run code.
        thresholds: where the verdict draws its lines.
        place: the file of the repository that findings are pointed at.
        report: is told what goes on while checkpoints are analysed.

    Raises:
        UsageError: a limit is no number, nothing would be checked, or the paths are no one kind.
        RfavError: a store, a checkpoint or the baseline cannot be read.
    """
    from rfav_cli import diagnosis

    policy = Policy(
        fail_on=tuple(fail_on),
        min_entropy=_limits(min_entropy),
        max_correlation=_limits(max_correlation),
        min_accuracy=min_accuracy,
        max_accuracy_drop=max_accuracy_drop,
        max_entropy_drop=_limits(max_entropy_drop),
        allow=tuple(allow),
        final=final,
        allow_gaps=allow_gaps,
        last_epoch=last_epoch,
    )
    diagnosis.check_policy(policy, compared=baseline is not None)
    given = [Path(path) for path in ([paths] if isinstance(paths, (str, Path)) else paths)]
    good = None if baseline is None else _baseline(Path(baseline))
    if names_stores(given):
        histories = [_store(path) for path in given]
    else:
        how = Analysis(
            probe=probe,
            model=model,
            model_arg=model_arg,
            output=output,
            epochs=epochs,
            probe_size=probe_size,
            mean=mean,
            std=std,
            resize=resize,
            gray=gray,
            layout=layout,
            classes=classes,
            device=device,
            i_trust_this_pickle=i_trust_this_pickle,
            report=report,
        )
        histories = [how.measured([str(path) for path in given])]
    done = _checked(histories, policy, good, thresholds, place)
    if write_baseline is not None:
        _write_baseline(histories, done, Path(write_baseline))
    return done


def explain(rule: str) -> str:
    """What a rule of `check` means and what to do about it, in Markdown.

    Args:
        rule: its id or its name, such as "RFAV003" or "falling-layer".

    Raises:
        UsageError: there is no such rule.
    """
    from rfav_cli.diagnosis import RULES
    from rfav_cli.render.check.base import explain as page
    from rfav_cli.text import printable

    for each in RULES.values():
        if rule.strip().lower() in {each.id.lower(), each.name}:
            return page(each)
    raise UsageError(f"there is no rule {printable(rule, 60)!r}", f"There are: {', '.join(RULES)}.")


def _limits(given: Sequence[tuple[str, float]] | Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(given.items() if hasattr(given, "items") else given)


def _store(path: Path) -> History:
    from rfav_cli.store import open_store

    return open_store(path)


def _baseline(path: Path) -> Baseline:
    from rfav_cli import baselines, diagnosis

    if not names_stores([path]):
        return baselines.load(path)
    history = _store(path)
    if not len(history):
        raise StoreError(f"{path}: has no epochs to be a baseline", "Analyze the good run first.")
    return diagnosis.baseline_of(history)


def _checked(
    histories: Sequence[History], policy: Policy, baseline: Baseline | None, thresholds: Thresholds, place: Place
) -> CheckReport:
    from rfav_cli import diagnosis
    from rfav_cli.records import CheckReport

    stores: list[CheckedStore] = []
    checked: list[Checked] = []
    for history in histories:
        store, found = diagnosis.check(history, policy, baseline, thresholds)
        stores.append(store)
        checked.extend(found)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    done, unused = diagnosis.with_exceptions(checked, policy.allow, today)
    return CheckReport(tuple(stores), done, diagnosis.RULES, place, unused)


def _write_baseline(histories: Sequence[History], done: CheckReport, path: Path) -> None:
    from rfav_cli import baselines, diagnosis

    if len(histories) > 1:
        raise UsageError("--write-baseline: several stores", "Give the one that is good.")
    if done.code == 0:
        baselines.write(diagnosis.baseline_of(histories[0]), path)
