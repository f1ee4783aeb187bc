from pathlib import Path

from rfav_cli import statistics


def test_every_file_in_the_folder_is_in_the_table():
    stems = {path.stem for path in Path(statistics.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert stems == set(statistics.STATISTICS)


def test_start_makes_each(context):
    assert [type(one).__name__ for one in statistics.start(context())] == list(statistics.STATISTICS.values())
