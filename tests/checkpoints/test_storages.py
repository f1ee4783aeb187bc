from __future__ import annotations

import sys
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.checkpoints.storages import Claim, StorageKind
from rfav_cli.checkpoints.zips import read_member
from rfav_cli.errors import CheckpointError
from tests.checkpoints.handmade import claim, mapping, name, save, save_legacy, several, tensor, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KIND = StorageKind(torch.float32)


def changed(path: Path, change: Callable[[str, bytes], tuple[str, bytes] | None], compression: int = 0) -> None:
    """The archive with other members."""
    with zipfile.ZipFile(path) as archive:
        contents = [change(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member in filter(None, contents):
            archive.writestr(*member)


def test_a_claim_is_read_as_it_is() -> None:
    assert Claim.of(("storage", KIND, "0", "cuda:3", 6)) == Claim(torch.float32, "0", 6)
    assert Claim.of((b"storage", KIND, 7, "cpu", 6, None)) == Claim(torch.float32, "7", 6)
    assert Claim.of(("storage", KIND, "0", "cpu", 6, ("1", 2, 3))).view == ("1", 2, 3)
    assert Claim.of(("storage", KIND, "0", "cpu", 6)).bytes == 24


@pytest.mark.parametrize(
    "given",
    [
        *(None, 3, "storage", (), ("storage",), ["storage", KIND, "0", "cpu", 6], ("other", KIND, "0", "cpu", 6)),
        *(
            ("storage", "FloatStorage", "0", "cpu", 6),
            ("storage", KIND, (), "cpu", 6),
            ("storage", KIND, "0", "cpu", -1),
        ),
        *(
            ("storage", KIND, "0", "cpu", 6.0),
            ("storage", KIND, "0", "cpu", 2**63),
            ("storage", KIND, "0", "cpu", 6, 1),
        ),
        *(("storage", KIND, "0", "cpu", 6, ("1", -2, 3)), ("storage", KIND, "0", "cpu", 6, ("1", 2))),
    ],
)
def test_what_is_no_claim(given: object) -> None:
    with pytest.raises(ValueError, match=r"no |not "):
        Claim.of(given)


def test_of_a_storage_one_size_is_claimed(tmp_path: Path) -> None:
    path = save(tmp_path / "net.pt", mapping({"a": tensor(claim(whole(6))), "b": tensor(claim(whole(6)))}))
    assert len(load_pickle(path, trust=False)) == 2
    size = several(whole(5)), several(whole(1))
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # a copy of its own for each would be without end
        path = save(tmp_path / "net.pt", mapping({"a": tensor(), "b": tensor(claim(whole(5)), whole(0), *size)}))
        changed(path, lambda name, content: (name, content), compression)
        with pytest.raises(CheckpointError, match="two sizes are claimed"):
            load_pickle(path, trust=False)


def test_no_more_is_unpacked_than_an_archive_says(tmp_path: Path) -> None:
    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(5 * 10**7))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\1\2") + 24
    content[place : place + 4] = (24).to_bytes(4, "little")
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with zipfile.ZipFile(path) as archive, pytest.raises(zipfile.BadZipFile):
            read_member(archive, "a")
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_numbers_between_the_places_that_they_have_are_put_there(tmp_path: Path) -> None:
    complex_numbers = torch.arange(64.0).to(torch.complex128)
    kind = name("torch.ComplexDoubleStorage")
    body = mapping({"a": tensor(claim(whole(64), kind=kind), whole(0), several(whole(64)), several(whole(1)))})
    for odd in range(16):
        path = tmp_path / f"{odd}.pt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a" * (odd + 1) + "/data.pkl", b"\x80\x02" + body + b".")
            archive.writestr("a" * (odd + 1) + "/data/0", complex_numbers.numpy().tobytes())
        weight = load_pickle(path, trust=False)["a"]
        assert weight.data_ptr() % 16 == 0
        assert torch.equal(weight * 2, complex_numbers * 2)


def test_what_is_done_to_a_file_afterwards_changes_no_number(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"w": torch.ones(100_000)}, path)
    weight = load_pickle(path, trust=False)["w"]
    path.write_bytes(b"")
    assert weight.eq(1).all()


def test_numbers_of_the_other_order_of_bytes(tmp_path: Path) -> None:
    numbers, path = torch.arange(6, dtype=torch.float64), tmp_path / "net.pt"
    torch.save({"a": numbers, "b": numbers[2:]}, path)
    swapped = {"little": "big", "big": "little"}[sys.byteorder].encode()

    def swap(name: str, content: bytes) -> tuple[str, bytes]:
        if name.endswith("byteorder"):
            return name, swapped
        return name, numbers.numpy().byteswap().tobytes() if "/data/" in name else content

    changed(path, swap)
    content = load_pickle(path, trust=False)
    assert torch.equal(content["a"], numbers)
    assert torch.equal(content["b"], numbers[2:])
    changed(path, lambda name, content: (name, b"odd" if name.endswith("byteorder") else content))
    with pytest.raises(CheckpointError, match="an order of bytes that is none"):
        load_pickle(path, trust=False)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_of_any_folder(compression: int, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"w": torch.arange(4.0), "none": torch.zeros(0)}, path)
    changed(path, lambda name, content: (f"other/{name.partition('/')[2]}", content), compression)
    assert load_pickle(path, trust=False)["w"].tolist() == [0, 1, 2, 3]
    changed(path, lambda name, content: (name.partition("/")[2], content), compression)
    assert load_pickle(path, trust=False)["w"].tolist() == [0, 1, 2, 3]


def test_a_member_that_is_missing_or_too_small_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"w": torch.arange(4.0)}, path)
    changed(path, lambda name, content: (name, content[:15] if "/data/" in name else content))
    with pytest.raises(CheckpointError, match=r"'net/data/0' has 15 bytes, its tensor needs 16"):
        load_pickle(path, trust=False)
    changed(path, lambda name, content: None if "/data/" in name else (name, content))
    with pytest.raises(CheckpointError, match=r"damaged: there is no 'net/data/0' in it"):
        load_pickle(path, trust=False)


def test_a_member_with_more_than_is_claimed_is_of_another_type(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"w": torch.arange(4.0)}, path)
    changed(path, lambda name, content: (name, content.replace(b"FloatStorage", b"HalfStorage")))
    with pytest.raises(CheckpointError, match=r"'net/data/0' has 16 bytes, and 8 are claimed"):
        load_pickle(path, trust=False)


def test_a_storage_that_ends_within_an_element(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    odd = torch.UntypedStorage(7)
    torch.save({"w": torch.empty(0, dtype=torch.float16).set_(odd, 0, (3,)).zero_()}, path)
    assert load_pickle(path, trust=False)["w"].tolist() == [0, 0, 0]


def test_parts_of_storages_in_the_older_format(tmp_path: Path) -> None:
    part = claim(whole(6), more=(several(text("view"), whole(2), whole(3)),))
    whole_one = tensor(claim(whole(6), more=(b"N",)))
    weight = tensor(part, size=several(whole(3)), stride=several(whole(1)))
    path = save_legacy(tmp_path / "net.pt", mapping({"a": whole_one, "b": weight}))
    content = load_pickle(path, trust=False)
    assert content["b"].tolist() == [2, 3, 4]
    content["a"].zero_()
    assert content["b"].tolist() == [0, 0, 0]
