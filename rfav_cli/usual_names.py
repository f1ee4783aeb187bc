"""What people call the weights of a net, as keys of a checkpoint and as prefixes in a state_dict."""

from __future__ import annotations

import re

USUAL = (
    *("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params"),
    *("model_state", "net_state_dict", "network_state_dict", "model_weights", "model_params", "net_state", "state"),
)
"""The most usual first."""
COUNTER = "n_averaged"
"""What `torch.optim.swa_utils.AveragedModel` has beside its weights."""
_AVERAGE = re.compile(r"(?<![a-z])(ema|swa|avg|polyak)(?![a-z])|averag|shadow")


def usual_place(name: str) -> int:
    """The place of a dotted name's last part among the usual ones, which is `len(USUAL)` for any other."""
    last = name.rpartition(".")[2]
    return USUAL.index(last) if last in USUAL else len(USUAL)


def is_average(name: str) -> bool:
    """Whether a name is one of averages of weights, as of EMA and SWA."""
    return _AVERAGE.search(name.lower()) is not None
