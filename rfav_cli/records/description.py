"""What a store says, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rfav_cli.records.notebooks import InNotebooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rfav_cli.records.history import History
    from rfav_cli.records.verdict import Verdict


@dataclass(frozen=True)
class Description(InNotebooks):
    """A store and its verdict.

    Attributes:
        history: what the store holds.
        verdict: what became of the run and of each layer.
        document: what `rfav show --format json` prints: "run", "layers", "skipped", "epochs", ...
    """

    history: History
    verdict: Verdict
    document: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, key: str) -> Any:
        return self.document[key]
