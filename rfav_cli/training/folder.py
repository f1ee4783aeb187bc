"""The folder of a run: a checkpoint an epoch, and what a killed run needs to go on."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.checkpoints.saved import instances_in
from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.errors import CheckpointError, TrainingError, remedy_for
from rfav_cli.files.atomic import check_writable, is_full, remove_abandoned, replacing
from rfav_cli.files.claims import claimed
from rfav_cli.files.locks import held
from rfav_cli.files.regular import what_it_is
from rfav_cli.text import printable, what_it_says
from rfav_cli.training.position import Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LOG, STORE, STATE = "log.jsonl", "rfav.h5", "resume.pt"
_IN_STATE = {"settings", "position", "others", "row", "model", "optimizer", "regularizer"}
_ANEW = "another from its last checkpoint: --init FILE with another --out."
_CHECKPOINT = re.compile(r"epoch_(-1|\d{1,9})\.pt", re.ASCII)


class RunFolder:
    """Where a run's files are.

    Checkpoints lie in the folder itself, so that `rfav analyze FOLDER` finds them; the state of the run, which is no
    checkpoint, lies in a folder below. Each file appears whole and on disk or not at all.

    Attributes:
        path: the folder.
        log: the log's path.
        store: of the probe's figures.
    """

    def __init__(self, path: Path, *, trust: bool = False) -> None:
        self.path = path
        self._trust = trust
        self.log = path / LOG
        self.store = path / STORE
        self._state = path / "state" / STATE

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, resume: bool, trust: bool = False) -> Iterator[RunFolder]:
        """Make the folder, or take the one that is there; no other process trains in it until the block ends.

        Where no run has begun by then, the folders that were made are gone again.

        Args:
            path: the folder; the one above it is made, too.
            resume: a run that is in it is going to be continued.
            trust: let its state make any object, which may run any code.

        Raises:
            TrainingError: another process trains there, it holds a run and `resume` is off, holds one that is not ours,
                or cannot be written.
        """
        folder = cls(path, trust=trust)
        with contextlib.ExitStack() as stack:
            with folder._writing():
                if path.exists() and not path.is_dir():
                    raise TrainingError(f"{path}: is no folder", "Give another --out.")
                made = [new for new in (folder._state.parent, path, *path.parents) if not new.exists()]
                path.mkdir(parents=True, exist_ok=True)
                leaving: list[Path] = []
                stack.callback(folder._leave, leaving)  # after a claim that lies there has gone
                folder._hold(stack)
                leaving += made
                folder._take(resume)
            yield folder

    def _hold(self, stack: contextlib.ExitStack) -> None:
        """Hold the folder until the stack ends; by a claim in it where its file system has no locks."""
        alone = stack.enter_context(held(self.path))
        holder = stack.enter_context(claimed(self.path)) if alone is None else ""
        if alone is False or holder:
            raise TrainingError(
                f"{self.path}: another process trains there now{f' ({holder})' if holder else ''}",
                "Wait for its end, or give another --out.",
            )

    def _refuse_links(self) -> None:
        """Refuse a folder whose files would be written or removed elsewhere, or are none."""
        for place, is_kind in (
            (self._state.parent, stat.S_ISDIR),
            (self._state, stat.S_ISREG),
            (self.log, stat.S_ISREG),
        ):
            try:
                mode = place.lstat().st_mode
            except FileNotFoundError:
                continue
            if not is_kind(mode):
                raise TrainingError(
                    f"{place}: is {what_it_is(mode)}, which no run has there", "Remove it, or give another --out."
                )

    def _take(self, resume: bool) -> None:
        """Refuse what is there, or clear up after a run that was killed."""
        self._refuse_links()
        stores = (self.store, self.store.with_name(f"{STORE}.d"))
        ours, files = self._state.exists(), bool(self.checkpoints()) or any(p.exists() for p in (self.log, *stores))
        if ours and not resume:
            raise TrainingError(
                f"{self.path}: there is a run already", "Give --resume to go on with it, or another --out."
            )
        if files and not ours:
            raise TrainingError(
                f"{self.path}: holds checkpoints, a log or a store of a run that did not come from here",
                "Give another --out.",
            )
        self._state.parent.mkdir(exist_ok=True)
        check_writable(self.path / STATE)
        for folder in (self.path, self._state.parent):
            remove_abandoned(folder)

    def _leave(self, made: Sequence[Path]) -> None:
        """Remove folders, inner ones first, if no run has begun; one that is not empty stays, with those around it."""
        if not self._state.exists():
            with contextlib.suppress(OSError):
                for folder in made:
                    folder.rmdir()

    def path_of(self, epoch: int) -> Path:
        """Where the checkpoint of an epoch is."""
        return self.path / f"epoch_{epoch}.pt"

    def checkpoints(self) -> dict[int, Path]:
        """The checkpoints that are there, by epoch."""
        if not self.path.is_dir():
            return {}
        matches = ((_CHECKPOINT.fullmatch(path.name), path) for path in self.path.iterdir())
        return dict(sorted((int(match[1]), path) for match, path in matches if match))

    def save(self, epoch: int, weights: Mapping[str, Any]) -> None:
        """Write the checkpoint of an epoch.

        Raises:
            TrainingError: it could not be written; what was there still is.
        """
        self._write(self.path_of(epoch), {"model": dict(weights), "epoch": epoch})

    def save_program(self, epoch: int, module: torch.jit.ScriptModule, beside: Mapping[str, bytes]) -> None:
        """Write the checkpoint of an epoch as TorchScript, for the CPU and in evaluation mode, with files beside it.

        Raises:
            TrainingError: it could not be written; what was there still is.
        """
        with self._writing(), replacing(self.path_of(epoch)) as file:
            file.write(program(module, beside))

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Write what the run needs to go on from here.

        Raises:
            TrainingError: it could not be written; what was there still is.
        """
        self._write(self._state, dict(state))

    def load_state(self) -> dict[str, Any] | None:
        """What was saved last, or None where nothing was.

        Raises:
            TrainingError: it cannot be read.
        """
        if not self._state.exists():
            return None
        try:
            state: dict[str, Any] = load_pickle(self._state, self._trust)
        except OSError as error:
            raise TrainingError(
                f"{self._state}: cannot be read ({what_it_says(error)})", remedy_for(error, f"Start {_ANEW}")
            ) from error
        except CheckpointError as error:
            raise TrainingError(f"{error.what}, so the run cannot be continued", f"Start {_ANEW}") from error
        if foreign := next(instances_in(state, StandIn), None) or next(instances_in(state, Name), None):
            raise TrainingError(
                f"{self._state}: needs {printable(foreign.kind)}, which could run code; the net's state_dict holds it",
                "Give --i-trust-this-pickle where the run is your own.",
            )
        if not _is_of_this_version(state):
            raise TrainingError(
                f"{self._state}: written by another version of rfav, so the run cannot be continued by this one",
                f"Go on with that version, or start {_ANEW}",
            )
        return state

    def prune(self, keep: int | None) -> None:
        """Remove all checkpoints but the last `keep`; None keeps all.

        Raises:
            TrainingError: one cannot be removed.
        """
        if keep is not None:
            self._remove(list(self.checkpoints().values())[:-keep])

    def remove_after(self, epoch: int) -> None:
        """Remove checkpoints of later epochs, which a killed run had not finished writing about.

        Raises:
            TrainingError: one cannot be removed.
        """
        self._remove([path for number, path in self.checkpoints().items() if number > epoch])

    def _remove(self, paths: Sequence[Path]) -> None:
        with self._writing():
            for path in paths:
                path.unlink(missing_ok=True)

    def _write(self, path: Path, content: Mapping[str, Any]) -> None:
        with self._writing(), replacing(path) as file:
            torch.save(content, file)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the file system refuses into an error that says what to do."""
        try:
            yield
        except OSError as error:
            raise unwritable(self.path, error) from error


def _is_of_this_version(state: object) -> bool:
    """Whether a state has what this version reads, and nothing else."""
    if not isinstance(state, dict) or set(state) != _IN_STATE:
        return False
    position = state["position"]
    return isinstance(position, dict) and set(position) == set(Position().capture())


def unwritable(path: Path, error: OSError) -> TrainingError:
    """Why a run cannot be written, and what to do."""
    safe = "every epoch written so far is kept"
    if is_full(error):
        return TrainingError(
            f"{path}: no room left to write ({what_it_says(error)})",
            f"Free some space and run the same command again with --resume: {safe}.",
        )
    return TrainingError(
        f"{path}: cannot be written ({what_it_says(error)})",
        f"Make the folder writable, or choose another --out; {safe}.",
    )


def program(module: torch.jit.ScriptModule, beside: Mapping[str, bytes]) -> bytes:
    """A module as a TorchScript archive, for the CPU and in evaluation mode; the module is left in it, too.

    Args:
        module: the net.
        beside: name -> content of files that the archive is to have, too.
    """
    module.eval()
    extra = {"_extra_files": dict(beside)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.(load|save)` is deprecated", FutureWarning)
        archive: bytes = module.save_to_buffer(**extra)
        if any(tensor.device.type != "cpu" for tensor in module.state_dict().values()):
            # Constants in its code are moved, too.
            archive = torch.jit.load(io.BytesIO(archive), map_location="cpu").save_to_buffer(**extra)
    return archive


def plain(weights: Mapping[str, Any]) -> dict[str, Any]:
    """A state_dict whose tensors are copies on the CPU, laid out as they usually are."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous() if isinstance(value, torch.Tensor) else value
        for name, value in weights.items()
    }
