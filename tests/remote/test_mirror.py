from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rfav_cli.errors import CheckpointError, RunError
from rfav_cli.remote import bring, files, is_place, keep, mirror, place, shown, speaking

if TYPE_CHECKING:
    from fsspec.implementations.memory import MemoryFileSystem


@pytest.fixture
def run(memory: MemoryFileSystem) -> MemoryFileSystem:
    for epoch in range(4):
        memory.pipe(f"/run/epoch_{epoch}.pt", b"weights %d" % epoch)
    return memory


def whole(folder: Path) -> list[str]:
    """The files whose content is here."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.read_bytes().strip(b"\0"))


def test_a_local_path_is_its_own_place(tmp_path: Path, memory: MemoryFileSystem) -> None:
    assert place(tmp_path / "a") == tmp_path / "a"
    assert place("runs/*.pt") == Path("runs/*.pt")
    assert keep("runs/a.pt") == Path("runs/a.pt")
    bring(tmp_path / "a")
    assert not is_place(tmp_path)
    assert not mirror._made


def test_a_place_has_the_names_and_sizes_before_anything_is_brought(run: MemoryFileSystem) -> None:
    folder = place("memory://run")
    assert is_place(folder)
    assert sorted(path.name for path in folder.iterdir()) == [f"epoch_{epoch}.pt" for epoch in range(4)]
    assert {path.stat().st_size for path in folder.iterdir()} == {9}
    assert whole(folder) == []
    assert place("memory://run/epoch_*.pt") == folder / "epoch_*.pt"
    assert place("memory://run/epoch_1.pt") == folder / "epoch_1.pt"


def test_a_file_is_brought_and_goes_when_others_are_wanted(
    run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "KEPT", 0)
    folder = place("memory://run")
    for epoch in range(4):
        bring(folder / f"epoch_{epoch}.pt")
        assert (folder / f"epoch_{epoch}.pt").read_bytes() == b"weights %d" % epoch
        assert whole(folder) == [f"epoch_{last}.pt" for last in range(max(0, epoch - 1), epoch + 1)]
    with (folder / "epoch_3.pt").open("rb") as still_read:
        bring(folder / "epoch_0.pt")
        bring(folder / "epoch_1.pt")
        assert still_read.read() == b"weights 3"
    assert whole(folder) == ["epoch_0.pt", "epoch_1.pt"]


def test_what_is_small_altogether_is_brought_once(run: MemoryFileSystem) -> None:
    folder = place("memory://run")
    for epoch in range(4):
        bring(folder / f"epoch_{epoch}.pt")
    run.rm("/run", recursive=True)
    bring(folder / "epoch_0.pt")
    assert len(whole(folder)) == 4


def test_nothing_stays_after_a_command(run: MemoryFileSystem) -> None:
    folder = place("memory://run")
    with speaking():
        bring(folder / "epoch_0.pt")
        assert whole(folder) == ["epoch_0.pt"]
    assert whole(folder) == []
    bring(folder / "epoch_0.pt")
    assert whole(folder) == ["epoch_0.pt"]


def test_of_a_folder_the_small_files_come_and_those_that_are_asked_for(
    run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_SMALL", 5)
    run.pipe({"/run/a/model.bin": b"weights", "/run/a/optimizer.pt": b"moments", "/run/a/state.json": b"{}"})
    folder = place("memory://run") / "a"
    bring(folder)
    assert whole(folder) == ["state.json"]
    bring(folder, [folder / "model.bin"])
    assert whole(folder) == ["model.bin", "state.json"]


def test_what_is_kept_stays(run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "KEPT", 0)
    with speaking():
        folder = keep("memory://run")
    assert len(whole(folder)) == 4


def test_a_file_that_has_changed_is_read_anew(run: MemoryFileSystem) -> None:
    path = keep("memory://run/epoch_0.pt")
    run.pipe("/run/epoch_0.pt", b"other weights")
    assert keep("memory://run/epoch_0.pt").read_bytes() == b"other weights"
    assert path == keep("memory://run/epoch_0.pt")


@pytest.mark.parametrize("address", ["memory://run/../other", "memory://run//a.pt", "memory://run/./a.pt"])
def test_an_address_with_no_name_of_its_own(run: MemoryFileSystem, address: str) -> None:
    run.pipe({"/other": b"", "/run/a.pt": b"", "/run//a.pt": b""})
    with pytest.raises(RunError, match=r"no address|no such file"):
        place(address)


@pytest.mark.parametrize(
    "end", ["%2Ftmp%2Felsewhere.pt", "%2e%2e/a.pt", "a/..%2F..%2Fb.pt", "%2E%2E%2f%2E./a.pt", "a%00.pt", "%1b[31m.pt"]
)
def test_no_address_leads_out_of_the_folder_of_places(
    end: str, run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = files.Listing(run, "", (files.RemoteFile("", "/run/epoch_0.pt", 1),), False)
    monkeypatch.setattr(files, "list_files", lambda _: there)
    with pytest.raises(RunError, match="no address of a file or folder"):
        place(f"https://example.org/{end}")


def test_places_are_shown_as_addresses(run: MemoryFileSystem) -> None:
    folder = place("memory://run")
    assert shown(folder / "epoch_1.pt") == "memory://run/epoch_1.pt"
    assert shown(f"cannot read {folder}/a and {folder}/b") == "cannot read memory://run/a and memory://run/b"
    assert shown(Path("s3://me:secret@bucket/a?key=b")) == "s3://bucket/a"
    assert shown("runs/a.pt") == "runs/a.pt"
    with pytest.raises(CheckpointError, match=r"^memory://run/a: damaged\nSee memory://run$"), speaking():
        raise CheckpointError(f"{folder}/a: damaged", f"See {folder}")


def test_a_file_that_cannot_have_a_place(run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{"name": name, "type": "file", "size": 1} for name in ("/run/epoch_0.pt", "/run/epoch_0.pt/inner")]
    monkeypatch.setattr(type(run), "ls", lambda *_, **__: entries)
    with pytest.raises(RunError, match="has no place in") as caught:
        place("memory://run")
    assert "TMPDIR" in caught.value.remedy


def test_two_files_of_one_name(run: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    place("memory://run/epoch_0.pt")
    monkeypatch.setattr(type(run), "info", lambda _, path: {"name": path, "type": "file", "size": 1})
    with pytest.raises(RunError, match="differ only in what is no part of a file's name"):
        place("memory://me:secret@run/epoch_0.pt")
