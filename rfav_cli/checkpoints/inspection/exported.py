"""What `torch.export.save` wrote: a graph in JSON, which names operators, and the numbers of its weights."""

from __future__ import annotations

import io
import json
import re
from math import prod
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.archive_findings import report_operators, report_refusal, sound_archive, walk_other_pickles
from rfav_cli.checkpoints.sketches import SIZES
from rfav_cli.checkpoints.zip_listing import ZipListing

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "exported program"
_OLD = "serialized_exported_program.json"
_MOST_JSON = 2**26
"""Bytes of the graph that are looked through."""
_MOST_PART = 2**28
_OPERATOR = re.compile(r"^torch\.ops\.(\w+)\.")
_DTYPES = (
    *("", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64"),
    *("complex128", "bool", "bfloat16"),
)
"""By the number that the format has for a type of numbers."""


def recognises(source: Source) -> bool:
    """Whether it is an archive with a graph where `torch.export.save` puts it, now or in older releases."""
    names = source.short_names
    return _OLD in names or any(name.startswith("models/") and name.endswith(".json") for name in names)


def inspect(source: Source, look: Look) -> None:
    """Take down its operators and weights, and say whether it reaches beyond tensors."""
    archive = sound_archive(source, look)
    if archive is None:
        return
    left = _MOST_JSON
    for member in archive.members:
        name = member.filename.removeprefix(archive.root)
        if name.endswith(".json"):
            if member.file_size > left:
                look.find("incomplete", "a longer graph than is looked through")
                return
            left -= member.file_size
            _take_down(name, archive.read(member, member.file_size), look)
        elif name.endswith(".pt") and member.file_size <= _MOST_PART:
            _walk_part(archive.read(member, _MOST_PART), name, look)
    walk_other_pickles(archive, look, ())
    _hold_against_rules(source, look)


def _take_down(name: str, content: bytes, look: Look) -> None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        look.find("incomplete", f"damaged: {name} is no JSON")
        return
    if name.endswith("_config.json") and isinstance(document, dict):
        _take_down_weights(document.get("config"), look)
        return
    operators: set[str] = set()
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(target := value.get("target"), str) and "inputs" in value:
                operators.add(_OPERATOR.sub(r"\1::", target))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    plain = {operator for operator in operators if "::" not in operator}  # of Python: `_operator.getitem`
    look.names(operators=sorted(plain))
    report_operators(operators - plain, look)


def _take_down_weights(config: Any, look: Look) -> None:
    """Weights by their names; what is pickled among them is read with all that it holds by those who load it."""
    for name, entry in config.items() if isinstance(config, dict) else ():
        meta = entry.get("tensor_meta") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and entry.get("use_pickle"):
            look.find("runs-code", f"weight {name!r} is a pickle, which torch reads with all that it names")
        if not isinstance(meta, dict):
            continue
        try:
            shape = tuple(int(size["as_int"]) for size in meta["sizes"])
            dtype = _DTYPES[meta["dtype"]]
        except (KeyError, TypeError, ValueError, IndexError):
            look.find("refused", f"damaged: weight {name!r} is described as no tensor")
            continue
        look.tensor(name, shape, dtype, prod(shape) * SIZES.get(dtype, 1))


def _walk_part(content: bytes, name: str, look: Look) -> None:
    """Walk through what torch.save wrote inside."""
    if content.startswith(b"PK"):
        inner = ZipListing.of(io.BytesIO(content))
        if inner.problem:
            look.find("incomplete", f"{name}: {inner.problem}")
        for words in inner.refusals():
            look.find("refused", f"{name}: {words}")
        walk_other_pickles(inner, look, ())


def _hold_against_rules(source: Source, look: Look) -> None:
    """Ask what rfav itself asks before it loads such a program."""
    from rfav_cli.checkpoints import export_archives, integrity  # imports torch
    from rfav_cli.checkpoints.archives import read_whole

    def check() -> None:
        integrity.check_archive(source.path)
        whole = read_whole(source.path)
        if _OLD in source.short_names:
            export_archives.read_old_export(source.path, whole)
        else:
            export_archives.check_exported(source.path, whole)

    report_refusal(check, source, look)
