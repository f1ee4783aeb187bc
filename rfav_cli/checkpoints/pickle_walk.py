"""Walks through pickles from anyone: what they name and call, and what they hold, with nothing made and no torch.

The machine is the one that reads checkpoints (`unpickler`), which looks nothing up; here tensors become sketches of
themselves, too. Where it cannot follow a pickle, which is then none that rfav would read, its instructions are listed
one by one, so that names are found in it all the same.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, ClassVar

from rfav_cli.checkpoints.sketches import SketchedStorage, sketch_storage, sketched
from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.checkpoints.unpickler import DataUnpickler, Maker
from rfav_cli.checkpoints.zip_listing import ZipListing
from rfav_cli.checkpoints.zips import ZIP_MAGIC
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BYTES = 2**28
"""Bytes of pickles in one file that are looked through."""
MOST_READS = 5_000_000
"""Pieces that they may be read in: each instruction is one or more."""
_MOST_NAMES = 100_000
_DEEPEST_NESTED = 4
_LOADER = ("torch.storage", "_load_from_bytes")
_TYPES = (("builtins", "type"), ("__builtin__", "type"))
_GETTERS = (("builtins", "getattr"), ("__builtin__", "getattr"))
_PICKLED_STORAGE = 0x1950A86A20F9469CFC6C
"""The number that torch.save's older format begins with, pickled; numbers follow the pickles."""
_OF_TORCH = 5
"""Its pickles: that number, a version, what machine it was written on, the content, the names of the storages."""
_TEXT = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
_PUT, _GET = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")


class TooMuchError(ValueError):
    """There is more than is looked through."""


@dataclass
class Walked:
    """What was met in the pickles of a file.

    Attributes:
        names: (module, name) -> whether it is called or changed.
        calls_given: whether what a call gave is itself called, or a class is changed: nothing that data needs.
        storages: all that are claimed.
        nested: pickles in pickles, which one of torch's functions is to load.
        problem: why the machine that reads checkpoints cannot follow; empty where it can.
        whole: whether each instruction was met.
    """

    names: dict[tuple[str, str], bool] = field(default_factory=dict)
    calls_given: bool = False
    storages: list[SketchedStorage] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    problem: str = ""
    whole: bool = True

    def note(self, name: tuple[str, str], called: bool) -> None:
        """Take down a name."""
        if len(self.names) >= _MOST_NAMES and name not in self.names:
            raise TooMuchError("more names than are looked through")
        self.names[name] = self.names.get(name, False) or called


