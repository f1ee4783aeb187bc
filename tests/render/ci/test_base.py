"""What the formats of `rfav check` share: one sentence a finding, and a fingerprint that outlasts its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rfav_cli.diagnosis import RULES
from rfav_cli.records import Checked, CheckReport
from rfav_cli.render.ci.base import RESULTS, explain, fingerprint, looked_at, plain, result, sentence, subject
from tests.render.ci.reports import CLEAN, EVIL, make, store

FOUND = Checked("RFAV005", "a/rfav.h5", "conv1", "flagged", "16% lost", "min-entropy", 0.4, 0.5)


def test_what_was_looked_at() -> None:
    assert looked_at(store()) == "5 layers × 31 epochs × 1,000 samples: overfitting"
    one = replace(store(), layers=("conv1",), epochs=(1, 3, 3), samples=1)
    assert looked_at(one, "x") == "1 layer x 1 epoch x 1 sample: overfitting"
    assert looked_at(replace(store(), final=True)) == "5 layers × 1 epoch × 1,000 samples: epoch 29 alone"


def test_a_finding_in_a_sentence() -> None:
    report = make()
    assert sentence(report, FOUND) == "low-entropy in a/rfav.h5: conv1: 16% lost"
    assert sentence(report, replace(FOUND, layer="")) == "low-entropy in a/rfav.h5: 16% lost"
    assert sentence(report, replace(FOUND, layer="", store="")) == "low-entropy: 16% lost"
    assert subject(replace(FOUND, layer="", store="")) == ""


def test_no_text_steers_anything() -> None:
    for text in (plain(EVIL), sentence(make(), replace(FOUND, store=EVIL, layer=EVIL, message=EVIL))):
        assert text.isprintable()
    assert len(plain("x" * 5000)) == 1000


def test_a_fingerprint_is_of_what_is_found_and_not_of_how_much() -> None:
    same = [
        FOUND,
        replace(FOUND, message="17% lost", value=0.3, limit=0.6),
        replace(FOUND, outcome="missing"),
        replace(FOUND, store="a\\rfav.h5"),  # as Windows writes it
    ]
    others = [
        replace(FOUND, rule="RFAV006"),
        replace(FOUND, store="b/rfav.h5"),
        replace(FOUND, layer="conv2"),
        replace(FOUND, key="baseline"),
        replace(FOUND, store="a/rfav.h5\0conv1", layer=""),
        replace(FOUND, layer="\ud800"),
    ]
    assert len({fingerprint(checked) for checked in same}) == 1
    assert len({fingerprint(checked) for checked in [FOUND, *others]}) == 1 + len(others)


def test_the_result_goes_by_the_exit_code() -> None:
    assert [result(CLEAN), result(make())] == ["clean", "no verdict"]
    flagged = CheckReport((), (FOUND,), RULES, CLEAN.location)
    assert result(flagged) == RESULTS[flagged.code] == "flagged"


@pytest.mark.parametrize("id_", ["RFAV001", "RFAV101", "RFAV111", "RFAV201"])
def test_a_rule_is_explained_with_the_code_that_it_gives(id_: str) -> None:
    rule = RULES[id_]
    head, _, text = explain(rule).partition("\n\n")
    assert head == f"# {id_} {rule.name}"
    codes = {"flag": "exit code 1)", "no verdict": "exit code 2)"}
    assert codes.get(rule.kind, "exit code 2 unless it is allowed)") in text
    for words in (rule.summary, rule.meaning, rule.remedy):
        assert words in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 120
