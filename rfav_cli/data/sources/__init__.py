"""The sources of samples; a new one is one new file and one line here.

A specification is a path, or `NAME:PATH` for a data set in its published format. `NAME:PATH#SPLIT` takes another split
than the held-out one: `cifar10:DIR#train`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.data.sources.base import Source

SOURCES = ("folder", "arrays", "cifar10", "cifar100", "tiny-imagenet", "mnist", "fashion-mnist")
"""Names of sources; the file in this folder has `_` for `-`. Each has `SPLITS: tuple[str, ...]`, the default first
(empty where the source has none), and `open_source(location, options) -> Source`."""

NAMED = tuple(name for name in SOURCES if name not in {"folder", "arrays"})
"""Those that are named before the path; the other two are told by what lies there."""

LAYOUTS = {"nhwc": 4, "nchw": 4, "nhw": 3, "nct": 3, "nf": 2, "ncthw": 5, "nthwc": 5, "ntchw": 5}
"""Axes of an array -> how many: N samples, H x W pixels, C channels, T steps, F features."""

LARGEST_SIDE = 10_000
"""Pixels that an image is resized to; what is larger is a slip, and needs gigabytes an image."""


@dataclass(frozen=True)
class SampleOptions:
    """How samples are read.

    Attributes:
        layout: the axes of an array, one of `LAYOUTS`; None to tell from its shape.
        resize: the side of a square, or (height, width), that images are resized to: bilinear, antialiased.
        gray: reduce images to one channel, by ITU-R BT.601.
        rgb: give gray images three equal channels, and of four channels the first three.
        mean, std: one value, or one a channel, that samples are normalised with; for images in units of 0..1.
        classes_file: a text file, one class name a line, in the order of the labels.
        inputs: names of the arrays that are the inputs of the net, several; empty to tell by the usual names.
        integers: whole numbers stay what they are, as token ids, whatever the array is called.
    """

    layout: str | None = None
    resize: int | tuple[int, int] | None = None
    gray: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    classes_file: Path | None = None
    rgb: bool = False
    inputs: tuple[str, ...] = ()
    integers: bool = False

    def __post_init__(self) -> None:
        """Refuse what no samples can be read with.

        Raises:
            SampleError: an option is out of its range.
        """
        if self.layout is not None and self.layout not in LAYOUTS:
            raise SampleError(f"--layout {printable(self.layout)}: not known", f"Give one of {', '.join(LAYOUTS)}.")
        if self.gray and self.rgb:
            raise SampleError("--gray and --rgb: one channel or three", "Give one of the two.")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1 or max(self.size) > LARGEST_SIDE):
            raise SampleError(
                f"--resize {'x'.join(map(str, self.size))}: not a size",
                f"Give a side in pixels, or HxW, from 1 to {LARGEST_SIDE:,}.",
            )
        for option, values, least in (("--mean", self.mean, float("-inf")), ("--std", self.std, 0.0)):
            if values is not None and not (values and all(least < value < float("inf") for value in values)):
                numbers = ",".join(f"{value:g}" for value in values)
                above = " above 0" if option == "--std" else ""
                raise SampleError(
                    f"{option} {numbers}: out of range", f"Give finite numbers{above}, one or one a channel."
                )

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) that images are resized to, or None."""
        return (self.resize, self.resize) if isinstance(self.resize, int) else self.resize


def open_source(spec: str, options: SampleOptions) -> Source:
    """Open a source of samples: a folder of images, a file of arrays, or a data set in its published format.

    Args:
        spec: a path, `NAME:PATH` or `NAME:PATH#SPLIT`; each path may be an address of a remote file or folder.
        options: how its samples are read.

    Raises:
        SampleError: there is nothing there, or it is not what the specification says.
    """
    from rfav_cli.data.sources.base import Location  # here, so that the names are known without torch

    spec = _brought(spec)
    name, colon, address = spec.partition(":")
    if not colon or name not in SOURCES:
        if colon and not Path(spec).exists():
            raise SampleError(
                f"{printable(spec)}: no such file, and no data set {printable(name)}", f"Known: {', '.join(SOURCES)}."
            )
        name, address = ("folder" if Path(spec).is_dir() else "arrays"), spec
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    path, split = Path(address).expanduser(), next(iter(module.SPLITS), "")
    if module.SPLITS and "#" in address and not path.exists():
        base, _, split = address.rpartition("#")
        path = Path(base).expanduser()
        if split not in module.SPLITS:
            raise SampleError(f"{printable(spec)}: no split {printable(split)}", f"Splits: {', '.join(module.SPLITS)}.")
    if not address or not path.exists():
        raise SampleError(f"{printable(path)}: no such file or folder", "Check the path of the samples.")
    if options.layout is not None and name != "arrays":
        raise SampleError(f"{printable(spec)}: --layout is for arrays", "Leave --layout out.")
    source: Source = module.open_source(Location(spec, path, split), options)
    return source


def _brought(spec: str) -> str:
    """A specification whose files are here.

    Raises:
        RunError: they are elsewhere, and cannot be reached.
    """
    name, _, path = spec.partition(":")
    before, path = (f"{name}:", path) if name in NAMED else ("", spec)
    address, mark, split = path.partition("#")
    if remote.address_of(address) is None:
        return spec
    return f"{before}{remote.keep(address)}{mark}{split}"
