"""`--transform timm`: what a net of timm was made for, by its own data configuration."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING, Any

from rfav_cli.data.transforms.base import Transform, pixels_of_tensor
from rfav_cli.errors import SampleError, UsageError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from PIL import Image

    from rfav_cli.data.transforms.base import Request
    from rfav_cli.data.units import Samples

ARGUMENTS = ("img_size", "in_chans")
"""Arguments of a net that change what it takes."""


def make_transform(request: Request) -> Transform:
    """The transform of `--model timm:NAME`, or of `--transform timm:NAME`.

    Raises:
        UsageError: no net of timm is named.
        SampleError: timm is not installed, or has no such net.
    """
    library, _, name = request.model.partition(":")
    name = request.address or (name if library == "timm" else "")
    if not name:
        raise UsageError("--transform timm: which net is it of?", "Give --model timm:NAME, or --transform timm:NAME.")
    try:
        timm: Any = importlib.import_module("timm")
        data: Any = importlib.import_module("timm.data")
    except ImportError as error:
        raise SampleError(
            f"--transform timm: importing timm raised {named(error, part='all')}", "pip install 'rfav-cli[timm]'"
        ) from error
    if not timm.is_model(name):
        raise SampleError(f"--transform timm: there is no {printable(name)}", "timm.list_models() gives all names.")
    known = timm.get_pretrained_cfg(name)
    config = data.resolve_data_config(_arguments(request), pretrained_cfg=known.to_dict() if known else {})
    apply = data.create_transform(**config, is_training=False)

    def pixels(image: Image.Image) -> Samples:
        return pixels_of_tensor(apply(image))

    size = "x".join(map(str, config["input_size"]))
    note = f"images go through timm's transform of {printable(name)}, to {size} ({config['interpolation']})"
    return Transform(request.spec, pixels, note=note)


def _arguments(request: Request) -> dict[str, Any]:
    pairs = (argument.partition("=") for argument in request.model_arg)
    found = {}
    for name, _, text in pairs:
        if name in ARGUMENTS:
            try:
                found[name] = ast.literal_eval(text)
            except (ValueError, SyntaxError):
                continue
    return found
