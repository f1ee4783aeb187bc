"""What the formats of `rfav check` share."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rfav_cli.render.base import count
from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.records import Checked, CheckedStore, CheckReport, CheckRule

LONGEST = 1000
"""Characters of a message, a name or a path."""

RESULTS = ("clean", "flagged", "no verdict")
"""By exit code."""


def result(report: CheckReport) -> str:
    """The outcome in a word or two."""
    return RESULTS[report.code]


def plain(text: object) -> str:
    """Untrusted text on one line, without control characters."""
    return printable(text, LONGEST)


def looked_at(store: CheckedStore, times: str = "×") -> str:
    """What was measured, and what became of it: "5 layers × 31 epochs × 1,000 samples: healthy"."""
    epochs = 1 if store.final else store.epochs[0]
    sizes = f" {times} ".join(
        (count(len(store.layers), "layer"), count(epochs, store.unit), count(store.samples, "sample"))
    )
    return f"{sizes}: {f'{store.unit} {store.epochs[2]} alone' if store.final else store.state}"


def subject(checked: Checked) -> str:
    """The store and the layer that a finding is about; nothing for one about the policy."""
    return plain(f"{checked.store}: {checked.layer}" if checked.layer else checked.store)


def sentence(report: CheckReport, checked: Checked) -> str:
    """A finding on one line, without its rule's id."""
    named = subject(checked)
    rule = report.rules[checked.rule]
    return f"{rule.name}{f' in {named}' if named else ''}: {plain(checked.message)}"


def fingerprint(checked: Checked) -> str:
    """What tells one finding from others, in hex; the same in the next run, whatever the figures are then."""
    parts = (checked.rule, checked.store.replace("\\", "/"), checked.layer, checked.key)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def explain(rule: CheckRule) -> str:
    """The page of a rule, in Markdown."""
    what = {
        "flag": "exit code 1",
        "no verdict": "exit code 2",
        "unclear": "exit code 2 unless it is allowed",
        "doubt": "exit code 2 unless it is allowed",
    }[rule.kind]
    return (
        f"# {rule.id} {rule.name}\n\n{rule.summary} ({what})\n\n"
        f"## What it means\n\n{_wrapped(rule.meaning)}\n\n## What to do\n\n{_wrapped(rule.remedy)}\n"
    )


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
