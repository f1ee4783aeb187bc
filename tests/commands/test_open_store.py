"""What runs are called beside each other."""

from __future__ import annotations

import pytest

from rfav_cli.commands.open_store import run_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], []),
        (["overfit.h5"], ["overfit"]),
        (["runs/exp1/rfav.h5"], ["rfav"]),
        (["runs/a/rfav.h5", "runs/b/rfav.h5"], ["a", "b"]),
        (["a/seed0/rfav.h5", "b/seed0/rfav.h5"], ["a", "b"]),
        (["before.h5", "elsewhere/after.h5"], ["before", "after"]),
        (["x/rfav.h5", "x/other/rfav.h5"], ["x", "other"]),
        (["x/a.h5", "y/a.h5", "x/b.h5"], ["x/a", "y/a", "x/b"]),
        (["x/rfav.h5", "y/rfav.h5", "x/rfav.h5"], ["x", "y", "x (2)"]),
        (["a.h5", "a.h5"], ["a", "a (2)"]),
        (["a.h5", "a.hdf5"], ["a", "a (2)"]),
        (["/", "a.h5"], ["", "a"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(paths: list[str], names: list[str]) -> None:
    assert run_names(paths) == names
