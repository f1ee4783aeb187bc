"""A history as event files that TensorBoard shows without any plugin."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.text import printable, what_it_says, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.records import History, Layer

SUFFIX = ".rfav"
"""End of the names of our event files, so that another analysis replaces them and no others."""
COLORMAP = "YlGnBu"
IMAGES, SIDE = 8, 64
"""Images beside each other in a picture at most, and pixels that each map has at least."""
DEFAULTS = {"images": 10, "histograms": 500, "scalars": 1000}
"""How many epochs of a tag TensorBoard keeps by itself."""
LONGEST = 60
"""Characters of a layer's name in a tag; the end says more than the beginning."""


def check(folder: Path) -> None:
    """Find out, before any work, whether event files can be written.

    Raises:
        UsageError: tensorboard is not installed, or the folder cannot be made.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--tensorboard: needs the package tensorboard ({what_it_says(error)})",
            "Install it: pip install 'rfav-cli[tensorboard]'.",
        ) from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--tensorboard {printable(folder)}: cannot be made ({what_it_says(error)})", "Give another folder."
        ) from None


def write(history: History, folder: Path) -> None:
    """Write scalars, histograms and images of every epoch; those of an earlier analysis in this folder are replaced.

    Raises:
        StoreError: the files cannot be written.
    """
    from torch.utils.tensorboard import SummaryWriter

    try:
        before = list(folder.glob(f"events.out.tfevents.*{SUFFIX}"))
        writer: Any = SummaryWriter(str(folder), filename_suffix=SUFFIX)
        try:
            tags = tags_of([layer.name for layer in history.run.layers])
            for row, epoch in enumerate(history.epochs.tolist()):
                _write_net(writer, history, row, epoch)
                for index, (layer, tag) in enumerate(zip(history.run.layers, tags, strict=True)):
                    _write_layer(writer, history, row, epoch, index, tag)
                    _write_maps(writer, history, row, epoch, index, layer, tag)
        finally:
            writer.close()
        for file in before:
            with suppress(FileNotFoundError):
                file.unlink()
    except OSError as error:
        raise StoreError(
            f"{printable(folder)}: event files cannot be written ({what_it_says(error)})",
            "Give another --tensorboard; the store is complete.",
        ) from error


def command(history: History, folder: Path) -> str:
    """The line that starts TensorBoard so that it shows every epoch, where it drops some by default."""
    epochs = max(len(history), 1)
    counts = ",".join(f"{plugin}={max(epochs, least)}" for plugin, least in DEFAULTS.items())
    return f"tensorboard --logdir {_quoted(str(folder))} --samples_per_plugin {counts}"


def tags_of(names: Sequence[str]) -> list[str]:
    """Names of layers as parts of tags: letters, digits, dots, dashes and underscores, each once.

    >>> tags_of(["conv1", "../../x", "<b>", "(b)"])
    ['conv1', 'x', '_b_', '_b_-2']
    """
    tags: list[str] = []
    for name in names:
        safe = re.sub(r"[^0-9A-Za-z._-]", lambda match: "." if match[0] == "/" else "_", name)[-LONGEST:].strip(".")
        tag, number = safe or "layer", 1
        while tag in tags:
            number += 1
            tag = f"{safe or 'layer'}-{number}"
        tags.append(tag)
    return tags


def _write_net(writer: Any, history: History, row: int, epoch: int) -> None:
    for tag, values in (("held-out/loss", history.loss), ("held-out/accuracy", history.accuracy)):
        _scalar(writer, tag, values[row], epoch)


def _write_layer(writer: Any, history: History, row: int, epoch: int, index: int, tag: str) -> None:
    """Scalars and histograms of one layer in one epoch."""
    maximum = history.run.layers[index].max_entropy
    if maximum:
        entropy = history.entropy[row, index]
        _scalar(writer, f"entropy/{tag}", entropy, epoch)
        _scalar(writer, f"entropy_of_max/{tag}", entropy / maximum, epoch)
    for name in ("scale", "shape", "rank", "dead"):
        if (column := f"activation/{name}") in history.columns:
            _scalar(writer, f"activation_{name}/{tag}", history.columns[column][row, index], epoch)
    for column in ("mean", "abs_mean"):
        if (name := f"correlation/{column}") in history.columns:
            _scalar(writer, f"correlation_{column}/{tag}", history.columns[name][row, index], epoch)
    if "entropy/sample_mean" in history.columns:
        values = np.asarray(history.columns["entropy/sample_mean"][row, index], np.float64)
        finite = values[np.isfinite(values)]
        if finite.size:
            writer.add_histogram(f"entropy_by_image/{tag}", finite, epoch)
    if "correlation/histogram" in history.columns:
        counts = np.asarray(history.columns["correlation/histogram"][row, index], np.float64)
        if np.isfinite(counts).all() and counts.any():
            _add_counts(writer, f"filter_correlation/{tag}", counts, epoch)


def _add_counts(writer: Any, tag: str, counts: NDArray[np.float64], epoch: int) -> None:
    """A histogram of (201,) counts from -1 to 1."""
    centres = np.linspace(-1, 1, len(counts))
    used = np.nonzero(counts)[0]
    writer.add_histogram_raw(
        tag,
        min=float(centres[used[0]]),
        max=float(centres[used[-1]]),
        num=int(counts.sum()),
        sum=float(counts @ centres),
        sum_squares=float(counts @ centres**2),
        bucket_limits=(centres + 0.005).tolist(),
        bucket_counts=counts.tolist(),
        global_step=epoch,
    )


def _write_maps(writer: Any, history: History, row: int, epoch: int, index: int, layer: Layer, tag: str) -> None:
    """The mean heatmap of a layer and those of some images, blue for ln D, yellow for 0."""
    if not layer.max_entropy or not 1 <= len(layer.positions) <= 2:
        return
    mean, each_image = f"entropy/mean_map/{index}", f"entropy/map/{index}"
    if mean in history.columns:
        writer.add_image(
            f"mean_heatmap/{tag}", _coloured([history.columns[mean][row]], layer), epoch, dataformats="HWC"
        )
    if each_image in history.columns:
        maps = list(history.columns[each_image][row, :IMAGES])
        writer.add_image(f"heatmaps/{tag}", _coloured(maps, layer), epoch, dataformats="HWC")


def _coloured(maps: Sequence[Any], layer: Layer) -> NDArray[np.uint8]:
    """(H, W, 3) pictures of maps beside each other; grey where there is no number."""
    from matplotlib import colormaps

    pictures = []
    for values in maps:
        shares = np.atleast_2d(np.asarray(values, np.float64)) / layer.max_entropy
        colours = (colormaps[COLORMAP](np.nan_to_num(shares))[..., :3] * 255).round()
        colours[~np.isfinite(shares)] = 224
        grown = colours.repeat(-(-SIDE // shares.shape[0]), 0).repeat(-(-SIDE // shares.shape[1]), 1)
        pictures.append(np.pad(grown, ((0, 0), (0, 4), (0, 0)), constant_values=255))
    return np.concatenate(pictures, 1)[:, :-4].astype(np.uint8)


def _scalar(writer: Any, tag: str, value: float, epoch: int) -> None:
    if np.isfinite(value):
        writer.add_scalar(tag, float(value), epoch)


def _quoted(path: str) -> str:
    return shlex.quote(whole(path))
