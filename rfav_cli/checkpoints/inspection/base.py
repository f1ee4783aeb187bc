"""What every format that is looked through gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source


class Inspection(Protocol):
    """A module that looks through the files of one format."""

    WHAT: str
    """The format in words."""

    def recognises(self, source: Source) -> bool:
        """Whether a file is of this format, told by its content."""

    def inspect(self, source: Source, look: Look) -> None:
        """Look through a file; what is wrong with it is a finding.

        Raises:
            Exception: whatever a damaged file makes of it; the caller says that it could not be looked through.
        """
