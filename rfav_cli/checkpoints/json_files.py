"""The JSON files that lie beside weights: indexes of shards, what a trainer says of itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 2**26
"""That such a file may have: the index of a net of a million tensors has as many."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, in which no name stands twice.

    Raises:
        CheckpointError: the file cannot be read, or is nothing of the kind.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise CheckpointError(f"{path}: longer than such a file is", "Copy or save it again.")
        document = json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        remedy = remedy_for(error, "Copy or save it again.")
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", remedy) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON: {what_it_says(error)}", "Copy or save it again.") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path}: holds no JSON object", "Copy or save it again.")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a name stands in it twice, so that one value would be lost."""
    document = dict(pairs)
    if len(document) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{printable(twice, 80)!r} stands in it twice")
    return document
