"""What `rfav check` is asked for, and what it finds: policy, baseline, rules and the outcome of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from rfav_cli.records.verdict import RunState

FailState = Literal["collapsed", "overfitting", "falling", "correlated"]
Outcome = Literal["passed", "flagged", "allowed", "missing"]
RuleKind = Literal["flag", "no verdict", "unclear", "doubt"]

PASSED, FLAGGED, NO_VERDICT = 0, 1, 2
"""Exit codes of `rfav check`."""


@dataclass(frozen=True)
class CheckRule:
    """One thing that can be found.

    Attributes:
        id: stable: "RFAV001".
        name: stable: "overfitting".
        kind: whether it says that the artefact is bad ("flag"), that it has no verdict by which it could pass, that the
            figures do not decide, or that what is said may not be true of it; all but a flag end with 2, and all but
            "no verdict" can be allowed.
        summary: in a sentence.
        meaning: what it rests on, in a paragraph.
        remedy: what to do about it, in a paragraph.
    """

    id: str
    name: str
    kind: RuleKind
    summary: str
    meaning: str
    remedy: str


@dataclass(frozen=True)
class Allowance:
    """A finding that is allowed for a while.

    Attributes:
        rule: id of the rule.
        reason: why; never empty.
        expires: the last day on which it holds, in UTC.
        layer: glob of the layers that it is for.
        store: glob of the stores, by their paths as given.
    """

    rule: str
    reason: str
    expires: datetime.date
    layer: str = "*"
    store: str = "*"


@dataclass(frozen=True)
class Policy:
    """What must hold; all limits are of the last checkpoint.

    Attributes:
        fail_on: states that are flagged, each a `FailState`.
        min_entropy: (glob of layers, least entropy as a fraction of ln D).
        max_correlation: (glob of layers, largest mean |correlation| of the filters).
        min_accuracy: between 0 and 1.
        max_accuracy_drop: below the baseline's, between 0 and 1; None: `ACCURACY_DROP` where both have labels.
        max_entropy_drop: (glob of layers, largest drop below the baseline's, as a fraction of ln D).
        allow: exceptions.
        final: judge the last checkpoint alone, by limits and the baseline.
        allow_gaps: epochs may be missing, or lack figures.
        last_epoch: the epoch that must have been reached.
    """

    fail_on: tuple[str, ...] = ("collapsed", "overfitting")
    min_entropy: tuple[tuple[str, float], ...] = ()
    max_correlation: tuple[tuple[str, float], ...] = ()
    min_accuracy: float | None = None
    max_accuracy_drop: float | None = None
    max_entropy_drop: tuple[tuple[str, float], ...] = ()
    allow: tuple[Allowance, ...] = ()
    final: bool = False
    allow_gaps: bool = False
    last_epoch: int | None = None


@dataclass(frozen=True)
class BaselineLayer:
    """A layer of a good run in its last epoch: D, and the mean entropy in nats, None where it is not finite."""

    channels: int
    entropy: float | None


@dataclass(frozen=True)
class Baseline:
    """The last epoch of a run that was good.

    Attributes:
        name: of the file that it was read from, or the store.
        digest: `History.digest` of the store.
        probe_sha256, probe_size: the samples that it was measured on.
        with_bias, fold_norm: how the entropies were measured.
        epoch: the last.
        accuracy: None without labels.
        layers: by name, in forward order.
    """

    name: str
    digest: str
    probe_sha256: str
    probe_size: int
    with_bias: bool
    fold_norm: bool
    epoch: int
    accuracy: float | None
    layers: Mapping[str, BaselineLayer]


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at.

    Attributes:
        rule: id of the rule.
        store: path as given.
        layer: its name; empty for the run as a whole.
        outcome: "missing" where nothing can be said.
        message: what was found, in words.
        key: of the policy that asks for it, such as "min-entropy".
        value: what was measured, where the rule has a limit.
        limit: what it was held against.
        allowance: the exception that allows it.
    """

    rule: str
    store: str
    layer: str
    outcome: Outcome
    message: str
    key: str
    value: float | None = None
    limit: float | None = None
    allowance: Allowance | None = None


@dataclass(frozen=True)
class CheckedStore:
    """A store that was looked at.

    Attributes:
        path: as given.
        digest: `History.digest`.
        state: of the run.
        reason: of that state, in words.
        epochs: (count, first, last); zeros for none.
        layers: names of those measured.
        samples: N.
        final: the last checkpoint alone was judged.
        notes: what the user should know beside the findings.
        unit: what `epochs` are, "epoch" or "step".
    """

    path: str
    digest: str
    state: RunState
    reason: str
    epochs: tuple[int, int, int]
    layers: tuple[str, ...]
    samples: int
    final: bool
    notes: tuple[str, ...] = ()
    unit: str = "epoch"


@dataclass(frozen=True)
class SourceLocation:
    """The file of the repository that configures the check.

    Attributes:
        path: relative to the top of the repository, with "/".
        lines: key of the policy -> its line, from 1; "" is where the policy begins.
    """

    path: str = "pyproject.toml"
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, key: str) -> int:
        """The line of a key, or of the policy as a whole."""
        return self.lines.get(key, self.lines.get("", 1))


@dataclass(frozen=True)
class CheckReport:
    """All that a check has to say.

    Attributes:
        stores: what was looked at.
        checked: each thing that was looked at, in the order of stores, rules and layers.
        rules: all there are, by id.
        location: where findings are pointed at.
        unused: exceptions that allowed nothing.
    """

    stores: tuple[CheckedStore, ...]
    checked: tuple[Checked, ...]
    rules: Mapping[str, CheckRule]
    location: SourceLocation
    unused: tuple[Allowance, ...] = ()

    def having(self, *outcomes: Outcome) -> tuple[Checked, ...]:
        """What came out as one of these."""
        return tuple(finding for finding in self.checked if finding.outcome in outcomes)

    @property
    def findings(self) -> tuple[Checked, ...]:
        """What decides the exit code."""
        return self.having("flagged", "missing")

    @property
    def code(self) -> int:
        """2 where anything could not be said, else 1 where anything is flagged, else 0 where something passed."""
        if self.having("missing") or not self.checked:
            return NO_VERDICT
        return FLAGGED if self.having("flagged") else PASSED
