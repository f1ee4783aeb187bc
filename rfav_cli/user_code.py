"""Objects of the user's own code, by name: "package.module:attribute" or "path/to/file.py:attribute".

Naming it on the command line is what lets it run, or in the project's own file (`origins`); nothing that a file of data
says comes here.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli import origins
from rfav_cli.errors import RfavError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

_KEYS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
FORMS = "package.module:{name} or path/to/file.py:{name}"
"""What a specification looks like; `name` stands for what is asked for."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for, for messages.

    Attributes:
        option: that the specification was given with: "--model".
        name: what the attribute is: "factory".
        error: what is raised.
    """

    option: str
    name: str
    error: type[RfavError]

    @property
    def forms(self) -> str:
        """The two forms of a specification."""
        return FORMS.format(name=self.name)


@dataclass(frozen=True)
class Found:
    """An object of the user's code, and where what it imports late is found.

    Attributes:
        value: the object.
        folders: importable while it was looked up, and to be so while it is called.
    """

    value: Any
    folders: tuple[Path, ...]

    def importable(self) -> AbstractContextManager[None]:
        """Let the object import what lies beside it, for the time of the block."""
        return importable(*self.folders)


def names_code(spec: str) -> bool:
    """Whether a text has the form of a specification; a path that is there is none, nor is an address.

    >>> names_code("nets.small:make"), names_code("src/data.py:val_set"), names_code("C:/data"), names_code("a:b#c")
    (True, True, False, False)
    """
    source, _, name = without_keys(spec)[0].rpartition(":")
    dotted = source.endswith(".py") or _is_dotted(source)
    return dotted and _is_dotted(name) and "://" not in spec and not Path(spec).exists()


def without_keys(spec: str) -> tuple[str, tuple[int | str, ...]]:
    """A specification without the entries of what it names, and these: numbers, or names with quotes or without.

    >>> without_keys("data:loaders[1]"), without_keys("data.py:sets['val'][0]"), without_keys("data:val_set")
    (('data:loaders', (1,)), ('data.py:sets', ('val', 0)), ('data:val_set', ()))
    """
    match = _KEYS.fullmatch(spec)
    if match is None:
        return spec, ()
    keys = [key.strip("'\"") for key in re.findall(r"\[([^\[\]]+)\]", match[2])]
    return match[1], tuple(int(key) if key.lstrip("-").isdecimal() else key for key in keys)


def is_module(name: str) -> bool:
    """Whether there is a module or package of a name without dots, here or among those that are installed."""
    with importable(Path.cwd()):
        try:
            return name in sys.modules or importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            return False


def find(spec: str, wanted: Wanted) -> Found:
    """Import the module or file that a specification names, and take the attribute out of it.

    The current folder is importable meanwhile, for a file its own folder before it. A file is run once, as modules are,
    until it changes.

    Args:
        spec: one of `FORMS`. The attribute may be dotted ("module:Class.make").
        wanted: what is looked for.

    Raises:
        RfavError: of the class that is wanted: there is no such module, file or attribute, or importing it failed.
        UsageError: a project's file named it that may not.
    """
    origins.ask(wanted.option)
    source, _, name = spec.rpartition(":")
    if not (source and name):
        raise wanted.error(f"{wanted.option} {printable(spec)}: it names no {wanted.name}", f"Write {wanted.forms}.")
    own = (Path(source).resolve().parent,) if source.endswith(".py") else ()
    folders = tuple(dict.fromkeys((*own, Path.cwd())))
    with importable(*folders):
        return Found(_attribute(_import(source, wanted), source, name, wanted), folders)


@contextmanager
def importable(*folders: Path) -> Iterator[None]:
    """Let modules of folders be imported, as `python -m` does, for the time of the block only; the first goes first."""
    entries = [str(folder) for folder in folders]
    sys.path[:0] = entries
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for entry in entries:
            if entry in sys.path:
                sys.path.remove(entry)


def unknown(where: str, name: str, names: Iterable[str], otherwise: str) -> tuple[str, str]:
    """What an error says of a name that there is not, and what to do: the names that are near, if any."""
    close = get_close_matches(name, list(names), n=3)
    return (
        f"{where}: there is no {printable(name)}",
        f"Did you mean {' or '.join(map(printable, close))}?" if close else otherwise,
    )


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _import(source: str, wanted: Wanted) -> ModuleType:
    try:
        return _import_file(Path(source), wanted) if source.endswith(".py") else _import_module(source, wanted)
    except (Exception, SystemExit) as error:  # a module runs what its author wrote, argument parsers included
        if isinstance(error, RfavError):
            raise
        raise wanted.error(
            f"{wanted.option} {printable(source)}: importing it raised {named(error, part='all')}",
            f"Put that right, or move the {wanted.name} to a module that imports without it.",
        ) from error


def _import_module(name: str, wanted: Wanted) -> ModuleType:
    try:
        if not _is_dotted(name):
            raise ModuleNotFoundError(name=name)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise wanted.error(
            f"{wanted.option} {printable(name)}: there is no module {printable(error.name)}",
            f"Run rfav in the folder that holds it, install it, or give the file as path/to/file.py:{wanted.name}.",
        ) from error


def _import_file(path: Path, wanted: Wanted) -> ModuleType:
    if not path.is_file():
        raise wanted.error(
            f"{wanted.option} {printable(path)}: there is no such file", "Give the path of a Python file."
        )
    # Files in one folder share what they make at random, so that its parts do not overlap: each is run once.
    name, state = f"_rfav_user_{path.stem}", (str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size)
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__rfav_state__", None) == state:
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise wanted.error(f"{wanted.option} {printable(path)}: not a Python file", "Give the path of a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and TorchScript look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    module.__dict__["__rfav_state__"] = state
    return module


def _attribute(owner: Any, source: str, dotted: str, wanted: Wanted) -> Any:
    for name in dotted.split("."):
        if not hasattr(owner, name):
            public = [member for member in dir(owner) if not member.startswith("_")]
            where, otherwise = f"{wanted.option} {printable(source)}", f"Name a {wanted.name} in it."
            raise wanted.error(*unknown(where, name, public, otherwise))
        owner = getattr(owner, name)
    return owner
