"""Reads a pickle as data: the machine that pickles are programs of, with nothing in it that could run what they name.

Python's own machine looks up each name that a pickle has and calls what it finds. This one looks nothing up. A name
becomes a `Name`; what would be called becomes a `StandIn` that keeps what it would be called with. Only the names of
one table (`known_names`: tensors, their types, ordered dictionaries, numbers) become what they are in torch, and
the functions of that table are this project's own, which check what they are given. So these hold, whatever a file has
in it:

- nothing is imported, no attribute is looked up by a name of the file, and nothing is called that the file chose;
- the objects that can come out are None, numbers, text, bytes, lists, tuples, dictionaries, tensors, types of numbers,
  names and stand-ins; state is only kept in stand-ins, save for the `_metadata` of an ordered dictionary;
- only text, bytes and numbers are keys of dictionaries; any other key is wrapped, so that no hash or comparison of
  nested tuples, and no flood of equal hashes, is ever computed;
- nothing is made larger than the file that says so: a storage has the bytes that it claims, what calls copy is counted.

Only the instructions are known that Python's picklers write in protocols 2 to 5. Modelled on CPython's
`pickle._Unpickler`, whose handling of plain numbers, text and containers is taken, and on torch's
`_weights_only_unpickler`, which knows protocol 2 alone and makes objects of the classes it allows.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import IO, TYPE_CHECKING, Any, ClassVar

from rfav_cli.checkpoints.stand_ins import Name, StandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.checkpoints.opened import Clipped
    from rfav_cli.checkpoints.storages import Claim


_DEEPEST = 10_000
"""Lists and dictionaries in one another that a pickle may have; torch reads a thousand or so."""
_LARGEST_KEY = 2**64
_LONGEST_NAME = 1000
"""Characters of the name of a class or function, its module with it."""
_FREE = 2**20
"""Characters and elements that calls may be given in any file, however small; else twice as many as it has bytes."""
_MOST = 2**29
"""Bytes of memory that what a pickle makes may take, by the table below; that of 150,000 tensors takes as many."""
_COST = 64
"""Bytes of memory that an instruction takes at most, other than those below and beside what is read from the file."""
_COSTS = {
    "EMPTY_LIST": 100,
    "EMPTY_DICT": 250,
    "EMPTY_SET": 250,
    "FROZENSET": 250,
    "MARK": 100,
    "REDUCE": 250,
    "NEWOBJ": 250,
    "NEWOBJ_EX": 350,
    "GLOBAL": 300,
    "STACK_GLOBAL": 300,
    "BINPUT": 130,
    "LONG_BINPUT": 130,
    "MEMOIZE": 130,
    "TUPLE": 80,
    "TUPLE1": 80,
    "TUPLE2": 80,
    "TUPLE3": 80,
    "BINUNICODE": 80,
    "SHORT_BINUNICODE": 80,
    "BINUNICODE8": 80,
    "BINSTRING": 80,
    "SHORT_BINSTRING": 80,
    "BINBYTES": 80,
    "SHORT_BINBYTES": 80,
    "BINBYTES8": 80,
    "BYTEARRAY8": 100,
    "LONG1": 60,
    "LONG4": 60,
}
"""The same of instructions that take more."""
_COST_OF_ENTRY = 120
"""Bytes of memory of an entry of a dictionary."""
_PLAIN = (
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET", "POP", "POP_MARK"),
    *("GLOBAL", "STACK_GLOBAL", "BINPERSID", "PROTO", "STOP"),
)
"""Instructions that are handled as Python does: what they make is plain, or goes through the methods below."""


@dataclass(frozen=True)
class Maker:
    """A name that is known: what is called in its place.

    Attributes:
        make: takes what the pickle gives, of any type and number, and checks it.
    """

    make: Callable[..., Any]


class DataUnpickler(pickle._Unpickler):
    """Reads one pickle.

    Args:
        file: at its beginning; afterwards at its end.
        known: gives what the name of a module and a name in it mean: a `Maker` or a value; None where it knows none.
        take: gives the storage that a pickle claims.
        size: of the pickle, in bytes, or more.
    """

    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]
    _file_read: Callable[[int], bytes]
    _file_readline: Callable[[], bytes]

    def __init__(
        self,
        file: IO[bytes] | Clipped,
        known: Callable[[str, str], Any],
        take: Callable[[Claim], Any],
        size: int,
    ) -> None:
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self._known = known
        self._meanings: dict[tuple[str, str], Any] = {}
        self._left = 2 * size + _FREE
        self._room = _MOST
        self._take = take

    def load(self) -> Any:
        """What the pickle holds.

        Raises:
            UnpicklingError: it holds more than a checkpoint does.
            Exception: of any other kind where it is damaged.
        """
        self.read, self.readline = self._file_read, self._file_readline  # nothing is in frames for it
        self.stack, self.metastack = [], []
        self.append = self.stack.append
        self.proto = 0
        read, dispatch, costs = self.read, self.dispatch, self._costs
        try:
            while key := read(1):
                self._room -= costs[key[0]]
                if self._room < 0:
                    raise UnpicklingError("more objects than a checkpoint has")
                dispatch[key[0]](self)
        except pickle._Stop as stop:  # type: ignore[attr-defined]  # it is there
            return stop.value
        raise EOFError("the pickle ends in the middle")

    def persistent_load(self, pid: Any) -> Any:
        """What is beside the pickle: a storage; in the older format the source of a module, by its class."""
        if type(pid) is tuple and len(pid) > 1 and pid[0] == "module":
            return pid[1]
        from rfav_cli.checkpoints.storages import Claim  # imports torch, and who only looks needs none

        return self._take(Claim.of(pid))

    def find_class(self, module: str, name: str) -> Any:
        """What a name means; it is not looked up."""
        named = (module, name)
        if len(module) + len(name) > _LONGEST_NAME:  # each name is text of its own, while all may share a module's
            raise UnpicklingError("a name without end")
        if named not in self._meanings:
            meant = self._known(module, name)
            self._meanings[named] = Name(f"{module}.{name}") if meant is None else meant
        return self._meanings[named]

    def _mark(self) -> None:
        if len(self.metastack) > _DEEPEST:
            raise UnpicklingError("too deep")
        super().load_mark()  # type: ignore[misc]  # it is there

    def _frame(self) -> None:
        self.read(8)  # frames are for reading ahead; what is in them follows

    def _bytearray(self) -> None:
        self.append(self.read(int.from_bytes(self.read(8), "little")))

    def _set(self) -> None:
        self.append(StandIn("builtins.set"))

    def _frozen_set(self) -> None:
        items = self.pop_mark()  # which changes what is appended to
        self.append(StandIn("builtins.frozenset", items=items))

    def _call(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._made(self.stack[-1], args)

    def _call_with_names(self) -> None:
        named = self.stack.pop()
        args = self.stack.pop()
        if type(named) is not dict or type(args) is not tuple:
            raise UnpicklingError("arguments that are none")
        self._copy(len(args))
        self.stack[-1] = self._made(self.stack[-1], (*args, named) if named else args)

    def _made(self, maker: Any, args: Any) -> Any:
        if isinstance(maker, Name) and not isinstance(args, tuple):
            args = (args,)  # TorchScript writes the value of an Enum so
        if type(args) is not tuple:
            raise UnpicklingError("arguments that are none")
        if type(maker) is Maker:
            self._copy(sum(len(given) for given in args if isinstance(given, str | list | tuple | dict)))
            return maker.make(*args)
        if not isinstance(maker, Name | StandIn):
            raise UnpicklingError("calls what is no name")
        return StandIn(maker.kind, args)

    def _copy(self, count: int) -> None:
        """Count what is copied: the file may have it once and name it again and again."""
        self._left -= count
        if self._left < 0:
            raise UnpicklingError("copies the same again and again")

    def _state(self) -> None:
        state = self.stack.pop()
        made = self.stack[-1]
        if type(made) is StandIn:
            made.state = state
        elif type(made) is OrderedDict and type(state) is dict:
            if "_metadata" in state:
                made.__dict__["_metadata"] = state["_metadata"]
        else:
            raise UnpicklingError("gives a state to what has none")

    def _append(self) -> None:
        value = self.stack.pop()
        self._elements(self.stack[-1]).append(value)

    def _appends(self) -> None:
        values = self.pop_mark()
        self._elements(self.stack[-1]).extend(values)

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._put(key, value)

    def _set_items(self) -> None:
        values = self.pop_mark()
        for key, value in zip(values[::2], values[1::2], strict=True):
            self._put(key, value)

    def _put(self, key: Any, value: Any) -> None:
        made = self.stack[-1]
        if type(made) is StandIn and made.entries is None:
            made.entries = {}
        mapping = made.entries if type(made) is StandIn else made
        if not isinstance(mapping, dict):
            raise UnpicklingError("puts a value into what has no keys")
        self._room -= _COST_OF_ENTRY
        mapping[safe_key(key)] = value

    @staticmethod
    def _elements(made: Any) -> list[Any]:
        if type(made) is StandIn and made.items is None:
            made.items = []
        elements = made.items if type(made) is StandIn else made
        if type(elements) is not list:
            raise UnpicklingError("puts a value into what is no list")
        return elements

    def _decode_string(self, value: bytes) -> str:
        """Text of Python 2; its bytes have no other type."""
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")

    _costs: ClassVar[list[int]] = [_COST] * 256
    for _name, _cost in _COSTS.items():
        _costs[getattr(pickle, _name)[0]] = _cost
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **{getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]] for name in _PLAIN},
        pickle.MARK[0]: _mark,
        pickle.FRAME[0]: _frame,
        pickle.BYTEARRAY8[0]: _bytearray,
        pickle.EMPTY_SET[0]: _set,
        pickle.FROZENSET[0]: _frozen_set,
        pickle.ADDITEMS[0]: _appends,
        pickle.REDUCE[0]: _call,
        pickle.NEWOBJ[0]: _call,
        pickle.NEWOBJ_EX[0]: _call_with_names,
        pickle.BUILD[0]: _state,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _appends,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
    }


def safe_key(key: Any) -> Any:
    """A key as a dictionary may have it: text, bytes and numbers as they are, anything else in a stand-in for it."""
    if key is None or type(key) in (str, bytes, float, bool) or (type(key) is int and abs(key) < _LARGEST_KEY):
        return key
    return StandIn("key", (key,))
