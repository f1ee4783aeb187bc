"""What was recognised in a project."""

from rfav_cli.records import Choice, ProjectSetup, Recognised


def test_what_was_not_looked_for_is_empty():
    found = Recognised("runs", 2, (0, 1), "eager")
    assert (found.notes, found.nets, found.samples) == ((), (), ())
    assert ProjectSetup(found, {}, {}, "rfav analyze runs", written=False).recognised is found
    assert Choice("a", "b") == Choice("a", "b")
