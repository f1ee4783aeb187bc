"""`--transform imagenet`: what nets of torchvision are evaluated with, shorter side 256 and its middle 224x224."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.data.geometry import Geometry
from rfav_cli.data.transforms.base import Transform, resized
from rfav_cli.errors import UsageError
from rfav_cli.options.values import NORMALISATIONS
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.data.transforms.base import Request

GEOMETRY = Geometry(256, (224, 224))


def make_transform(request: Request) -> Transform:
    """The transform.

    Raises:
        UsageError: something stands behind the name.
    """
    if request.address:
        raise UsageError(f"--transform {printable(request.spec)}: imagenet has no address", "Give imagenet alone.")
    return Transform(
        request.spec,
        resized(GEOMETRY),
        NORMALISATIONS["imagenet"],
        note="images are resized to a shorter side of 256 and cropped to 224x224 (--transform imagenet)",
    )
