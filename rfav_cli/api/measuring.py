"""Measuring a run: the one place that knows the analysis and the store."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.api.stores import open_store, pack
from rfav_cli.diagnosis.labels import doubt_about_labels
from rfav_cli.errors import StoreError
from rfav_cli.records import BadCheckpoint, Note, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from rfav_cli.analysis.measure import Setup
    from rfav_cli.analysis.networks import OpenOptions
    from rfav_cli.analysis.series import Series
    from rfav_cli.records import Checkpoint, Event, History
    from rfav_cli.store import StoreWriter


def analyze(
    checkpoints: str | Path | Sequence[str | Path],
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
    skip_bad: bool = False,
    fresh: bool = False,
    no_pack: bool = False,
    shard: str | None = None,
    i_trust_this_pickle: bool = False,
    report: Callable[[Event], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> History:
    """Run held-out samples through every checkpoint of a run and write the store.

    A store that exists is continued: what it holds of these checkpoints is not measured again.

    Args:
        checkpoints: files, folders or globs of one run.
        probe: where the held-out samples are: an image folder, a file of arrays, or a named set ("cifar10:DIR").
        model: what makes the net of a state_dict: "package.module:factory", "torchvision:NAME", "timm:NAME",
            "zoo:NAME", or a callable without arguments. TorchScript and exported programs need none.
        model_arg: "key=value" arguments for what makes the net.
        out: the store.
        epochs: pattern of the file names with `{epoch}` where the epoch stands.
        layers: globs of the layers to measure; all but the classifier where empty.
        skip: globs of layers to leave out.
        with_bias: measure activations with their bias (Eq. 1 has none).
        fold_norm: measure activations after the batch normalisation that follows them.
        centering: how Eq. 6 centres the filters: each by its own mean, or as printed.
        output: index or key of the net's output that holds the class scores; the first tensor for None.
        no_outputs: end each forward after the last layer that is measured where the probe has no labels, so that
            nothing is known of what the net says; with labels this changes nothing.
        maps: of how many samples heatmaps are kept.
        probe_size: N, how many samples are run.
        seed: which samples are chosen.
        mean: to subtract from the samples, one value or one a channel; a named set has its own.
        std: to divide them by, likewise.
        resize: side or (height, width) in pixels that images are resized to.
        gray: images are run in one channel.
        layout: axes of an array of samples: "nhwc", "nchw", "nhw", "nct" or "nf", where its shape does not tell.
        classes: a file with the names of the classes in the order of the net's outputs, one a line.
        device: "auto", "cpu", "cuda", "mps".
        batch_size: samples a forward.
        skip_bad: leave out files that are no checkpoint of this net, and record them in the store.
        fresh: replace a store that exists.
        no_pack: leave every epoch in a file of its own, for other writers to add to.
        shard: "K/N": measure only every Nth checkpoint, from the Kth; implies no_pack.
        i_trust_this_pickle: load pickles that may run code.
        report: is told what goes on.
        should_stop: asked after each checkpoint is safe in the store; True ends the run there.

    Returns:
        All that the store now holds.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.analysis import sweep
    from rfav_cli.analysis.factory import make_factory
    from rfav_cli.analysis.networks import OpenOptions
    from rfav_cli.analysis.probe import load_probe
    from rfav_cli.analysis.samples import SampleOptions
    from rfav_cli.store import StoreWriter, check_place

    check_place(Path(out), fresh=fresh)
    series = _find_series(checkpoints, epochs, shard, skip_bad=skip_bad, trust_pickle=i_trust_this_pickle)
    sample_options = SampleOptions(
        layout=layout, resize=resize, gray=gray, mean=floats(mean), std=floats(std), classes_file=path_or_none(classes)
    )
    kept = probe_size if maps == "all" else maps
    samples = load_probe(str(probe), size=probe_size, seed=seed, options=sample_options, thumbnails=kept)
    model_name = name_of(model, model_arg)
    outputs = samples.labels is not None or not no_outputs
    settings = Settings(with_bias, centering, fold_norm, model_name, output or "", min(kept, len(samples)), outputs)
    options = OpenOptions(
        device=sweep.pick_device(device),
        make_model=make_factory(model, model_arg) if isinstance(model, str) else model,
        model_name=model_name,
        with_bias=with_bias,
        fold_norm=fold_norm,
        trust_pickle=i_trust_this_pickle,
    )
    setup = sweep.open_run(series.entries, samples, options, settings, layers=layers, skip=skip, skip_bad=skip_bad)
    for text in (*series.notes, *samples.notes, *setup.notes):
        report(Note(text))
    writer = StoreWriter.open(Path(out), setup.run, fresh=fresh)
    batch = None if batch_size == "auto" else batch_size
    ended = _record(writer, series, setup, options, batch, skip_bad, report, should_stop)
    history = pack(out) if ended and not no_pack and not shard else open_store(out)
    if doubt := doubt_about_labels(history):
        report(Note(doubt))
    return history


def _find_series(
    checkpoints: str | Path | Sequence[str | Path],
    pattern: str | None,
    part: str | None,
    *,
    skip_bad: bool,
    trust_pickle: bool,
) -> Series:
    from rfav_cli.analysis.series import find_series, shard

    paths = [checkpoints] if isinstance(checkpoints, (str, Path)) else checkpoints
    series = find_series([str(path) for path in paths], pattern, skip_bad=skip_bad, trust_pickle=trust_pickle)
    return shard(series, part) if part else series


def _record(
    writer: StoreWriter,
    series: Series,
    setup: Setup,
    options: OpenOptions,
    batch_size: int | None,
    skip_bad: bool,
    report: Callable[[Event], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Measure what the store does not hold yet, an epoch at a time; False when the run was asked to stop."""
    from rfav_cli.analysis.sweep import sweep

    _check_unchanged(series, writer.committed)
    for bad in series.bad:
        writer.record_bad(bad)
        report(bad)
    entries = [entry for entry in series.entries if entry.epoch not in writer.committed]
    done = len(series.entries) - len(entries)
    results = sweep(entries, setup, options, batch_size=batch_size, skip_bad=skip_bad, done=done, report=report)
    with contextlib.closing(results):
        for result in results:
            if isinstance(result, BadCheckpoint):
                writer.record_bad(result)
            else:
                writer.append(result)
            report(result)
            if should_stop():
                return False
    return True


def _check_unchanged(series: Series, committed: Mapping[int, Checkpoint]) -> None:
    from rfav_cli.analysis.series import sha256_of

    for entry in series.entries:
        known = committed.get(entry.epoch)
        if known and known.sha256 != sha256_of(entry.path):
            raise StoreError(
                f"{entry.path}: another file than epoch {entry.epoch} of the store was measured on ({known.path}), "
                "or changed since",
                "Give --fresh to measure the whole run anew, or another --out.",
            )


def name_of(model: str | Callable[..., object] | None, arguments: Sequence[str]) -> str:
    """What the store calls a net: the specification with its arguments, or where a callable was defined."""
    if model is None:
        return ""
    name = model if isinstance(model, str) else f"{model.__module__}:{getattr(model, '__qualname__', repr(model))}"
    return f"{name}({', '.join(arguments)})" if arguments else name


def floats(values: Sequence[float] | float | None) -> tuple[float, ...] | None:
    """One number or several as a tuple."""
    if values is None:
        return None
    return (values,) if isinstance(values, (int, float)) else tuple(values)


def path_or_none(value: str | Path | None) -> Path | None:
    """A path where there is one."""
    return None if value is None else Path(value)
