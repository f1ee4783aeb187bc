"""Archives of programs from untrusted hands: looked through before they are loaded, since loading runs parts of them.

An archive is read once, and what is checked is what is loaded: under the same name there may be another file by then.
Its members are told by the reader that loads it afterwards, so that both see the same.
"""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import torch

from rfav_cli.checkpoints import script_graphs
from rfav_cli.checkpoints.script_pickles import read_objects
from rfav_cli.checkpoints.script_source import Source, SourceError, module_of, read_source
from rfav_cli.checkpoints.zips import UNREADABLE
from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REMEDY = (
    "Nothing of it was run. Save the net's state_dict() instead, or give --i-trust-this-program where you trust its "
    "author."
)
_DAMAGED = "Save or copy it again."

MOST_EXTRA = 16 * 2**20
"""Bytes of files beside a program that are kept when it is saved again; each checkpoint of a training has them."""

_EXTRA = "extra/"
_PICKLES = ("data.pkl", "constants.pkl")
_OTHER_LAYOUT = ("model.json", "attributes.pkl")
"""Members by which torch takes an archive for one of 2018, which is read in another way."""
_NOTES = b".debug_pkl"
"""How the names of members end that say where code comes from. Torch reads them, as errors happen, without a check."""


def member_names(path: Path) -> frozenset[str]:
    """The names in a zip archive without their common folder; none where the file is no zip archive."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (OSError, *UNREADABLE):
        return frozenset()
    return frozenset(names if any("/" not in name for name in names) else (name.split("/", 1)[1] for name in names))


def read_whole(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            return file.read()
    except MemoryError as error:
        raise CheckpointError(f"{path}: too little memory to read it", remedy_for(error, "")) from error
    except OSError as error:
        remedy = remedy_for(error, "Try again, or copy it elsewhere.")
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", remedy) from error


def refuse(path: Path, what: str) -> NoReturn:
    """Raise that a file holds what could do more than compute."""
    raise CheckpointError(f"{path}: refused, it holds {printable(what)!r}", REMEDY)


def members(path: Path, content: bytes) -> dict[str, Callable[[], bytes]]:
    """Name -> a function that reads it.

    Args:
        path: the file, for messages.
        content: of it.

    Raises:
        CheckpointError: it is damaged, or has two members of a name.
    """
    try:
        reader = torch._C.PyTorchFileReader(io.BytesIO(content))
        names = reader.get_all_records()
    except Exception as error:  # a name may be no text, a version no number
        raise CheckpointError(f"{path}: cut off or damaged: {what_it_says(error, part='last')}", _DAMAGED) from error
    if len({name.lower() for name in names}) != len(names):  # torch finds each in any spelling
        refuse(path, "two members of one name")

    def read(name: str) -> bytes:
        try:
            content: bytes = reader.get_record(name)
        except RuntimeError as error:
            raise CheckpointError(f"{path}: damaged: {what_it_says(error, part='last')}", _DAMAGED) from error
        return content

    return {name: partial(read, name) for name in names}


def check_torchscript(path: Path, content: bytes) -> None:
    """Look through a TorchScript archive: its code as text, its pickles, and the graphs that torch makes of the code.

    Nothing of it is run. `__setstate__` methods would run as it is loaded.

    Args:
        path: the file, for messages.
        content: of it.

    Raises:
        CheckpointError: it is damaged, or uses what nets do not need.
    """
    inside, source = check_text(path, content)
    if "__setstate__" not in source.defined:  # nothing runs as it is loaded: it is looked through afterwards
        return
    try:
        unit = script_graphs.compile_alone(inside, source.classes)
    except CheckpointError:
        raise
    except Exception as error:  # what torch says of a file has all sorts of types
        raise not_loaded(path, error) from error
    check_graphs(path, unit)


def check_text(path: Path, content: bytes) -> tuple[dict[str, Callable[[], bytes]], Source]:
    """Look through a TorchScript archive as far as it goes without torch's compiler: its code as text, and its pickles.

    Returns:
        Its members, as `members` gives them, and what is in its code.

    Raises:
        CheckpointError: it is damaged, or uses what nets do not need.
    """
    inside = members(path, content)
    try:
        source = check_source(inside)
        check_pickles(path, inside, source)
    except SourceError as error:
        refuse(path, str(error))
    return inside, source


def check_source(inside: Mapping[str, Callable[[], bytes]]) -> Source:
    """Look through the code of an archive.

    Raises:
        SourceError: it is not what torch writes, or names what nets do not need.
    """
    if other := [name for name in inside if name in _OTHER_LAYOUT or _is_hidden_code(name)]:
        raise SourceError(other[0])
    modules = {module: content for name, content in inside.items() if (module := module_of(name)) is not None}
    source = read_source({module: content().decode("latin-1") for module, content in modules.items()})
    if refused := source.refused():
        raise SourceError(refused[0])
    return source


def _is_hidden_code(name: str) -> bool:
    """Whether torch takes a member for code, or notes on it, by a name that is not spelled as torch writes it."""
    in_code = name.startswith("code/") and name.endswith((".py", f".py{_NOTES.decode()}"))
    return name.lower().startswith("code/") and not in_code


def check_pickles(path: Path, inside: Mapping[str, Callable[[], bytes]], source: Source) -> None:
    """Look through the pickles of an archive.

    Raises:
        SourceError: one names what nets do not need.
        CheckpointError: one is damaged.
    """
    for name in _PICKLES:
        if name not in inside:
            raise CheckpointError(f"{path}: damaged: there is no {name} in it", _DAMAGED)
        try:
            made, _ = read_objects(inside[name](), source.classes if name == "data.pkl" else ())
        except (SourceError, CheckpointError):
            raise
        except Exception as error:  # a damaged pickle makes the machine that reads it fail in any way there is
            raise CheckpointError(f"{path}: damaged: {name}: {what_it_says(error)}", _DAMAGED) from error
        if misfit := source.declared.misfit(made):
            raise SourceError(f"an object of another class in {misfit}")


def check_graphs(path: Path, unit: torch._C.CompilationUnit) -> None:
    """Look through what torch compiled of an archive.

    Raises:
        CheckpointError: it uses what nets do not need.
    """
    if refused := script_graphs.refused(unit):
        refuse(path, refused[0])


def load_torchscript(path: Path, content: bytes, device: torch.device, *, trust: bool) -> torch.jit.ScriptModule:
    """Load a TorchScript archive; `check_torchscript` comes before.

    Args:
        path: the file, for messages.
        content: of it.
        device: where its tensors go.
        trust: do not look through what was loaded.

    Raises:
        CheckpointError: torch cannot load it.
    """
    unit = torch._C.CompilationUnit()
    without_notes = _without_notes(path, content)
    try:
        made = script_graphs.load_into(unit, without_notes, device)
        module: torch.jit.ScriptModule = torch.jit._recursive.wrap_cpp_module(made)
    except Exception as error:  # what __setstate__ raises has a type of its own
        raise not_loaded(path, error) from error
    if not trust:
        check_graphs(path, unit)
    script_graphs.mute(unit)
    return module


def not_loaded(path: Path, error: Exception) -> CheckpointError:
    """What is said where torch does not load an archive: of what torch says, why, and not where."""
    part = "last" if "Traceback of TorchScript" in str(error) else "first"
    return CheckpointError(
        f"{path}: not a TorchScript archive that this torch can load: {what_it_says(error, part=part)}",  # type: ignore[arg-type]
        f"Save it again; this is torch {torch.__version__}.",
    )


def _without_notes(path: Path, content: bytes) -> bytes:
    """An archive whose notes on code are under names that torch does not look for.

    Raises:
        CheckpointError: its list of members is at another place for torch.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    changed = content[:start] + content[start:].replace(_NOTES, b".debug_off")
    if any(name.endswith(_NOTES.decode()) for name in members(path, changed)):
        refuse(path, "two lists of its members")
    return changed


def extra_files(path: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What was saved beside a program, as `_extra_files` of `torch.jit.save`.

    Returns:
        Name -> content, and the names of those that are left out: they make more than `MOST_EXTRA` bytes together with
        those before, or would be written elsewhere by who unpacks the archive.

    Raises:
        CheckpointError: the archive is damaged.
    """
    whole = read_whole(path)
    inside = members(path, whole)
    size_of = torch._C.PyTorchFileReader(io.BytesIO(whole)).get_record_size
    contents: dict[str, bytes] = {}
    left_out, room = [], MOST_EXTRA
    for member in sorted(name for name in inside if name.startswith(_EXTRA)):
        name = member.removeprefix(_EXTRA)
        if ".." in re.split(r"[/\\]", name) or (size := size_of(member)) > room:
            left_out.append(name)
        else:
            contents[name], room = inside[member](), room - size
    return contents, tuple(left_out)
