from __future__ import annotations

import io
import zipfile

import pytest

from rfav_cli.checkpoints import zip_listing
from rfav_cli.checkpoints.zip_listing import ZipListing


def archive_of(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name}", content)
    return file.getvalue()


def listed(content: bytes) -> tuple[ZipListing, io.BytesIO]:
    file = io.BytesIO(content)
    return ZipListing.of(file), file


def odd(content: bytes) -> str:
    listing, file = listed(content)
    assert listing.problem == ""
    return "\n".join(listing.oddities(file))


def test_a_plain_archive_has_nothing_that_stands_out() -> None:
    listing, file = listed(archive_of(a=b"12", b=b"345"))
    assert (listing.root, listing.short_names) == ("net/", {"a", "b"})
    assert (listing.refusals(), listing.oddities(file), listing.wrong_sums()) == ([], [], [])
    member = listing.find("net/b")
    assert member is not None
    assert listing.read(member, 2) == b"34"


def test_where_readers_differ_nothing_vouches_for_the_rest() -> None:
    plain, other = archive_of(a=b"12"), archive_of(b=b"34")
    cut = archive_of(a_b=b"12").replace(b"net/a_b", b"net/a\0b")
    for content, differs in (
        (plain, False),
        (plain + b"behind", False),
        (plain + other, True),
        (plain.replace(b"net/a", b"net/x", 1), True),
        (cut, True),
    ):
        listing, file = listed(content)
        listing.oddities(file)
        assert listing.differs is differs


def test_bytes_that_belong_to_no_member_are_told() -> None:
    plain = archive_of(a=b"12")
    assert "byte" in odd(b"MZ" * 40 + plain)
    assert "behind its end" in odd(plain + b"#!/bin/sh\nrm")


def test_two_ends_are_told_but_not_those_of_an_archive_within() -> None:
    first, second = archive_of(a=b"12"), archive_of(b=b"34")
    assert "two ends" in odd(first + second)
    assert odd(archive_of(inner=first)) == ""


def test_a_member_has_the_name_that_it_is_listed_by() -> None:
    content = archive_of(a=b"12")
    assert "no member of this name" in odd(content.replace(b"net/a", b"net/x", 1))


def test_members_of_one_name_and_over_one_another_are_told() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("net/a", b"2")
    assert any("two members of one name" in words for words in listed(file.getvalue())[0].refusals())
    content = archive_of(a=b"1" * 500)
    listing, again = listed(content)
    listing.members *= 2
    assert "members lie over one another" in listing.oddities(again)
    assert any("several members" in words for words in listing.refusals())


def test_names_that_lead_elsewhere_are_told() -> None:
    assert "outside" in odd(archive_of(**{"../../x": b""}))


def test_a_swelling_archive_is_refused_by_its_list() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(2**23))
    assert any("unpacks to" in words for words in listed(file.getvalue())[0].refusals())


def test_a_wrong_checksum_is_told() -> None:
    content = bytearray(archive_of(a=b"12345678"))
    content[content.index(b"12345678")] ^= 1
    assert listed(bytes(content))[0].wrong_sums() == ["net/a"]


def test_a_cut_archive_and_a_long_list_have_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "damaged" in listed(archive_of(a=b"12")[:-30])[0].problem
    monkeypatch.setattr(zip_listing, "_LONGEST_LIST", 2**17)
    many = {f"{number:05d}": b"" for number in range(3000)}
    assert "more members" in listed(archive_of(**many))[0].problem
    assert listed(archive_of(**dict(list(many.items())[:1000])))[0].problem == ""
