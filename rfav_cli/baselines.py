"""The figures of a good run as a small JSON file, made to be committed beside the code."""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Any

from rfav_cli.errors import BaselineError, remedy_for
from rfav_cli.files.outputs import json_document
from rfav_cli.files.regular import NotRegularError, open_regular
from rfav_cli.records import Baseline, BaselineLayer
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
KIND = "rfav baseline"
LARGEST = 4 * 1024 * 1024
"""Bytes of a file; a thousand layers need a fortieth of it."""
_GIVE = "Give a store, or what `rfav check --write-baseline` wrote."


def dump(baseline: Baseline) -> str:
    """The baseline as JSON in ASCII, a line a layer, so that a change is read in a diff."""
    document = {
        "kind": KIND,
        "schema": SCHEMA,
        "store_digest": baseline.digest,
        "probe": {"sha256": baseline.probe_sha256, "size": baseline.probe_size},
        "settings": {"with_bias": baseline.with_bias, "fold_norm": baseline.fold_norm},
        "epoch": baseline.epoch,
        "accuracy": baseline.accuracy,
    }
    head = json.dumps(document, indent=2, allow_nan=False).removesuffix("\n}")
    layers = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps({'channels': layer.channels, 'entropy': layer.entropy})}"
        for name, layer in baseline.layers.items()
    )
    return f'{head},\n  "layers": {{\n{layers}\n  }}\n}}\n'


def load(path: Path) -> Baseline:
    """Read a baseline's file.

    Raises:
        BaselineError: it can't be read, or is none that this version reads.
    """
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST + 1)
    except NotRegularError as error:
        raise BaselineError(f"{path}: {error.strerror}", _GIVE) from None
    except OSError as error:
        first = f"`rfav check STORE --write-baseline {path}` writes the first one."
        remedy = first if isinstance(error, FileNotFoundError) else remedy_for(error, _GIVE)
        raise BaselineError(f"{path}: cannot be read ({what_it_says(error)})", remedy) from None
    if len(data) > LARGEST:
        raise BaselineError(f"{path}: too large for a baseline", _GIVE)
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{path}: no JSON ({what_it_says(error)})", _GIVE) from None
    return _parsed(document, str(path))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def is_ours(file: IO[bytes]) -> bool:
    """Whether a file is a baseline, of whatever schema."""
    document = json_document(file)
    return isinstance(document, dict) and document.get("kind") == KIND


def _parsed(document: Any, name: str) -> Baseline:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise BaselineError(f"{name}: no baseline of rfav", _GIVE)
    if document.get("schema") != SCHEMA or isinstance(document["schema"], bool):
        raise BaselineError(f"{name}: a baseline of another schema than {SCHEMA}", "Write it anew with this rfav.")
    try:
        layers = {str(layer): _layer(entry) for layer, entry in document["layers"].items()}
        return Baseline(
            name=name,
            digest=_of_type(str, document["store_digest"]),
            probe_sha256=_of_type(str, document["probe"]["sha256"]),
            probe_size=_of_type(int, document["probe"]["size"]),
            with_bias=_of_type(bool, document["settings"]["with_bias"]),
            fold_norm=_of_type(bool, document["settings"]["fold_norm"]),
            epoch=_of_type(int, document["epoch"]),
            accuracy=_share(document["accuracy"]),
            layers=layers,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
        raise BaselineError(f"{name}: damaged: {printable(what, 120)}", "Restore it, or write it anew.") from None


def _layer(entry: Any) -> BaselineLayer:
    channels, entropy = _of_type(int, entry["channels"]), entry["entropy"]
    if channels < 1:
        raise ValueError(f"{channels} channels")
    if entropy is not None and not (_is_number(entropy) and 0 <= entropy <= math.log(channels) + 1e-6):
        raise ValueError(f"{entropy!r:.40} is no entropy of {channels} channels")
    return BaselineLayer(channels, None if entropy is None else float(entropy))


def _share(value: Any) -> float | None:
    if value is not None and not (_is_number(value) and 0 <= value <= 1):
        raise ValueError(f"{value!r:.40} is no accuracy")
    return None if value is None else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _of_type(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{value!r:.40} is no {kind.__name__}")
    return value
