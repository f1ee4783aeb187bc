"""Which weights of a checkpoint are the net's: found by their names, decided by the net's own `load_state_dict`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from rfav_cli.activations.foreign_weights import LISTED, first_names, misfit
from rfav_cli.activations.matching import Reading, readings
from rfav_cli.activations.putting import Outcome, put
from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable
from rfav_cli.usual_names import COUNTER, USUAL, is_average, usual_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from rfav_cli.records import Candidate, Payload

EMA, TRAINED = "ema", "model"
"""What `--weights` can be beside a key: averages, or what was trained."""
_BESIDE_AVERAGES = "current_model_state"
"""Where Lightning's WeightAveraging puts what is trained; its `state_dict` then has the averages, which it deploys."""
_MOST_TRIES = 6
"""Readings that do not fit by their names and are tried for all that: hooks of the net may rename."""

_MOST_FITTING = 20
"""Readings that fit by their names and are refused before the file is: each is compared with all others."""
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Bytes of a number -> whole numbers of as many."""


@dataclass(frozen=True)
class _Choice:
    """A candidate, and one way to read its names."""

    candidate: Candidate
    reading: Reading

    @property
    def place(self) -> str:
        """Where the weights are: the candidate's name, and the prefix where they are beside others."""
        prefix = self.reading.prefix if self.reading.beside else ""
        return ".".join(filter(None, (self.candidate.name, prefix.removesuffix("."))))

    @property
    def average(self) -> bool:
        """Whether these are averages of weights."""
        counter = self.reading.prefix.removesuffix("module.") + COUNTER
        return self.candidate.average or is_average(self.place) or counter in self.reading.beside

    @property
    def usual(self) -> int:
        """How usual the name is: -1 for the weights alone, `len(USUAL)` for a name that says nothing."""
        return usual_place(self.place) if self.place else -1

    def order(self) -> tuple[bool, int, int]:
        """Usual names first, averages last, the outer before the inner."""
        return self.average, self.usual, self.place.count(".")


class WeightLoader:
    """Puts the weights of one checkpoint after another into a net.

    Args:
        model: the net.
        notes: gets what the user should be told of the choice.
        wanted: which of several state_dicts is meant: "ema", "model" or its key; empty for the one under the most usual
            name, trained ones before averages.
    """

    def __init__(self, model: nn.Module, notes: list[str], wanted: str = "") -> None:
        self._model = model
        self._notes = notes
        self._wanted = wanted
        self._taken: _Choice | None = None
        self._twins: list[_Choice] = []

    def load(self, payload: Payload) -> None:
        """Load a checkpoint, first in the way of the one before; where it is refused the net stays as it was.

        Raises:
            CheckpointError: the weights are not those of the net, or it cannot be told which are.
        """
        expected = self._model.state_dict()
        candidates: Sequence[Candidate] = payload.content
        again = None if self._wanted else self._taken and _again(self._taken, candidates)
        if again and self._are_still_twins(again, candidates) and self._put(again, expected).succeeded:
            return
        choices = [_Choice(candidate, reading) for candidate in candidates for reading in readings(expected, candidate)]
        choices = list(self._wanted_of(payload, choices))
        fitting = sorted((choice for choice in choices if choice.reading.fits), key=_Choice.order)
        others = sorted((choice for choice in choices if not choice.reading.fits), key=_nearest)
        # A lazy layer keeps the shape that a first try gives it.
        lazy = any(is_lazy(value) for value in expected.values())
        outcomes: list[tuple[_Choice, Outcome]] = []
        for choice in [*fitting[:_MOST_FITTING], *([] if lazy else others[:_MOST_TRIES])]:
            rivals = _rivals(choice, choices)
            if choice.reading.fits:
                self._check(payload.path, choice, rivals)
            outcome = self._put(choice, expected)
            if outcome.succeeded:
                self._check(payload.path, choice, rivals)
                self._keep(choice, rivals)
                self._twins = [_bare(twin) for twin in _equally_good(choice, choices) if _same_weights(choice, twin)]
                return
            outcomes.append((choice, outcome))
        nearest = min([*fitting, *others], key=_nearest)
        outcome = next((outcome for choice, outcome in outcomes if choice is nearest), Outcome.of(nearest.reading))
        raise misfit(payload.path, outcome, nearest.reading, nearest.candidate.weights, expected)

    def _wanted_of(self, payload: Payload, choices: Sequence[_Choice]) -> Sequence[_Choice]:
        """The choices that are meant.

        Raises:
            CheckpointError: there is none such.
        """
        if not self._wanted:
            return choices
        names = {candidate.name for candidate in payload.content}
        # Some keep averages under "model", and what was trained under another key: the kind goes before the key.
        averages = [choice for choice in choices if _is_averaged(choice, names)]
        by_kind = {EMA: averages, TRAINED: [choice for choice in choices if choice not in averages]}
        found = by_kind.get(self._wanted) or [choice for choice in choices if _is_under(self._wanted, choice)]
        if found:
            return found
        places = sorted(names | {choice.place for choice in choices if choice.reading.holds_all})
        shown = ", ".join(f"{printable(name, 120)!r}" if name else "the weights alone" for name in places)
        raise CheckpointError(
            f"{payload.path}: holds no weights {printable(self._wanted)!r}; it holds {shown}",
            "Give --weights one of these keys, or leave it out.",
        )

    def _put(self, choice: _Choice, expected: Mapping[str, Any]) -> Outcome:
        return put(self._model, choice.reading.fill(expected, choice.candidate.weights))

    def _are_still_twins(self, again: _Choice, candidates: Sequence[Candidate]) -> bool:
        """Whether what held the weights that were taken, too, does so still: else it was chance which was taken."""
        twins = [_again(twin, candidates) for twin in self._twins]
        return all(twin is None or _same_weights(again, twin) for twin in twins)

    def _check(self, path: Path, choice: _Choice, rivals: Sequence[_Choice]) -> None:
        """Refuse what may be other weights than those that are meant.

        Raises:
            CheckpointError: two places have all of the net's weights, or these are averages and those before were not.
        """
        equals = [rival for rival in rivals if rival.average == choice.average]
        whole = next((rival for rival in equals if not rival.reading.fits and choice.reading.fits), None)
        unclear = whole or (equals[0] if equals and choice.usual == len(USUAL) else None)
        if unclear:
            raise CheckpointError(
                f"{path}: holds the net's weights twice, as {_named(choice)} and {_named(unclear)}",
                "Save the state_dict() of the net that is meant by itself.",
            )
        if self._taken and self._taken.average != choice.average:
            kinds = ("averages of weights", "weights that are no averages")
            raise CheckpointError(
                f"{path}: holds {kinds[not choice.average]} ({_named(choice)}), "
                f"the checkpoints before hold {kinds[choice.average]}",
                "Leave it out, or give the checkpoints of one kind.",
            )

    def _keep(self, choice: _Choice, rivals: Sequence[_Choice]) -> None:
        self._taken = _bare(choice)
        if rivals:
            others = "" if self._wanted else _how_to_take([choice, *rivals])
            self._note(f"took {_named(choice)} of {', '.join(map(_named, [choice, *rivals]))}{others}")
        if beside := [name for name in choice.reading.beside if name.rpartition(".")[2] != COUNTER]:
            parts = beside if len(beside) <= LISTED else dict.fromkeys(name.partition(".")[0] for name in beside)
            self._note(f"took the weights under {_named(choice)}; beside them: {first_names(parts)}")

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _is_under(key: str, choice: _Choice) -> bool:
    """Whether the weights are under a key, or below it."""
    name = choice.place
    return f".{name}.".endswith(f".{key}.") or f".{name}.".startswith(f".{key}.")