class BoundedFile:
    """A file from which no more is read than it has, and than is looked through.

    Args:
        file: at the first pickle.
        size: bytes that are left in it.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size
        self._bytes = MOST_BYTES
        self._reads = MOST_READS

    def read(self, count: int) -> bytes:
        """As many bytes, or those that there are."""
        return self._took(self._file.read(max(0, min(count, self._left, self._bytes + 1))))

    def readline(self) -> bytes:
        """What goes up to the end of a line."""
        return self._took(self._file.readline(min(self._left, self._bytes + 1)))

    def _took(self, content: bytes) -> bytes:
        self._left -= len(content)
        self._bytes -= len(content)
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise TooMuchError("a pickle that is longer than what is looked through")
        return content

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return self._left


class Walk(DataUnpickler):
    """Reads one pickle for what it names."""

    def __init__(self, file: BoundedFile, size: int, walked: Walked) -> None:
        super().__init__(file, sketched, lambda claim: claim, size)  # type: ignore[arg-type]  # it can read
        self._walked = walked
        self._origins: dict[int, tuple[str, str]] = {}

    def persistent_load(self, pid: Any) -> Any:
        """A storage as a sketch; in the older format the source of a module, by its class."""
        if type(pid) is tuple and len(pid) > 1 and pid[0] == "module":
            return pid[1]
        storage = sketch_storage(pid)
        self._walked.storages.append(storage)
        return storage

    def find_class(self, module: str, name: str) -> Any:
        """What a name means; it is taken down."""
        self._walked.note((module, name), called=False)
        meant = super().find_class(module, name)
        self._origins[id(meant)] = (module, name)  # it stays for as long as this
        return meant

    def _made(self, maker: Any, args: Any) -> Any:
        if isinstance(maker, Name | Maker):
            origin = self._origins.get(id(maker))
            if origin in _GETTERS and (meant := self._part_of_class(args)) is not None:
                return meant
            one = isinstance(args, tuple) and len(args) == 1
            if origin and not (origin in _TYPES and one):  # the type of one thing, such as that of None
                self._walked.note(origin, called=True)
            if origin == _LOADER and isinstance(args, tuple) and args and isinstance(args[0], bytes):
                self._walked.nested.append(args[0])
        elif isinstance(maker, StandIn):
            self._walked.calls_given = True
        return super()._made(maker, args)

    def _part_of_class(self, args: Any) -> Any:
        """What `getattr(Class, "name")` means, as members of enumerations are written; None for any other use."""
        if not isinstance(args, tuple) or len(args) != 2 or not isinstance(args[1], str) or "__" in args[1]:
            return None
        origin = self._origins.get(id(args[0])) if isinstance(args[0], Name) else None
        return None if origin is None else self.find_class(origin[0], f"{origin[1]}.{args[1]}")

    def _state(self) -> None:
        if isinstance(self.stack[-2], Name | Maker):
            self._walked.calls_given = True
        super()._state()

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {**DataUnpickler.dispatch, b"b"[0]: _state}


def walk(file: IO[bytes], size: int, walked: Walked) -> Iterator[Any]:
    """What the pickles of a file hold, one after another; the caller says how many are asked for.

    Args:
        file: at the first.
        size: bytes that are left in it.
        walked: takes down what is met.

    Yields:
        The content of each; nothing more after one that the machine cannot follow (`walked.problem`).
    """
    bounded = BoundedFile(file, size)
    first, met = None, 0
    while bounded.left and not (met == _OF_TORCH and first == _PICKLED_STORAGE):
        begin = file.tell()
        try:
            content = Walk(bounded, size, walked).load()
        except TooMuchError as error:
            walked.problem, walked.whole = str(error), False
            return
        except Exception as error:  # a damaged pickle makes the machine that reads it fail in any way there is
            walked.problem = what_it_says(error)
            file.seek(begin)
            _list_instructions(file.read(min(size, MOST_BYTES)), walked)
            return
        first, met = (content if met == 0 else first), met + 1
        yield content


def walk_whole(content: bytes, walked: Walked, depth: int = 0) -> list[Any]:
    """What the pickles in some bytes hold, all of them, and in those that they hold in turn."""
    if content.startswith(ZIP_MAGIC):
        listing = ZipListing.of(io.BytesIO(content))
        pickles = [member for member in listing.members if member.filename.endswith(".pkl")]
        walked.whole &= not listing.problem and bool(pickles)
        parts = [listing.read(member, MOST_BYTES) for member in pickles]
    else:
        parts = [content]
    found = [held for part in parts for held in walk(io.BytesIO(part), len(part), walked)]
    walk_nested(walked, depth)
    return found


def walk_nested(walked: Walked, depth: int = 0) -> None:
    """Walk through the pickles in pickles."""
    inner, walked.nested = walked.nested, []
    for content in inner:
        if depth == _DEEPEST_NESTED:
            walked.problem, walked.whole = "pickles in pickles without end", False
            return
        part = Walked(walked.names)  # what is nested has storages of its own
        walk_whole(content, part, depth + 1)
        walked.calls_given |= part.calls_given
        walked.whole &= part.whole


def _list_instructions(content: bytes, walked: Walked) -> None:
    """Take down the names in a pickle that the machine cannot follow, as called; `whole` is false where one lacks."""
    memo: dict[Any, str | None] = {}
    texts: list[str | None] = []
    ended = False
    try:
        for number, (code, argument, _) in enumerate(pickletools.genops(content)):
            if number > MOST_READS:
                raise TooMuchError("a pickle that is longer than what is looked through")
            _take_down(code.name, argument, texts, memo, walked)
            ended = code.name == "STOP"
    except Exception:  # as above
        ended = False
    walked.whole &= ended


def _take_down(code: str, argument: Any, texts: list[str | None], memo: dict[Any, str | None], walked: Walked) -> None:
    """Follow one instruction as far as text goes that may become a name."""
    if code in ("GLOBAL", "INST"):
        module, _, name = argument.partition(" ")
        walked.note((module, name), called=True)
        texts.append(None)
    elif code == "STACK_GLOBAL":
        module_name = texts[-2:]
        if len(module_name) == 2 and None not in module_name:
            walked.note((str(module_name[0]), str(module_name[1])), called=True)
        else:
            walked.whole = False
        texts[-2:] = [None]
    elif code in _TEXT:
        texts.append(argument if isinstance(argument, str) else None)
    elif code == "MEMOIZE":
        memo[len(memo)] = texts[-1] if texts else None
    elif code in _PUT:
        memo[int(argument)] = texts[-1] if texts else None
    elif code in _GET:
        texts.append(memo.get(int(argument)))
    elif code.startswith("EXT"):
        walked.whole = False  # a name that another program has registered
    elif code not in ("FRAME", "PROTO"):
        texts.append(None)
