"""Measuring a run: the one place that knows the analysis and the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.pack import pack
from rfav_cli.commands.preparing import name_of, prepare, sample_options
from rfav_cli.diagnosis.labels import doubt_about_labels
from rfav_cli.records import ALONE, Note, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.checkpoints.find import Checkpoints
    from rfav_cli.records import Event, History, Ranks

GO_ON = "Every epoch that was measured is in the store; the same command goes on, with torchrun or without."
"""What to do when one of several processes has gone."""


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
    ranks: Ranks = ALONE,
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
        ranks: of several processes that share the checkpoints, each of which makes this call, which is this one
            (`Ranks.of_torchrun()`). Each reports what it measures, the first what concerns all.
        report: is told what goes on.
        should_stop: asked after each checkpoint is safe in the store; True ends this process's share there.

    Returns:
        All that the store now holds.

    Raises:
        RfavError: bad input; its subclass and message say which.
    """
    from rfav_cli.activations.factory import make_factory
    from rfav_cli.commands.sharing import Sharing
    from rfav_cli.distributed import LONG_PATIENCE, joined
    from rfav_cli.measure.setup import open_run
    from rfav_cli.store import check_place

    with joined(ranks, "cpu", LONG_PATIENCE, GO_ON) as group:
        if ranks.first:
            check_place(Path(out), fresh=fresh)
        files = _find(checkpoints, epochs, shard, skip_bad=skip_bad, trust_pickle=i_trust_this_pickle)
        samples, settings, options, reading = prepare(
            probe,
            sample_options(layout, resize, gray, mean, std, classes),
            Settings(with_bias, centering, fold_norm, name_of(model, model_arg), output or "", outputs=not no_outputs),
            probe_size=probe_size,
            seed=seed,
            maps=maps,
            device=device,
            make_model=make_factory(model, model_arg) if isinstance(model, str) else model,
            trust_pickle=i_trust_this_pickle,
            ranks=ranks,
        )
        setup = open_run(
            files.entries, samples, reading, options, settings, layers=layers, skip=skip, skip_bad=skip_bad
        )
        tell = report if ranks.first else lambda _: None
        for text in (*files.notes, *samples.notes, *setup.notes):
            tell(Note(text))
        sharing = Sharing(Path(out), files, setup, reading, group, skip_bad, report, should_stop)
        ended = sharing.record(None if batch_size == "auto" else batch_size, fresh=fresh)
        if ranks.first and ended and not no_pack and not shard:
            pack(out)
        group.wait()
    history = open_store(out)
    if doubt := doubt_about_labels(history):
        tell(Note(doubt))
    return history


def _find(
    checkpoints: str | Path | Sequence[str | Path],
    pattern: str | None,
    part: str | None,
    *,
    skip_bad: bool,
    trust_pickle: bool,
) -> Checkpoints:
    from rfav_cli.checkpoints.find import find_checkpoints, shard

    paths = [checkpoints] if isinstance(checkpoints, (str, Path)) else checkpoints
    files = find_checkpoints([str(path) for path in paths], pattern, skip_bad=skip_bad, trust_pickle=trust_pickle)
    return shard(files, part) if part else files
