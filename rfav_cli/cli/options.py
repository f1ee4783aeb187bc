"""Options that several commands have, each for the panel of the help that it stands in."""

import enum
import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

import typer

from rfav_cli.cli import values


class Centering(str, enum.Enum):
    """How Eq. 6 centres the filters."""

    pearson = "pearson"
    paper = "paper"


class Layout(str, enum.Enum):
    """Axes of an array of samples."""

    nhwc = "nhwc"
    nchw = "nchw"
    nhw = "nhw"
    nct = "nct"
    nf = "nf"


class Device(str, enum.Enum):
    """Where the net runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


def option(panel: str, text: str, *names: str, **more: Any) -> Any:
    """An option with a value."""
    return typer.Option(*names, help=text, rich_help_panel=panel, **more)


def flag(panel: str, text: str, *names: str) -> Any:
    """An option without a value."""
    return option(panel, text, *names, metavar="")  # typer would show a type, as if a value were to be given


def model_arg(panel: str) -> Any:
    """`--model-arg`."""
    return option(panel, "KEY=VALUE, an argument for what makes the net; can be repeated.", metavar="ARG")


def output(panel: str) -> Any:
    """`--output`."""
    return option(
        panel, "Index or key of the output that holds the class scores; by default the first tensor.", metavar="KEY"
    )


def trust(panel: str) -> Any:
    """`--i-trust-this-pickle`."""
    return flag(panel, "Load pickles that may run code. Only for files that you made.", "--i-trust-this-pickle")


def mean(panel: str) -> Any:
    """`--mean`."""
    return option(
        panel,
        "Mean to subtract: one number or one a channel (0.49,0.48,0.45).",
        parser=values.per_channel,
        metavar="NUMBERS",
    )


def std(panel: str) -> Any:
    """`--std`."""
    return option(panel, "Deviation to divide by, likewise.", parser=values.per_channel, metavar="NUMBERS")


def resize(panel: str) -> Any:
    """`--resize`."""
    return option(panel, "Resize images to a side or HEIGHTxWIDTH.", parser=values.image_size, metavar="S|HxW")


def gray(panel: str) -> Any:
    """`--gray`."""
    return flag(panel, "Run images in one channel.", "--gray")


def layout(panel: str) -> Any:
    """`--layout`."""
    return option(
        panel,
        "Axes of an array of samples, where its shape does not tell: nhwc, nchw, nhw, nct or nf.",
        metavar="AXES",
    )


def classes(panel: str) -> Any:
    """`--classes`."""
    return option(panel, "The class names in the order of the net's outputs, one a line.", metavar="FILE")


def device(panel: str) -> Any:
    """`--device`."""
    return option(panel, "Where the net runs: cpu, cuda, mps, or auto: CUDA when there is one.", metavar="DEVICE")


def with_options_of(
    other: Callable[..., Any], *, but: Collection[str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of another, all but some, in place of its `**` parameter."""
    theirs = {name: each for name, each in inspect.signature(other).parameters.items() if name not in but}

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(command)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        given = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in theirs.values()]

        @wraps(command)
        def with_both(**chosen: Any) -> Any:
            return command(**chosen)

        named = {each.name: each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *given)}
        with_both.__signature__ = signature.replace(parameters=list(named.values()))  # type: ignore[attr-defined]
        with_both.__annotations__ = {name: each.annotation for name, each in named.items()} | {"return": None}
        return with_both

    return give
