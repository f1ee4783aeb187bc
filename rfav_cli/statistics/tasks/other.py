"""What is none of the other tasks: there is a loss of the user's own (`--loss`), and no other figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.records.tasks import TASKS
from rfav_cli.statistics.tasks.base import Shape, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Other(Task):
    """Any output and any labels."""

    def labels(self, raw: NDArray[Any], shape: Shape) -> NDArray[Any]:
        """As they are."""
        del shape
        return raw

    def reads(self, shape: Shape) -> bool:
        """Any."""
        del shape
        return True


TASK = Other(TASKS["other"])
