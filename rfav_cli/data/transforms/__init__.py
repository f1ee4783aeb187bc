"""What images go through before a net, by name (`--transform`); a new one is one new file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.data.transforms.base import Request, Transform

TRANSFORMS = ("imagenet", "timm", "hf")
"""Names of transforms; the file of that name has `make_transform(request) -> Transform`."""


def make_transform(name: str, request: Request) -> Transform:
    """The transform of a name.

    Raises:
        RfavError: it cannot be made.
    """
    made: Transform = import_module(f"{__name__}.{name}").make_transform(request)
    return made
