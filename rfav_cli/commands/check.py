"""The gate: whether the artefacts of a run may go on. On stores nothing of it needs torch."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.options import Analyze, Check, flat
from rfav_cli.records import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rfav_cli.files.outputs import Output
    from rfav_cli.options import Thresholds
    from rfav_cli.records import Baseline, Checked, CheckedStore, CheckReport, History, SourceLocation

STORE_ENDS = (".h5", ".hdf5")
CACHE = "rfav-check.h5"
"""The store that checkpoints are analysed into, beside them; of remote ones in the current folder."""


def run(options: Check) -> CheckReport:
    """Decide by the verdict on a run, limits and a baseline whether its artefacts may go on.

    It never fails open: what is missing is a finding of its own, and the report's code is 2.

    Raises:
        UsageError: a limit is no number, nothing would be checked, or the paths are no one kind.
        OutputError: the baseline can't be written there.
        RfavError: a store, a checkpoint or the baseline cannot be read.
    """
    return checked_into(options, {})


def checked_into(options: Check, formats: Mapping[Path, str]) -> CheckReport:
    """Decide as `run` does, and write what was found into files besides: these and the baseline, or none of them.

    Args:
        options: of `check`.
        formats: path -> the name of its format.

    Raises:
        RfavError: as of `run`; OutputError where any of the files can't be written.
    """
    from rfav_cli import baselines, diagnosis
    from rfav_cli.files.outputs import check_outputs, write_outputs
    from rfav_cli.render import Screen
    from rfav_cli.render.ci import render_check

    policy = _policy(options)
    diagnosis.check_policy(policy, compared=options.baseline is not None)
    paths = [Path(path) for path in ([options.paths] if isinstance(options.paths, (str, Path)) else options.paths)]
    good = None if options.baseline is None or _writes_first(options) else _baseline(Path(options.baseline))
    found, good_run = _outputs(options, formats)
    check_outputs([*found, *good_run], force=options.force)
    if names_stores(paths):
        if good_run and len(paths) > 1:
            raise UsageError("--write-baseline: several stores", "Give the one that is good.")
        histories = [_store(path) for path in paths]
    else:
        histories = [measured([str(path) for path in paths], options)]
    done = _checked(histories, policy, good, options.thresholds, options.location)
    contents = {output: [render_check(done, name, Screen()).encode()] for output, name in found.items()}
    if done.code == 0:
        contents |= {output: [baselines.dump(diagnosis.baseline_of(histories[0])).encode()] for output in good_run}
    write_outputs(contents, force=options.force)
    return done


check = flat(Check, run)


def _outputs(options: Check, formats: Mapping[Path, str]) -> tuple[dict[Output, str], list[Output]]:
    """The files that what was found goes into, with their formats, and that of the baseline, which may be renewed."""
    from rfav_cli import baselines
    from rfav_cli.files.outputs import Output
    from rfav_cli.render.ci import mark_of

    reads = [options.paths, options.probe, options.model, options.loss, options.transform, options.classes]
    found = {
        Output(path, "rfav check", "choose another --output", mark_of(name), [*reads, options.baseline]): name
        for path, name in formats.items()
    }
    if options.write_baseline is None:
        return found, []
    written = Path(options.write_baseline)
    return found, [
        Output(written, "rfav check --write-baseline", "choose another --write-baseline", baselines.is_ours, reads)
    ]


def _policy(options: Check) -> Policy:
    """What the options ask for."""
    return Policy(
        fail_on=tuple(options.fail_on),
        min_entropy=_limits(options.min_entropy),
        max_correlation=_limits(options.max_correlation),
        min_accuracy=options.min_accuracy,
        max_accuracy_drop=options.max_accuracy_drop,
        max_entropy_drop=_limits(options.max_entropy_drop),
        allow=tuple(options.allow),
        final=options.final,
        allow_gaps=options.allow_gaps,
        last_epoch=options.last_epoch,
    )


def explain(rule: str) -> str:
    """What a rule of `check` means and what to do about it, in Markdown.

    Args:
        rule: its id or its name, such as "RFAV003" or "falling-layer".

    Raises:
        UsageError: there is no such rule.
    """
    from rfav_cli.diagnosis import RULES
    from rfav_cli.render.ci.base import explain as page
    from rfav_cli.text import printable

    for described in RULES.values():
        if rule.strip().lower() in {described.id.lower(), described.name}:
            return page(described)
    raise UsageError(f"there is no rule {printable(rule, 60)!r}", f"There are: {', '.join(RULES)}.")


def _limits(limits: Sequence[tuple[str, float]] | Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(limits.items() if hasattr(limits, "items") else limits)


def _store(path: Path) -> History:
    from rfav_cli.store import open_store

    return open_store(path)


def _writes_first(options: Check) -> bool:
    """Whether the baseline that the policy names is the one that is to be written, and is not there yet.

    A project's policy names its baseline before there is one, and this run is the first that may become it.
    """
    if options.baseline is None or options.write_baseline is None:
        return False
    named, written = Path(options.baseline), Path(options.write_baseline)
    return not named.exists() and named.absolute() == written.absolute()


def _baseline(path: Path) -> Baseline:
    from rfav_cli import baselines, diagnosis

    if not names_stores([path]):
        return baselines.load(path)
    history = _store(path)
    if not len(history):
        raise StoreError(f"{path}: has no epochs to be a baseline", "Analyze the good run first.")
    return diagnosis.baseline_of(history)


def _checked(
    histories: Sequence[History],
    policy: Policy,
    baseline: Baseline | None,
    thresholds: Thresholds,
    location: SourceLocation,
) -> CheckReport:
    from rfav_cli import diagnosis
    from rfav_cli.records import CheckReport

    stores: list[CheckedStore] = []
    checked: list[Checked] = []
    for history in histories:
        store, results = diagnosis.check(history, policy, baseline, thresholds)
        stores.append(store)
        checked.extend(results)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    done, unused = diagnosis.with_exceptions(checked, policy.allow, today)
    return CheckReport(tuple(stores), done, diagnosis.RULES, location, unused)


def names_stores(paths: Sequence[Path]) -> bool:
    """Whether these are stores, by their endings, and not checkpoints.

    Raises:
        UsageError: there are none, or some are and some are not.
    """
    stores = [path for path in paths if remote.shown(path).lower().endswith(STORE_ENDS)]
    if not paths:
        raise UsageError("nothing to check", "Give a store that `rfav analyze` wrote, or checkpoints.")
    if stores and len(stores) < len(paths):
        raise UsageError(
            f"{remote.shown(stores[0])} is a store, other paths are not", "Give stores, or the checkpoints of one run."
        )
    return bool(stores)


def measured(checkpoints: list[str], options: Check) -> History:
    """What the store beside the checkpoints holds when they are in it, each by its digest, and no others.

    Raises:
        UsageError: there is no probe.
        RfavError: as for `analyze`; a checkpoint that cannot be used is one.
    """
    from rfav_cli.checkpoints.find import find_checkpoints
    from rfav_cli.commands import analyze
    from rfav_cli.commands.measuring import search_of

    if options.probe is None:
        raise UsageError("checkpoints are analysed on held-out samples first", "Give --probe, or a store (.h5).")
    files = find_checkpoints(checkpoints, search_of(options))
    beside = files.entries[0].path.parent
    store = Path(CACHE) if remote.is_place(beside) else beside / CACHE
    analysis = Analyze.of(options, checkpoints=checkpoints, out=store, maps=0)
    try:
        history = analyze.run(analysis)
        if {*history.epochs.tolist()} <= {entry.epoch for entry in files.entries}:
            return history
    except StoreError:
        pass  # of other checkpoints, another probe or other settings; what cannot be written is said again below
    return analyze.run(replace(analysis, fresh=True))
