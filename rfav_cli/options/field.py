"""What an option is: a field of a frozen dataclass, the one place of its default, type, unit, range and help.

The command line, the keys of `[tool.rfav]`, the keywords of the Python API and the documents are made from it.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from rfav_cli.errors import UsageError
from rfav_cli.options.kinds import alternatives, as_entries, fits, in_words, kind_of_entries
from rfav_cli.options.panels import FIRST
from rfav_cli.text import printable, quoted

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:
    from typing_extensions import dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typing_extensions import Self

T = TypeVar("T")
FromProject = Literal["any", "never", "said", "inside"]
"""What a project's file may set an option to; see `Option.from_project`."""


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name and default.

    Attributes:
        help: a sentence.
        panel: the part of the help that it stands in.
        kind: `bool` (a flag), `int`, `float`, `str` or `Path`.
        unit: of a number.
        low, high: least and largest value of a number, or None.
        metavar: what the help calls the value.
        names: on the command line, where they are not the field's own; a short name such as "-o" besides.
        choices: the names that it can be, or where their table is: "module:NAME"; empty where it is free.
        named: where the table is of names that it can begin with, NAME:PATH, which the help gives at "{names}".
        read: from a text to the value; raises ValueError with what is wrong with it.
        several: it can be repeated; the value is a tuple.
        positional: it is an argument.
        keyword: only the Python API has it.
        from_project: what `[tool.rfav]` may set it to, which may be a stranger's: "any" value; "never" one, where it is
            for the person at the keyboard alone; code, which is "said" and refused where the file lies with what is
            read; a place to write "inside" of the folder of that file.
    """

    help: str
    panel: str = ""
    kind: type = str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    metavar: str = ""
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] | str = ()
    named: str = ""
    read: Callable[[Any], Any] | None = None
    several: bool = False
    positional: bool = False
    keyword: bool = False
    from_project: FromProject = "any"

    @property
    def is_number(self) -> bool:
        """Whether it is a number, which has a range."""
        return self.kind in (int, float) and self.read is None

    def names_of_choices(self) -> tuple[str, ...]:
        """The names that it can be; empty where it is free."""
        return self.choices if isinstance(self.choices, tuple) else _names_of(self.choices)

    def range(self) -> str:
        """The numbers that it can be, in words: "whole number from 1 on".

        >>> Option("", kind=int, low=1).range(), Option("", kind=float, low=0, high=1).range()
        ('whole number from 1 on', 'number from 0 to 1')
        """
        whole = "whole number" if self.kind is int else "number"
        low, high = (None if end is None else _end(end) for end in (self.low, self.high))
        if low is None:
            return whole if high is None else f"{whole} up to {high}"
        return f"{whole} from {low} " + ("on" if high is None else f"to {high}")

    def with_range(self) -> str:
        """The help, with the unit and the range of a number; the unit only where the sentence has not named it.

        >>> Option("Epochs to train.", kind=int, unit="epochs", low=1).with_range()
        'Epochs to train (from 1 on).'
        >>> Option("Width of the figure.", kind=float, unit="inches", low=1, high=50).with_range()
        'Width of the figure (inches, from 1 to 50).'
        """
        if not self.is_number:
            return self.help
        words = self.range().removeprefix("whole ").removeprefix("number").strip()
        unit = "" if self.unit.lower() in self.help.lower() else self.unit
        note = ", ".join(part for part in (unit, words) if part)
        return f"{self.help.removesuffix('.')} ({note})." if note else self.help

    def holds(self, value: Any) -> bool:
        """Whether a value is a number in the range; NaN is in none."""
        kinds: Any = numbers.Integral if self.kind is int else numbers.Real  # numpy's numbers are such, too
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        return bool(
            (-math.inf if self.low is None else self.low) <= value <= (math.inf if self.high is None else self.high)
        )


def _end(number: float) -> str:
    """An end of a range, as one reads it: 0.5, 1,000,000, 2^64 - 1."""
    if isinstance(number, float):
        return f"{number:g}"
    bits = number.bit_length()
    return f"2^{bits} - 1" if bits > 32 and number == 2**bits - 1 else f"{number:,}"


def _names_of(table: str) -> tuple[str, ...]:
    module, _, name = table.partition(":")
    return tuple(getattr(import_module(module), name))


def option(*, default: Any, help: str, kw_only: bool = True, **attributes: Any) -> Any:  # noqa: A002 - the attribute's name
    """A field that is an option.

    Args:
        default: its default; a flag's is False.
        help: a sentence.
        kw_only: False for an argument.
        attributes: of `Option`; `kind` follows from the default where that says it.
    """
    kind = attributes.pop("kind", None) or (type(default) if isinstance(default, (bool, int, float)) else str)
    described = Option(help, kind=kind, positional=not kw_only, **attributes)
    return dataclasses.field(default=default, kw_only=kw_only, metadata={"option": described})


def required(*, help: str, kw_only: bool = True, **attributes: Any) -> Any:  # noqa: A002
    """A field that is an option without a default, as for `option`."""
    return option(default=dataclasses.MISSING, help=help, kw_only=kw_only, **attributes)


def keyword(*, default: Any, help: str) -> Any:  # noqa: A002
    """A field that only callers from Python can give, such as a function that is told what goes on."""
    return option(default=default, help=help, keyword=True)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, required, keyword))
def group(record: type[T]) -> type[T]:
    """A group of options: a frozen dataclass whose fields are made by `option`, `required` and `keyword`."""
    return dataclass(frozen=True, kw_only=True)(record)


@group
class Options:
    """A group of options, or all of a command's, which are groups and some of its own.

    Attributes:
        FIRST: names of the options that a beginner needs, which come first in the help.
        HELP: name of an option -> its help in this command, where that is not the group's.
    """

    FIRST: ClassVar[tuple[str, ...]] = ()
    HELP: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        """Refuse what is no value of an option; have one entry alone as a tuple, and numbers as plain ones.

        Raises:
            UsageError: a value is of another type, out of its range, or no name of its table.
        """
        for field in dataclasses.fields(self):
            described: Option | None = field.metadata.get("option")
            value = getattr(self, field.name)
            if described is not None and not (value is None and field.default is None):
                object.__setattr__(self, field.name, _checked(field, described, value))

    @classmethod
    def of(cls, other: Options, **changes: Any) -> Self:
        """These options with the values of another command's, where both have them."""
        shared = {field.name for field in dataclasses.fields(cls)} & {f.name for f in dataclasses.fields(other)}
        return cls(**{name: getattr(other, name) for name in shared} | changes)


