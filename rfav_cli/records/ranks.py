"""The processes that share one command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Ranks:
    """Which rank this process is; by default the only one.

    Attributes:
        rank: its number, from 0 on.
        world: how many there are.
        local: its number among those of its machine.
        local_world: how many its machine has.
    """

    rank: int = 0
    world: int = 1
    local: int = 0
    local_world: int = 1

    @classmethod
    def of_torchrun(cls, environment: Mapping[str, str] = os.environ) -> Ranks:
        """As `torchrun` tells a process that it started; one alone elsewhere."""
        if "TORCHELASTIC_RUN_ID" not in environment:
            return cls()
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        return cls(*(int(environment[name]) for name in names))

    @property
    def alone(self) -> bool:
        """There are no others."""
        return self.world == 1

    @property
    def first(self) -> bool:
        """This is the one that writes and tells what is written and told once."""
        return self.rank == 0


ALONE = Ranks()
