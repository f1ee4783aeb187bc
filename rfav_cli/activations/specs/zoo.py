"""`zoo:NAME`: the paper's own nets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.activations.factory import FactoryMaker
from rfav_cli.errors import ModelError
from rfav_cli.nets import ZOO
from rfav_cli.user_code import Found, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.activations.net_maker import NetMaker


def maker_of(spec: str, name: str, keywords: Mapping[str, Any]) -> NetMaker:
    """Make nets of `nets.ZOO`.

    Raises:
        ModelError: there is no net of that name.
    """
    if name not in ZOO:
        raise ModelError(*unknown("--model zoo", name, ZOO, f"The nets are {', '.join(ZOO)}."))
    return FactoryMaker(spec, Found(ZOO[name], ()), keywords)
