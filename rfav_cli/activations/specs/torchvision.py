"""`torchvision:NAME`: a net of torchvision's, with fresh weights."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from rfav_cli.activations.factory import FactoryMaker, refuse_pretrained
from rfav_cli.activations.net_maker import import_extra
from rfav_cli.errors import ModelError
from rfav_cli.user_code import Found, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.activations.net_maker import NetMaker

_PRETRAINED = ("weights", "weights_backbone", "pretrained")


def maker_of(spec: str, name: str, keywords: Mapping[str, Any]) -> NetMaker:
    """Make nets by `torchvision.models`.

    Raises:
        ModelError: torchvision is not there, has no net of that name, or its trained weights are asked for.
    """
    refuse_pretrained(keywords, _PRETRAINED)
    models = import_extra("torchvision", "torchvision.models")
    names = models.list_models()
    if name not in names:
        raise ModelError(
            *unknown("--model torchvision", name, names, "torchvision.models.list_models() gives all names.")
        )
    builder = models.get_model_builder(name)
    # Detectors and segmenters fetch their backbone's weights by default.
    none = {key: None for key in _PRETRAINED if key in inspect.signature(builder).parameters}
    return FactoryMaker(spec, Found(functools.partial(builder, **none), ()), keywords, "num_classes")
