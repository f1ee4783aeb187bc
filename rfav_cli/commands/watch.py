"""Watching a training from outside: each checkpoint is measured as it comes, and the run is judged."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.commands.preparing import name_of, prepare, sample_options
from rfav_cli.errors import RunError, UsageError
from rfav_cli.records import Note, Settings
from rfav_cli.text import printable
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.records import Watched, WatchEvent


def watch(  # noqa: D417 - what is as for `analyze` is described there
    folder: str | Path,
    *,
    probe: str | Path,
    model: str | Callable[..., torch.nn.Module] | None = None,
    model_arg: Sequence[str] = (),
    out: str | Path = "rfav.h5",
    epochs: str | None = None,
    layers: Sequence[str] = (),
    skip: Sequence[str] = (),
    with_bias: bool = False,
    fold_norm: bool = False,
    centering: Literal["pearson", "paper"] = "pearson",
    output: str | None = None,
    no_outputs: bool = False,
    maps: int | Literal["all"] = 32,
    probe_size: int = 1000,
    seed: int = 0,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: int | tuple[int, int] | None = None,
    gray: bool = False,
    layout: str | None = None,
    classes: str | Path | None = None,
    device: str = "auto",
    batch_size: int | Literal["auto"] = "auto",
    fresh: bool = False,
    i_trust_this_pickle: bool = False,
    interval: float = 2.0,
    patience: float = 30.0,
    idle: float | None = None,
    on_collapse: str | None = None,
    until_collapse: bool = False,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    report: Callable[[WatchEvent], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Watched:
    """Measure the checkpoints of a training as it writes them, and judge the run after each.

    The figures are those of `analyze`. A file is read when it was the same at two looks; one that cannot be read is
    tried again. A store of the same run is continued, and can be read meanwhile; one watcher at a time fills it.

    Args:
        folder: where the checkpoints come: a folder or a glob, which may not be there yet.
        probe, model, model_arg, out, epochs, layers, skip, with_bias, fold_norm, centering, output, no_outputs, maps,
            probe_size, seed, mean, std, resize, gray, layout, classes, device, batch_size, fresh,
            i_trust_this_pickle: as for `analyze`.
        interval: seconds between two looks.
        patience: seconds that a file that cannot be read must have been the same before it is left out.
        idle: seconds without a new checkpoint, or a change of one, after which this ends; None for never.
        on_collapse: a command that is run once, without a shell, when a layer has collapsed (`Alarm`).
        until_collapse: end when a layer has collapsed.
        thresholds: where the verdict draws its lines.
        report: is told what goes on.
        should_stop: asked several times a second, and after each checkpoint; True ends this there.

    Returns:
        The store's content, the verdict, and why it ended.

    Raises:
        RunError: nothing came until `idle`.
        StoreError: another watcher fills the store, it is of another run, or it cannot be written.
        RfavError: other bad input; its subclass and message say which.
    """
    from rfav_cli.activations.factory import make_factory
    from rfav_cli.checkpoints.poll import Poll
    from rfav_cli.commands.on_collapse import Alarm
    from rfav_cli.commands.recording import Recorder
    from rfav_cli.commands.watching import Vigil
    from rfav_cli.store import check_place, watching

    _check_seconds(interval=interval, patience=patience, idle=idle)
    alarm = None if on_collapse is None else Alarm(on_collapse)
    check_place(Path(out), fresh=fresh)
    with watching(Path(out)):
        prepared = prepare(
            probe,
            sample_options(layout, resize, gray, mean, std, classes),
            Settings(with_bias, centering, fold_norm, name_of(model, model_arg), output or "", outputs=not no_outputs),
            probe_size=probe_size,
            seed=seed,
            maps=maps,
            device=device,
            make_model=make_factory(model, model_arg) if isinstance(model, str) else model,
            trust_pickle=i_trust_this_pickle,
        )
        for text in prepared.probe.notes:
            report(Note(text))
        if not Path(folder).exists():
            report(Note(f"{printable(folder)}: not there yet; waiting for it"))
        batch = None if batch_size == "auto" else batch_size
        poll = Poll(str(folder), epochs, patience, prepared.reading)
        recorder = Recorder(Path(out), prepared, layers, skip, batch, fresh=fresh, watching=True, report=report)
        rest = (alarm, until_collapse, thresholds, report, should_stop)
        watched = Vigil(poll, recorder, Path(out), len(prepared.probe), interval, idle, *rest).keep()
    if watched.history is None and watched.ended == "idle":
        raise RunError(
            f"{printable(folder)}: no checkpoint came in {idle:g} s that could be measured",
            "Check the path, or give a longer --idle.",
        )
    return watched


def _check_seconds(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not (0 < value < math.inf):
            raise UsageError(f"--{name} {value!r:.60}: out of range", "Give seconds, more than 0.")
