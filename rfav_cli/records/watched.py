"""How watching a training ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rfav_cli.records.history import History
    from rfav_cli.records.verdict import Verdict


@dataclass(frozen=True)
class Watched:
    """What is known when watching a training ends.

    Attributes:
        history: all that the store then holds; None where nothing was measured.
        verdict: on it.
        ended: "idle" (no checkpoint came for long), "collapse" (a layer collapsed, and that was to be the end) or
            "stopped" (it was asked to stop).
    """

    history: History | None
    verdict: Verdict | None
    ended: Literal["idle", "collapse", "stopped"]
