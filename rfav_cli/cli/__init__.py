"""The command line: options to one call of the API to an exit code. Imports nothing heavy."""

import os
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer

from rfav_cli import isolation
from rfav_cli.cli import (
    analyze,
    calibrate,
    check,
    compare,
    doctor,
    init,
    layers,
    pack,
    plot,
    recommend,
    report,
    scan,
    show,
    train,
    watch,
)
from rfav_cli.cli.config import Takes, defaults_of_project
from rfav_cli.cli.output import emit, flushed, forget, open_closed
from rfav_cli.errors import RfavError, ToldError
from rfav_cli.options import Option, spelled
from rfav_cli.records import Ranks
from rfav_cli.text import lines, named, printable, what_it_says
from rfav_cli.version import __version__

DONE = 0
NOTHING_SAID = 2
LONGEST = 2000
"""Characters of a line of an error."""

app = typer.Typer(
    name="rfav",
    help="Find the layers that overfit, by the entropy of their activations over a folder of checkpoints.",
    epilog="Options can be set in \\[tool.rfav] of the nearest pyproject.toml; the command line wins.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    *(init, analyze, watch, layers, show, report, plot, check, compare, recommend, calibrate, train, pack),
    scan,
    doctor,
)
for module in _COMMANDS:
    name = module.__name__.rpartition(".")[2]
    app.command(epilog="\n\n".join(["Examples:", *(f"$ {line}" for line in module.EXAMPLES)]))(getattr(module, name))


def _print_version(wanted: bool) -> None:
    if wanted:
        emit(f"rfav {__version__}\n")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    _traceback: Annotated[bool, typer.Option("--traceback", metavar="", help="Show where an error arose.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Read what the project sets for every command."""
    commands = getattr(context.command, "commands", {})
    context.default_map = defaults_of_project(
        {name: _taken_by(command) for name, command in commands.items()}, command=context.invoked_subcommand
    )


def _taken_by(command: Any) -> dict[str, Takes]:
    """What the options of a command take."""
    described = getattr(command.callback, "described", {})
    return {parameter.name: _takes(parameter, described.get(parameter.name)) for parameter in command.params}


def _takes(parameter: Any, described: Option | None) -> Takes:
    several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
    what = parameter.metavar or ("" if getattr(parameter, "is_flag", False) else "NAME")
    typed = "" if described is None or described.positional else spelled(parameter.name, described)
    return Takes(bool(several), what, "any" if described is None else described.from_project, typed)


def main() -> None:
    """Run the command line of this process and exit."""
    open_closed()
    isolation.start(alone=Ranks.of_torchrun().alone)
    if not sys.warnoptions:
        # What torch has to say to those who call it is nothing that its user's user can act on.
        warnings.filterwarnings("ignore", module=r"torch\.")
        if not Ranks.of_torchrun().alone:
            os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # the same of its C++, which looks here when it loads
    code = run(sys.argv[1:])
    sys.exit(code if flushed() else code or NOTHING_SAID)


def run(arguments: list[str]) -> int:
    """Run one command.

    Returns:
        0 done, 1 flagged (`check` alone), 2 nothing could be said, 3 `watch` was to end at a collapse and did, 130
        interrupted.
    """
    try:
        code = _ran(arguments)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # while the help was printed: commands print with `emit`
            forget(1, 2)
            return DONE
        code = end.code
    except Exception as error:
        text = _traced(error) if "--traceback" in arguments else _described(error)
        emit(text and f"{text}\n", err=True)
        code = NOTHING_SAID
    return code if isinstance(code, int) else DONE


def _ran(arguments: list[str]) -> object:
    """What a command gives back, here or in a child where it takes one."""
    try:
        return app(arguments, prog_name="rfav", standalone_mode=False)
    except isolation.ProgramFoundError:
        from rfav_cli.cli.supervisor import supervise

        return supervise(arguments)


def _traced(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _described(error: Exception) -> str:
    """An error in one or two lines; what it holds of files and their names steers no terminal."""
    if isinstance(error, ToldError):
        return ""
    if isinstance(error, RfavError):
        what = f"error: {printable(error.what, LONGEST)}"
        return f"{what}\n{lines(error.remedy, LONGEST)}" if error.remedy else what
    if hasattr(error, "format_message") and not Ranks.of_torchrun().first:
        return ""  # all ranks have the same command line
    if hasattr(error, "format_message"):  # typer has no public class for wrong usage that its versions share
        return _wrong_usage(error)
    says = named(error, LONGEST)
    if isinstance(error, OSError) and error.filename is not None:
        says = f"{type(error).__name__}: {printable(error.filename, LONGEST)}: {what_it_says(error, LONGEST)}"
    return f"error: {says}\nThis was not expected; `rfav --traceback …` shows where it arose."


def _wrong_usage(error: Any) -> str:
    """What typer says, and where the value came from; nothing where typer has printed the help in its place."""
    message = lines(error.format_message(), LONGEST)
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    source = context.get_parameter_source(parameter.name) if context and parameter else None
    where = " (in [tool.rfav] of pyproject.toml)" if source and source.name == "DEFAULT_MAP" else ""
    command = context.command_path if context else "rfav"
    return message and f"error: {message}{where}\n`{command} --help` shows what there is."
