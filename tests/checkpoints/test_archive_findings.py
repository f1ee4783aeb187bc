from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

from rfav_cli.checkpoints.archive_findings import (
    look_at_members,
    report_operators,
    report_refusal,
    sound_archive,
    walk_other_pickles,
)
from rfav_cli.checkpoints.inspected import Look, Source
from rfav_cli.errors import CheckpointError
from tests.checkpoints.inspection.files import Calls

PATH = Path("net.pt")


def source_of(members: dict[str, bytes], behind: bytes = b"") -> Source:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Source.of(PATH, io.BytesIO(file.getvalue() + behind))


def said(look: Look) -> list[tuple[str, str]]:
    return [(finding.rule, finding.message) for finding in look.done("net.pt", "archive", "zip archive", 1).findings]


def test_a_sound_archive_has_its_members_taken_down_and_nothing_said() -> None:
    source, look = source_of({"net/a": b"12", "net/b": b"345"}), Look()
    assert sound_archive(source, look) is source.archive
    assert said(look) == []
    members = look.done("net.pt", "archive", "zip archive", 1).members
    assert [(member.name, member.bytes) for member in members.first] == [("net/a", 2), ("net/b", 3)]


def test_of_a_damaged_one_the_pickles_alone_are_said() -> None:
    content = pickle.dumps(Calls(eval, "1"))
    members = {"net/a.pkl": content, "net/b": b"numbers"}
    source, damaged = source_of(members), Look()
    broken = source.bytes_at(0, source.size).replace(b"numbers", b"Numbers")
    assert sound_archive(Source.of(PATH, io.BytesIO(broken)), damaged) is None
    assert any("checksum of 'net/b'" in words for _, words in said(damaged))
    assert any("calls builtins.eval" in words for _, words in said(damaged))


def test_what_is_no_archive_is_none() -> None:
    assert sound_archive(Source.of(PATH, io.BytesIO(b"text")), Look()) is None


def test_pickles_that_are_known_are_passed_over() -> None:
    source, look = source_of({"a.pkl": pickle.dumps(Calls(eval, "1"))}), Look()
    assert source.archive is not None
    walk_other_pickles(source.archive, look, {"a.pkl"})
    assert said(look) == []
    walk_other_pickles(source.archive, look, ())
    assert [rule for rule, _ in said(look)] != []


def test_what_is_odd_of_members_is_said() -> None:
    source, look = source_of({"../../x": b""}, behind=b"#!/bin/sh"), Look()
    assert source.archive is not None
    look_at_members(source.file, source.archive, look)
    assert {rule for rule, _ in said(look)} == {"unusual"}


def test_operators_are_listed_and_those_that_no_net_needs_refused() -> None:
    look = Look()
    report_operators({"aten::add", "aten::from_file"}, look)
    assert look.done("net.pt", "archive", "zip archive", 1).operators.first == ("aten::add", "aten::from_file")
    assert [rule for rule, _ in said(look)] == ["reaches-out", "refused"]


def test_what_rfav_refuses_is_said_without_the_name_of_the_file() -> None:
    source, look = source_of({"net/a": b""}), Look()

    def check() -> None:
        raise CheckpointError("net.pt: damaged", "Copy it again.")

    report_refusal(lambda: None, source, look)
    assert said(look) == []
    report_refusal(check, source, look)
    assert said(look) == [("reaches-out", "damaged"), ("refused", "damaged")]
