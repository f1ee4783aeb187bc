"""`--format json`: the whole document, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rfav_cli.render.document import show_document

if TYPE_CHECKING:
    from rfav_cli.records import History, Verdict
    from rfav_cli.render.base import Screen


def render(history: History, verdict: Verdict, *, epochs: bool, screen: Screen) -> str:
    """One JSON document in ASCII, whatever the screen; it holds layers and epochs either way."""
    del epochs, screen
    return json.dumps(show_document(history, verdict), indent=2, allow_nan=False) + "\n"
