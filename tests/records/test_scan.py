import pytest

from rfav_cli.diagnosis.rules import RULES
from rfav_cli.records import FLAGGED_LEVELS, SCAN_RULES, ScanFinding, ScannedFile, ScanReport, Some

CLEAN = ScannedFile("a.pt", "state_dict", "torch.save file", 7, opens=True)


def having(*rules: str) -> ScannedFile:
    return ScannedFile("b.pt", "state_dict", "torch.save file", 7, findings=tuple(ScanFinding(r, "x") for r in rules))


@pytest.mark.parametrize(
    ("files", "flag", "code"),
    [
        ((), "note", 2),
        ((CLEAN,), "note", 0),
        ((CLEAN, having("unusual")), "refused", 0),
        ((CLEAN, having("unusual")), "note", 1),
        ((CLEAN, having("refused")), "refused", 1),
        ((CLEAN, having("refused")), "danger", 0),
        ((having("runs-code"),), "danger", 1),
        ((having("runs-code"), having("incomplete")), "danger", 2),
        ((having("incomplete"), CLEAN), "note", 2),
    ],
)
def test_incomplete_is_never_clean_and_the_level_decides_the_rest(
    files: tuple[ScannedFile, ...], flag: str, code: int
) -> None:
    assert ScanReport(files, flag).code == code


def test_rules_have_ids_that_no_rule_of_the_gate_has() -> None:
    ids = [rule.id for rule in SCAN_RULES.values()]
    assert ids == sorted(set(ids))
    assert not {*ids} & {rule.id for rule in RULES.values()}
    assert {rule.level for rule in SCAN_RULES.values()} == {*FLAGGED_LEVELS, "incomplete"}


def test_of_many_things_the_count_is_known() -> None:
    assert (Some((1, 2), 5).more, Some().more) == (3, 0)
