"""A history as event files that TensorBoard shows without any plugin."""

from __future__ import annotations

import io
import os
import re
import shlex
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.files.atomic import write_whole
from rfav_cli.files.regular import open_regular
from rfav_cli.render.document import OF_PREDICTIONS
from rfav_cli.text import printable, what_it_says, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rfav_cli.records import History, Layer

SUFFIX = ".rfav"
"""End of the names of our event files, so that another analysis replaces them and no others."""
VERSION = "brain.Event:2"
"""What an event file begins with."""
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

    The file appears whole or not at all, and the earlier ones go when it is there.

    Raises:
        StoreError: the files cannot be written.
    """
    host = re.sub(r"[^0-9A-Za-z._-]", "_", socket.gethostname())
    file = folder / f"events.out.tfevents.{time.time():010.0f}.{host}.{os.getpid()}.0{SUFFIX}"
    try:
        before = [path for path in folder.glob(f"events.out.tfevents.*{SUFFIX}") if _is_ours(path)]
        write_whole({file: records(history)})
        for path in before:
            if path.name != file.name:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{printable(folder)}: event files cannot be written ({what_it_says(error)})",
            "Give another --tensorboard; the store is complete.",
        ) from error


def records(history: History) -> Iterator[bytes]:
    """An event file in pieces, one a layer and epoch."""
    events = EventRecords()
    tags = tags_of([layer.name for layer in history.run.layers])
    for row, epoch in enumerate(history.epochs.tolist()):
        _write_net(events, history, row, epoch)
        for index, (layer, tag) in enumerate(zip(history.run.layers, tags, strict=True)):
            _write_layer(events, history, row, epoch, index, tag)
            _write_maps(events, history, row, epoch, index, layer, tag)
            yield events.taken()
    yield events.taken()


class EventRecords:
    """The bytes of an event file, which begin by saying what they are."""

    def __init__(self) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._bytes = io.BytesIO()
        self._writer = RecordWriter(self._bytes)
        self._add(file_version=VERSION)

    def add(self, summary: Any, epoch: int) -> None:
        """Add what torch made of a value."""
        self._add(summary=summary, step=epoch)

    def taken(self) -> bytes:
        """What was added since the last time."""
        taken = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return taken

    def _add(self, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.write(Event(wall_time=time.time(), **content).SerializeToString())


def _is_ours(path: Path) -> bool:
    """Whether a file with our ending is an event file; one that cannot be read is nobody's that we know."""
    with suppress(OSError), open_regular(path, follow=False) as file:
        return VERSION.encode() in file.read(64)
    return False


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


def _write_net(events: EventRecords, history: History, row: int, epoch: int) -> None:
    for name in OF_PREDICTIONS:
        _scalar(events, f"held-out/{name}", getattr(history, name)[row], epoch)


def _write_layer(events: EventRecords, history: History, row: int, epoch: int, index: int, tag: str) -> None:
    """Scalars and histograms of one layer in one epoch."""
    from torch.utils.tensorboard import summary

    maximum = history.run.layers[index].max_entropy
    if maximum:
        entropy = history.entropy[row, index]
        _scalar(events, f"entropy/{tag}", entropy, epoch)
        _scalar(events, f"entropy_of_max/{tag}", entropy / maximum, epoch)
    for name in ("scale", "shape", "rank", "dead"):
        if (column := f"activation/{name}") in history.columns:
            _scalar(events, f"activation_{name}/{tag}", history.columns[column][row, index], epoch)
    for column in ("mean", "abs_mean"):
        if (name := f"correlation/{column}") in history.columns:
            _scalar(events, f"correlation_{column}/{tag}", history.columns[name][row, index], epoch)
    if "entropy/sample_mean" in history.columns:
        values = np.asarray(history.columns["entropy/sample_mean"][row, index], np.float64)
        finite = values[np.isfinite(values)]
        if finite.size:
            events.add(summary.histogram(f"entropy_by_image/{tag}", finite, _bins()), epoch)
    if "correlation/histogram" in history.columns:
        counts = np.asarray(history.columns["correlation/histogram"][row, index], np.float64)
        if np.isfinite(counts).all() and counts.any():
            _add_counts(events, f"filter_correlation/{tag}", counts, epoch)


def _add_counts(events: EventRecords, tag: str, counts: NDArray[np.float64], epoch: int) -> None:
    """A histogram of (201,) counts from -1 to 1."""
    from torch.utils.tensorboard import summary

    centres = np.linspace(-1, 1, len(counts))
    used = np.nonzero(counts)[0]
    made = summary.histogram_raw(
        tag,
        min=float(centres[used[0]]),
        max=float(centres[used[-1]]),
        num=int(counts.sum()),
        sum=float(counts @ centres),
        sum_squares=float(counts @ centres**2),
        bucket_limits=(centres + 0.005).tolist(),
        bucket_counts=counts.tolist(),
    )
    events.add(made, epoch)


def _bins() -> list[float]:
    """The limits between values that TensorBoard's own histograms have: each a tenth larger than the one before."""
    above = (1e-12 * 1.1 ** np.arange(775)).tolist()
    return [*(-limit for limit in reversed(above)), 0.0, *above]


def _write_maps(
    events: EventRecords, history: History, row: int, epoch: int, index: int, layer: Layer, tag: str
) -> None:
    """The mean heatmap of a layer and those of some images, blue for ln D, yellow for 0."""
    from torch.utils.tensorboard import summary

    if not layer.max_entropy or not 1 <= len(layer.positions) <= 2:
        return
    mean, each_image = f"entropy/mean_map/{index}", f"entropy/map/{index}"
    if mean in history.columns:
        picture = _coloured([history.columns[mean][row]], layer)
        events.add(summary.image(f"mean_heatmap/{tag}", picture, dataformats="HWC"), epoch)
    if each_image in history.columns:
        maps = list(history.columns[each_image][row, :IMAGES])
        events.add(summary.image(f"heatmaps/{tag}", _coloured(maps, layer), dataformats="HWC"), epoch)


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


def _scalar(events: EventRecords, tag: str, value: float, epoch: int) -> None:
    if np.isfinite(value):
        from torch.utils.tensorboard import summary

        events.add(summary.scalar(tag, float(value)), epoch)


def _quoted(path: str) -> str:
    return shlex.quote(whole(path))