def options_of(record: type[Options]) -> Iterator[tuple[str, Option]]:
    """The options of a group or command by their names, in the words and panels of that command."""
    for field in dataclasses.fields(record):
        described: Option | None = field.metadata.get("option")
        if described is not None:
            panel = FIRST if field.name in record.FIRST else described.panel
            text = _with_names(record.HELP.get(field.name, described.help), described)
            yield field.name, dataclasses.replace(described, panel=panel, help=text)


def _with_names(text: str, described: Option) -> str:
    """A help that names each choice: where it says "{names}", or at its end those that it does not describe."""
    if described.named:
        return text.replace("{names}", ", ".join(f"{name}:PATH" for name in _names_of(described.named)))
    if not isinstance(described.choices, str) or not described.metavar:  # without one, the help shows the choices
        return text
    words = re.findall(r"[\w-]+", text)
    if missing := [name for name in described.names_of_choices() if name not in words]:
        return f"{text.removesuffix('.')}; {', '.join(missing)}."
    return text


def spelled(name: str, described: Option | None = None) -> str:
    """An option as it is typed: "--probe-size"."""
    long = [typed for typed in (described.names if described else ()) if typed.startswith("--")]
    return long[0] if long else f"--{name.replace('_', '-')}"


def _checked(field: dataclasses.Field[Any], described: Option, value: Any) -> Any:
    """The value of an option, as its annotation has it."""
    name = field.name if described.positional or described.keyword else spelled(field.name, described)
    annotation = str(getattr(field.type, "__name__", field.type))
    if described.several:
        value = as_entries(value, annotation)
    if described.kind in (int, float) and not (described.read and isinstance(value, str)):
        return _number(name, described, value)
    if described.read is not None:
        return _read(name, described, value)
    if described.kind is bool and described.keyword is False and type(value).__name__ in {"bool", "bool_"}:
        return bool(value)  # numpy's, too
    _check_kind(name, described, value, "str" if described.choices else annotation)
    if isinstance(described.choices, str) and value != field.default:
        names = described.names_of_choices()
        if value not in names:
            raise UsageError(f"{name}: there is no {quoted(value)}", f"Give one of: {', '.join(names)}.")
    return value


def _check_kind(name: str, described: Option, value: Any, annotation: str) -> None:
    several = kind_of_entries(annotation) if isinstance(value, tuple) else ""  # a tuple may be none of its values
    entries, kinds = (value, several) if several else ((value,), annotation)
    for entry in entries:
        if not fits(entry, kinds):
            raise UsageError(
                f"{name} {quoted(entry)}: no {in_words(kinds)}", f"It takes: {_with_names(described.help, described)}"
            )
        if isinstance(entry, str) and not entry and "Path" in alternatives(kinds):  # to pathlib the current folder
            raise UsageError(f"{name} '': no path", f"It takes: {_with_names(described.help, described)}")


def _number(name: str, described: Option, value: Any) -> int | float:
    kind: Any = numbers.Integral if described.kind is int else numbers.Real
    if isinstance(value, bool) or not isinstance(value, kind):
        what = described.range().partition(" from ")[0]
        raise UsageError(f"{name} {quoted(value)}: no {what}", _remedy(described))
    try:
        plain: int | float = described.kind(value)
    except OverflowError:  # more than any float
        plain = math.nan
    if not described.holds(plain):
        raise UsageError(f"{name} {quoted(value)}: out of range", _remedy(described))
    return plain


def _read(name: str, described: Option, value: Any) -> Any:
    read: Any = described.read
    try:
        return tuple(read(entry) for entry in value) if described.several else read(value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name}: {printable(error, 200)}", f"Give {described.metavar}.") from None


def _remedy(described: Option) -> str:
    unit = f" ({described.unit})" if described.unit else ""
    return f"Give a {described.range()}{unit}."
