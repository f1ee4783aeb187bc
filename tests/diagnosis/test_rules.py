"""The rules of `rfav check`: their ids say what they decide, and each says what to do."""

from __future__ import annotations

import re

import pytest

from rfav_cli.diagnosis import RULES


@pytest.mark.parametrize("id_", RULES)
def test_a_rule_is_found_by_its_id_and_its_number_says_its_kind(id_: str) -> None:
    rule = RULES[id_]
    assert rule.id == id_
    assert re.fullmatch(r"RFAV\d{3}", id_)
    assert rule.kind == ("unclear" if id_ == "RFAV111" else ("flag", "no verdict", "doubt")[int(id_[4])])


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_in_sentences_what_it_is_what_it_means_and_what_to_do(rule: object) -> None:
    for text in (rule.summary, rule.meaning, rule.remedy):  # type: ignore[attr-defined]
        assert re.fullmatch(r"[A-Z`].*[.!]", text), text
        assert "  " not in text
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)  # type: ignore[attr-defined]


def test_commands_and_options_that_rules_name_are_there() -> None:
    import rfav_cli

    text = " ".join(f"{rule.meaning} {rule.remedy}" for rule in RULES.values())
    for command in re.findall(r"`rfav (\w+)", text):
        assert callable(getattr(rfav_cli, command))
