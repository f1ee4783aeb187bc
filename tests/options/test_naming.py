from rfav_cli.options import Analyze, Check, Scan, options_of
from rfav_cli.options.naming import Excluded


def test_whatever_takes_folders_can_leave_something_out() -> None:
    assert all(issubclass(record, Excluded) for record in (Analyze, Check, Scan))
    assert Excluded().exclude == ()


def test_a_scan_has_no_use_for_epochs() -> None:
    names = {name for name, _ in options_of(Scan)}
    assert "exclude" in names
    assert not {"epochs", "unit"} & names
