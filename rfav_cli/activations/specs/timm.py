"""`timm:NAME`: a net of timm's, with fresh weights."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from rfav_cli.activations.factory import FactoryMaker, refuse_pretrained
from rfav_cli.activations.net_maker import import_extra
from rfav_cli.errors import ModelError
from rfav_cli.user_code import Found, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.activations.net_maker import NetMaker

_PRETRAINED = ("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path")


def maker_of(spec: str, name: str, keywords: Mapping[str, Any]) -> NetMaker:
    """Make nets by `timm.create_model`.

    Raises:
        ModelError: timm is not there, has no net of that name, or its trained weights are asked for.
    """
    refuse_pretrained(keywords, _PRETRAINED)
    timm = import_extra("timm", "timm")
    if not timm.is_model(name):
        raise ModelError(*unknown("--model timm", name, timm.list_models(), "timm.list_models() gives all names."))
    make = functools.partial(timm.create_model, name, pretrained=False)
    return FactoryMaker(spec, Found(make, ()), keywords, "num_classes")