def _is_averaged(choice: _Choice, names: set[str]) -> bool:
    """Whether weights are averages, among the state_dicts of their file."""
    return choice.average or (_BESIDE_AVERAGES in names and choice.candidate.name == "state_dict")


def _how_to_take(choices: Sequence[_Choice]) -> str:
    """What to give for averages where trained weights were taken, or the other way round."""
    names = {choice.candidate.name for choice in choices}
    averages = [_is_averaged(choice, names) for choice in choices]
    if not any(averages) or all(averages):
        return ""
    return f"; --weights {TRAINED if averages[0] else EMA} takes the {'trained ones' if averages[0] else 'averages'}"


def _bare(choice: _Choice) -> _Choice:
    """A choice without its tensors, which would keep the file open."""
    return replace(choice, candidate=replace(choice.candidate, weights=dict.fromkeys(choice.candidate.weights)))


def _again(before: _Choice, candidates: Iterable[Candidate]) -> _Choice | None:
    """The choice of a checkpoint before, where this one has the same names."""
    for candidate in candidates:
        if (
            candidate.name == before.candidate.name
            and candidate.versions == before.candidate.versions
            and candidate.weights.keys() == before.candidate.weights.keys()
        ):
            return _Choice(candidate, before.reading)
    return None


def _rivals(choice: _Choice, choices: Iterable[_Choice]) -> list[_Choice]:
    """Other places with other weights that fit as well, in their order."""
    rivals: dict[str, _Choice] = {}
    for other in _equally_good(choice, choices):
        if not _same_weights(choice, other):
            rivals.setdefault(other.place, other)
    return sorted(rivals.values(), key=_Choice.order)


def _equally_good(choice: _Choice, choices: Iterable[_Choice]) -> Iterator[_Choice]:
    """Other places that fit as well; what holds a place of them, too."""
    reading = choice.reading
    for other in choices:
        if reading.fits:
            is_as_good = other.reading.fits or (other.candidate is choice.candidate and other.reading.holds_all)
        else:
            same = (reading.found, reading.distance)
            is_as_good = (other.reading.found, other.reading.distance) == same
        if is_as_good and other.place != choice.place:
            yield other


def _same_weights(one: _Choice, other: _Choice) -> bool:
    names, theirs = one.reading.names, other.reading.names
    return names.keys() == theirs.keys() and all(
        _equal(one.candidate.weights[there], other.candidate.weights[theirs[name]]) for name, there in names.items()
    )


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
        return False
    plain = all(t.layout == torch.strided and not t.is_quantized and not t.is_meta for t in (one, other))
    if not plain or one.dtype != other.dtype:
        return False
    try:
        return torch.equal(one, other)
    except NotImplementedError:  # torch compares no numbers of 8 bits and fewer; their bytes tell as much
        integers = _INTEGERS[one.dtype.itemsize]
        return torch.equal(one.resolve_conj().view(integers), other.resolve_conj().view(integers))


def _nearest(choice: _Choice) -> tuple[int, int, int, int]:
    """Most of the net's names in the right shape first; where none has any, the largest dictionary."""
    reading = choice.reading
    paired = len(reading.names) - len(reading.unexpected)
    return -reading.found, -paired, 0 if paired else -len(choice.candidate.weights), reading.distance


def _named(choice: _Choice) -> str:
    return repr(printable(choice.place, 120))
