"""A link, or another special file, where a store has a folder or a file: nothing is read, written or removed there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, check_place, open_store, pack, watching
from rfav_cli.store.scan import RUN_FILE
from rfav_cli.store.schema import epoch_file, folder_of
from rfav_cli.store.watchers import NAME
from tests.store.example import make_run, measure, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def watch(path: Path) -> None:
    with watching(path):
        pass


USES: dict[str, Callable[[Path], object]] = {
    "open": open_store,
    "pack": pack,
    "place": check_place,
    "place of a fresh one": lambda path: check_place(path, fresh=True),
    "write": lambda path: StoreWriter.open(path, make_run()),
    "write a fresh one": lambda path: StoreWriter.open(path, make_run(), fresh=True),
    "watch": watch,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", ["a run's folder", "a folder of texts", "nothing"])
def test_a_link_in_the_place_of_the_folder(tmp_path: Path, use: str, kind: str) -> None:
    path, elsewhere = tmp_path / "here.h5", tmp_path / "there.h5.d"
    write(path, 0)
    pack(path)
    if kind == "a run's folder":
        write(tmp_path / "there.h5", 1)
    elif kind == "a folder of texts":
        elsewhere.mkdir()
        for name in (RUN_FILE, "epoch-000001.h5", NAME):
            (elsewhere / name).write_text("mine")
    folder_of(path).symlink_to(elsewhere)
    before = contents(elsewhere) if elsewhere.exists() else {}
    with pytest.raises(StoreError, match=r"here\.h5\.d: is a link"):
        USES[use](path)
    assert (contents(elsewhere) if elsewhere.exists() else {}) == before
    assert path.exists()


def test_a_folder_that_becomes_a_link_while_a_run_goes_on(path: Path, tmp_path: Path) -> None:
    writer = write(path, 0)
    folder_of(path).rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    folder_of(path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link"):
        writer.append(measure(1))
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", [RUN_FILE, "epoch-000000.h5", "epoch-000001.h5"])
def test_a_link_in_the_place_of_a_file(path: Path, tmp_path: Path, name: str) -> None:
    write(path, 0)
    other = tmp_path / "other.h5"
    write(other, 0, 1)
    place = folder_of(path) / name
    place.unlink(missing_ok=True)
    place.symlink_to(folder_of(other) / name)
    before = contents(folder_of(other))
    for use in set(USES) - {"place", "watch"}:
        with pytest.raises(StoreError, match=f"{name}: .*is a link, not a regular file"):
            USES[use](path)
    assert contents(folder_of(other)) == before


@pytest.mark.parametrize("link", ["symbolic", "hard", "to nothing", "FIFO"])
def test_the_watcher_writes_over_nothing_of_somebody_else(path: Path, tmp_path: Path, link: str) -> None:
    folder_of(path).mkdir()
    place, mine = folder_of(path) / NAME, tmp_path / "mine"
    if link != "to nothing":
        mine.write_text("mine")
    if link == "hard":
        place.hardlink_to(mine)
    elif link == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to(mine)
    with pytest.raises(StoreError, match="Remove it"), watching(path):
        pass
    check_place(path)
    assert mine.exists() == (link != "to nothing")
    assert not mine.exists() or mine.read_text() == "mine"


def test_a_fifo_in_the_place_of_an_epoch_is_not_waited_for(path: Path) -> None:
    write(path, 0)
    os.mkfifo(epoch_file(folder_of(path), 1))
    with pytest.raises(StoreError, match="is a FIFO, not a regular file"):
        open_store(path)


def test_fresh_removes_what_is_ours_alone(path: Path) -> None:
    folder = folder_of(path)
    write(path, 0, 1)
    notes, foreign = folder / "notes.txt", epoch_file(folder, 2)
    notes.write_text("mine")
    foreign.write_text("not a store")
    with pytest.raises(StoreError, match=r"epoch-000002\.h5: not an rfav store \(and so not removed for --fresh\)"):
        StoreWriter.open(path, make_run(), fresh=True)
    assert epoch_file(folder, 0).exists()
    foreign.write_bytes(b"")  # what a machine that lost its power may leave
    damaged = epoch_file(folder, 1)
    damaged.write_bytes(damaged.read_bytes()[:-40])
    StoreWriter.open(path, make_run(), fresh=True)
    assert sorted(file.name for file in folder.iterdir()) == ["notes.txt", RUN_FILE]
    assert notes.read_text() == "mine"


def test_a_store_that_is_a_link_is_read_through_it_and_takes_its_place_when_written(path: Path) -> None:
    target = path.with_name("target.h5")
    write(target, 0)
    pack(target)
    before = target.read_bytes()
    path.symlink_to(target)
    assert len(open_store(path)) == 1
    write(path, 1)
    assert len(pack(path)) == 2
    assert not path.is_symlink()
    assert target.read_bytes() == before
