from __future__ import annotations

from pathlib import Path

from rfav_cli.checkpoints.wording import by_form, listed
from rfav_cli.text import count


def test_names_are_counted_and_made_legible() -> None:
    assert listed(["a\x1b[31m", "b"]).isprintable()
    assert listed(range(7), 2) == "0, 1 and 5 more"
    assert (count(0, "file"), count(1, "file")) == ("0 files", "1 file")


def test_names_that_are_alike_but_for_numbers_are_one() -> None:
    paths = [Path("a/opt_1.pt"), Path("a/opt_2.pt"), Path("a/rng_1.pth"), Path("b/opt_1.pt")]
    assert by_form(paths) == ["opt_*.pt", "rng_1.pth"]
    assert by_form(paths[:3], [" (x)", " (y)", ""]) == ["opt_1.pt (x)", "opt_2.pt (y)", "rng_1.pth"]
