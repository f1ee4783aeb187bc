"""Options on the command line, made from the records of `rfav_cli.options`."""

import dataclasses
import enum
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any

import typer

from rfav_cli.cli.from_project import set_by_project_of
from rfav_cli.cli.groups import PRINTED
from rfav_cli.cli.programs import settle
from rfav_cli.options import FIRST, Option, Options, options_of, spelled
from rfav_cli.options import PANELS as THEIR_PANELS
from rfav_cli.origins import set_by_project
from rfav_cli.remote import speaking

PANELS = (FIRST, PRINTED, *THEIR_PANELS)
"""The panels of the help in their order."""
_CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


def takes(*records: type[Options]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a command take the options of some records; it is called with the records.

    Required arguments come first, then what a beginner needs, then panel by panel.
    """

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        parameters = [parameter for record in records for parameter in _parameters(record)]
        parameters.sort(key=_rank)
        parameters.append(_CONTEXT)
        described = {name: option for record in records for name, option in options_of(record)}

        @wraps(command)
        def from_command_line(context: typer.Context, **values: Any) -> Any:
            with speaking(), set_by_project(set_by_project_of(context, described, values)):
                made = [_made(record, values) for record in records]
                for options in made:
                    settle(options)
                return command(*made)

        from_command_line.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        from_command_line.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        from_command_line.described = described  # type: ignore[attr-defined]
        return from_command_line

    return give


def _parameters(record: type[Options]) -> Iterator[inspect.Parameter]:
    """The parameters of a command for the options of a record, and of the groups that it holds."""
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    for name, option in options_of(record):
        default = defaults[name]
        if isinstance(default, Options):
            yield from _parameters(type(default))
        elif not option.keyword:
            yield _parameter(name, option, default)


def _parameter(name: str, option: Option, default: Any) -> inspect.Parameter:
    kind, more = _type(name, option)
    if option.choices and default is not None and kind is not Any:
        default = kind(default)
    if option.several:
        kind, default = list[kind], _list(default, option)  # type: ignore[valid-type]
    if default is dataclasses.MISSING:
        default, more["show_default"] = inspect.Parameter.empty, False
    if option.positional:
        declared: Any = typer.Argument(help=option.help, metavar=option.metavar, **more)
    else:
        more |= {"help": option.with_range(), "rich_help_panel": option.panel or None} | _shown(option)
        declared = typer.Option(*_names(name, option), **more)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, default=default, annotation=Annotated[kind, declared])


def _type(name: str, option: Option) -> tuple[Any, dict[str, Any]]:
    """The type that typer is told, and what reads it where that is no type of typer's."""
    if option.read is not None:
        return Any, {"parser": _reader(option.read)}
    if option.is_number:
        return Any, {"parser": _reader(_number(option))}
    if option.choices:
        return enum.Enum(name.title(), {choice: choice for choice in option.names_of_choices()}, type=str), {}
    as_text = option.kind is str and not option.positional  # the help of an argument shows its type
    return (Any, {"parser": _reader(_text)}) if as_text else (option.kind, {})


def _list(default: Any, option: Option) -> Any:
    if default is dataclasses.MISSING:
        return default
    return [option.kind(value) for value in ([default] if isinstance(default, str) else default)]


def _names(name: str, option: Option) -> tuple[str, ...]:
    """A flag is spelled out, since typer would give it an opposite."""
    return option.names or ((spelled(name),) if option.kind is bool else ())


def _shown(option: Option) -> dict[str, Any]:
    """What the help calls the value; typer would show a type of a flag, as if a value were to be given."""
    return {"metavar": option.metavar} if option.metavar or option.kind is bool else {}


def _text(value: Any) -> str:
    """A text from the command line, or from pyproject.toml, where it can be a bool or a table."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no text")
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is no text")
    return value


def _number(option: Option) -> Callable[[Any], Any]:
    """Reads a number from the command line, or from pyproject.toml, where it can be a bool."""

    def read(text: Any) -> Any:
        try:
            value: Any = text if isinstance(text, bool) else option.kind(text)
        except (ValueError, OverflowError):
            value = None
        if not option.holds(value):
            raise ValueError(f"{text!r} is no {option.range()}")
        return value

    return read


def _reader(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What reads a text for typer, whose own error says which option it is of."""

    def parse(text: Any) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    parse.__name__ = "value"
    return parse


def _made(record: type[Options], values: dict[str, Any]) -> Options:
    """A record of what the command line holds."""
    chosen: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        if isinstance(field.default, Options):
            chosen[field.name] = _made(type(field.default), values)
        elif field.name in values:
            value = values[field.name]
            plain = value.value if isinstance(value, enum.Enum) else value
            chosen[field.name] = tuple(plain) if isinstance(plain, list) else plain
    return record(**chosen)


def _rank(parameter: inspect.Parameter) -> tuple[int, int]:
    """Arguments first, then panel by panel."""
    declared = parameter.annotation.__metadata__[0]
    if type(declared).__name__ != "OptionInfo":
        return 0, 0
    panel = declared.rich_help_panel
    return 1, PANELS.index(panel) if panel in PANELS else len(PANELS)
