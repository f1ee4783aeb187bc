"""What a reader meets while a packer works beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import pytest

from rfav_cli.store import hdf5

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("step", ["is_hdf5", "File"])
def test_a_file_that_is_taken_away_while_it_is_opened_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "epoch-000001.h5"
    with h5py.File(path, "w") as file:
        file["epoch"] = 1
    real = getattr(h5py, step)

    def take_away(*arguments: Any, **options: Any) -> Any:
        path.unlink()
        return real(*arguments, **options)

    monkeypatch.setattr(h5py, step, take_away)
    with pytest.raises(FileNotFoundError), hdf5.opened(path):
        pass
