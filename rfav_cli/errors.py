"""What a user can do wrong, each with what to do about it."""

from __future__ import annotations


class RfavError(Exception):
    """Something that the user can put right; the command ends with exit code 2.

    Args:
        what: what is wrong, naming the file or option that it is wrong in.
        remedy: what to do about it, as a sentence; empty where `what` says it.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what

    def __reduce__(self) -> tuple[type[RfavError], tuple[str, str]]:
        return type(self), (self.what, self.remedy)


class RunError(RfavError):
    """The files named do not make the checkpoints of a run."""


class CheckpointError(RfavError):
    """One file is no checkpoint, or none of this net; `--skip-bad` goes on without it."""


class ModelError(RfavError):
    """The net cannot be made, or does not run on the probe."""


class SampleError(RfavError):
    """The probe or data set cannot be read, or does not fit the net."""


class StoreError(RfavError):
    """The store cannot be read or written, or belongs to another run."""


class UsageError(RfavError):
    """An option's value is out of its range."""


class TrainingError(RfavError):
    """A training cannot start, go on or be continued."""


class BaselineError(RfavError):
    """A baseline cannot be read, or is none."""


class OutputError(RfavError):
    """A file that was asked for cannot be written, or may not be replaced."""


class RecipeError(RfavError):
    """The recipe cannot be read, or says what cannot be."""


class RanksError(RfavError):
    """One of the ranks that share a command is gone."""


class ToldError(RfavError):
    """Another of the ranks that share a command tells what went wrong, so nothing is to be said here."""


def remedy_for(error: BaseException, damaged: str) -> str:
    """What to do about a file that could not be read, as far as the system says what is wrong with it.

    Args:
        error: what came of reading it.
        damaged: what to do where the content is wrong.
    """
    if isinstance(error, PermissionError):
        return "Make it readable, or run as a user who may read it."
    if isinstance(error, FileNotFoundError):
        return "Give a file that exists."
    if isinstance(error, MemoryError):
        return "Free some memory and try again."
    return damaged
