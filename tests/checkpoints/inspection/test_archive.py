import pickle
from pathlib import Path

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned, write_zip


def test_its_pickles_are_walked_through(tmp_path: Path) -> None:
    members = {"notes.txt": b"of no use", "a/b.pkl": pickle.dumps(Calls()), "hidden": pickle.dumps(Calls(eval, "1"))}
    file = scanned(write_zip(tmp_path / "a.zip", members))
    assert (file.format, levels(file), file.members.count) == ("archive", {"danger", "refused", "incomplete"}, 3)
    assert "hidden: calls builtins.eval" in messages(file)


def test_an_archive_of_no_known_format_is_never_clean(tmp_path: Path) -> None:
    assert levels(scanned(write_zip(tmp_path / "a.zip", {"notes.txt": b"of no use"}))) == {"incomplete"}


def test_numbers_that_begin_as_pickles_do_are_none(tmp_path: Path) -> None:
    file = scanned(write_zip(tmp_path / "a.zip", {"numbers.raw": b"\x80\x02" + bytes(range(200))}))
    assert [finding.rule for finding in file.findings] == ["incomplete"]
