"""Making a project ready: what lies in a folder, and the settings and the command that follow from it."""

from __future__ import annotations

import shlex
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import UsageError
from rfav_cli.files.atomic import remove_abandoned
from rfav_cli.files.outputs import Output, check_outputs, write_outputs
from rfav_cli.options import Init, flat
from rfav_cli.origins import read_with
from rfav_cli.records import Choice, ProjectSetup, Recognised
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rfav_cli.checkpoints.find import CheckpointFiles
    from rfav_cli.records import Payload

PROJECT = Path("pyproject.toml")
DEFAULT_STORE = "rfav.h5"


def run(options: Init) -> ProjectSetup:
    """Look at what lies in a folder, and write what rfav is to take of it into `pyproject.toml`.

    Nothing that lies there is run: nets and samples are told by names, and by the names of the weights.

    Raises:
        RunError: there are no checkpoints of one run.
        CheckpointError: the first one cannot be read.
        UsageError: the net or the samples cannot be told, or the project has other settings already.
        OutputError: a file is there already, or cannot be written.
    """
    from rfav_cli.project import settings as of_project
    from rfav_cli.project.workflows import SERVICES

    recognised = recognise(str(options.folder), Path())
    options.on_recognised(recognised)
    ask = options.ask
    model = _chosen("model", options.model, recognised.nets, ask) if recognised.kind == "eager" else None
    probe = _chosen("probe", options.probe, recognised.samples, ask)
    arguments = next((choice.arguments for choice in recognised.nets if choice.value == model), ())
    chosen = {"model": model, "model-arg": arguments, "probe": probe}
    settings = {name: value for name, value in chosen.items() if value}
    texts = {
        Output(path, "rfav init", "change it by hand", _is_added_to): text
        for path, text in of_project.changed(PROJECT, settings).items()
    }
    if options.ci is not None:
        service = SERVICES[options.ci]
        texts[Output(service.file, "rfav init", "leave --ci out", service.is_ours)] = service.write(str(options.out))
    _write(texts, dry_run=options.dry_run, force=options.force)
    files = {output.path: text for output, text in texts.items()}
    out = "" if str(options.out) == DEFAULT_STORE else f" --out {shlex.quote(str(options.out))}"
    # What a file among the checkpoints names is not followed.
    typed = _typed(settings) if read_with(PROJECT, [], [recognised.checkpoints]) else ""
    command = f"rfav analyze {shlex.quote(recognised.checkpoints)}{typed}{out}"
    return ProjectSetup(recognised, settings, files, command, written=not options.dry_run)


init = flat(Init, run)


def _typed(settings: Mapping[str, str | Sequence[str]]) -> str:
    """Settings as options of a command."""
    pairs = [(name, [value] if isinstance(value, str) else value) for name, value in settings.items()]
    return "".join(f" --{name} {shlex.quote(entry)}" for name, values in pairs for entry in values)


def _is_added_to(_: IO[bytes]) -> bool:
    """What a file holds is in what is written, too, so nothing of it is lost."""
    return True


def _write(texts: Mapping[Output, str], *, dry_run: bool, force: bool) -> None:
    """Write the files, all or none; folders that were made for them are gone where they cannot be written.

    Raises:
        OutputError: one is there and not ours, or cannot be written.
    """
    with ExitStack() as made:
        for folder in {output.path.parent for output in texts}:
            for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
                with suppress(OSError):  # what is to be written there says why
                    missing.mkdir()
                    made.callback(_remove_empty, missing)
        check_outputs(texts, force=force)
        if not dry_run:
            remove_abandoned(PROJECT.parent)  # the settings may be there already, and nothing else is written there
            write_outputs({output: [text.encode()] for output, text in texts.items()}, force=force)
            made.pop_all()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def recognise(folder: str, project: Path) -> Recognised:
    """What lies in a folder of checkpoints, and in the project that it is of.

    Args:
        folder: where the checkpoints are.
        project: where the code and the samples are.

    Raises:
        RunError: there are no checkpoints of one run.
        CheckpointError: the first one cannot be read.
    """
    from rfav_cli.checkpoints import formats
    from rfav_cli.checkpoints.find import find_checkpoints
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.project.samples import found_samples

    files = find_checkpoints([folder])
    payload = formats.read(files.entries[0].path, ReadOptions())
    samples = tuple(Choice(each.spec, f"{each.use or 'samples'}: {each.why}") for each in found_samples(project))
    nets = _nets(payload, project) if payload.kind == "eager" else ()
    epochs = files.entries[0].epoch, files.entries[-1].epoch
    return Recognised(folder, len(files.entries), epochs, payload.kind, _notes(files), files.unit, nets, samples)


def _nets(payload: Payload, project: Path) -> tuple[Choice, ...]:
    """The nets whose weights a checkpoint may hold: a folder that says itself what it is of, then the project's own."""
    from rfav_cli.activations.suggested_model import suggested_model
    from rfav_cli.project.nets import fitting, written_nets

    own = []
    # "--model SPEC --model-arg KEY=VALUE (where it stands)"
    if words := shlex.split(suggested_model(payload).partition(" (")[0]):
        own.append(Choice(words[1], "as the checkpoint says itself", tuple(words[3::2])))
    written = written_nets(project)
    for candidate in payload.content:
        for net in fitting(written, [str(name) for name in candidate.weights]):
            needs = f"; it needs {', '.join(net.required)} (--model-arg)" if net.required else ""
            why = f"{'makes a net' if net.makes else 'a net'} whose layers are named as the weights are{needs}"
            if all(net.spec != choice.value for choice in own):
                own.append(Choice(net.spec, why))
    return tuple(own)


def _notes(files: CheckpointFiles) -> tuple[str, ...]:
    return (*files.notes, *(doubt.words for doubt in files.doubts))


def _chosen(
    name: str, given: str | Path | None, choices: Sequence[Choice], ask: Callable[[str, Sequence[Choice]], str] | None
) -> str:
    """What an option is set to: as given, else as the user says, else the one that there is.

    Raises:
        UsageError: there is none, or there are several and nobody can be asked.
    """
    if given is not None:
        return str(given)
    if ask is not None:
        return ask(name, choices)
    if len(choices) == 1:
        return choices[0].value
    what = {"model": "what makes the net", "probe": "where the held-out samples are"}[name]
    if not choices:
        forms = {
            "model": "--model path/to/file.py:NAME",
            "probe": "--probe FOLDER, or --probe path/to/file.py:NAME for samples that code makes",
        }[name]
        raise UsageError(f"{what} cannot be told from what lies here", f"Give {forms}.")
    listed = ", ".join(printable(choice.value) for choice in choices[:5])
    more = f" and {len(choices) - 5} more" if len(choices) > 5 else ""
    raise UsageError(
        f"{what} is not clear: {listed}{more}", f"Give one of them: --{name} {shlex.quote(choices[0].value)}"
    )
