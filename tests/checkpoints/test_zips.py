from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rfav_cli.checkpoints import zips
from rfav_cli.checkpoints.zips import check_sum, open_archive, read_member, refusals
from rfav_cli.errors import CheckpointError

PATH = Path("net.pt")


def archive_of(**members: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_members_are_read_from_the_file_that_is_open() -> None:
    with open_archive(PATH, archive_of(a=b"abc", b=b"")) as archive:
        assert archive.namelist() == ["a", "b"]
        assert (read_member(archive, "a"), read_member(archive, "a", 2), read_member(archive, "b")) == (
            b"abc",
            b"ab",
            b"",
        )


def test_a_list_of_more_members_than_nets_have_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "_MOST_LISTED", 2**17)
    listed = {f"{number:05d}": b"" for number in range(3000)}
    with (
        pytest.raises(CheckpointError, match=r"net\.pt: refused, it lists more members"),
        open_archive(PATH, archive_of(**listed)),
    ):
        pass
    with open_archive(PATH, archive_of(**dict(list(listed.items())[:1000]))) as archive:
        assert len(archive.namelist()) == 1000


def test_a_wrong_checksum_is_told_with_its_member() -> None:
    file = archive_of(weights=bytes(100))
    with zipfile.ZipFile(file) as archive:
        raw = bytearray(file.getvalue())
        raw[archive.start_dir + 16] ^= 1
    with open_archive(PATH, io.BytesIO(raw)) as archive, pytest.raises(CheckpointError, match="checksum of 'weights'"):
        check_sum(PATH, archive, archive.getinfo("weights"))


def member(name: str = "net/a", **fields: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for field, value in {"header_offset": 0, "file_size": 9, "compress_size": 9, **fields}.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member()], []),
        ([member(), member()], ["has two members of one name: 'net/a'"]),
        ([member(header_offset=-1)], ["damaged: 'net/a' is said to begin before it"]),
        ([member(flag_bits=1)], ["damaged or cut off: 'net/a' is said to need a password"]),
        ([member(compress_type=zipfile.ZIP_LZMA)], ["'net/a' is compressed in a way that torch does not know"]),
        ([member(file_size=8)], ["damaged: 'net/a' is said to have two sizes"]),
        (
            [member("net/data.pkl", compress_type=zipfile.ZIP_DEFLATED, file_size=2**23)],
            ["refused, 'net/data.pkl' unpacks to 8,388,608 bytes"],
        ),
        (
            [member(compress_type=zipfile.ZIP_DEFLATED, file_size=2**29)],
            ["refused, its 9 bytes unpack to 536,870,912"],
        ),
        ([member(file_size=99, compress_size=99)], ["damaged: parts of it are several members"]),
    ],
)
def test_what_a_list_of_members_is_refused_for(members: list[zipfile.ZipInfo], words: list[str]) -> None:
    assert list(refusals(members, 20)) == words
