"""What remedies are advised by, beside what `tests/diagnosis/test_advice.py` says of them."""

from __future__ import annotations

import pytest

from rfav_cli.diagnosis.remedies import TOLD, other_remedy, penalties_are_advised, retraining, rule_by_advice
from rfav_cli.diagnosis.remedy_record import ADVISED
from rfav_cli.records import RULES, Advice, AdviceStep
from tests.diagnosis.test_advice import run, verdict


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_advised_on_plain_nets_alone(rule: str) -> None:
    assert retraining(run(), verdict(), rule) is not None
    assert retraining(run(make="normalised"), verdict(), rule) is None
    assert retraining(run(make="not known"), verdict(), rule) is None
    assert retraining(run(), verdict(), "golden") is None


def test_penalties_are_advised_by_a_step_and_else_lambda_asks_the_validation_samples() -> None:
    advised, other = (Advice((), None, "", None, (AdviceStep(kind, "…"),)) for kind in ("retrain", "instead"))
    assert (penalties_are_advised(advised), penalties_are_advised(other)) == (True, False)
    assert (rule_by_advice(advised), rule_by_advice(other)) == (ADVISED, "adaptive")


def test_the_last_step_names_few_remedies_in_few_words() -> None:
    step = other_remedy(run(), verdict(), ADVISED)
    assert step.words.startswith("Or train with what helped nets without normalisation, in points of accuracy")
    assert step.words.count("(+") == TOLD
    assert len(step.words) < 260
    assert "the rule 'paper' -0.2 points" in other_remedy(run(make="normalised"), verdict(), "paper").words
    assert "--anyway" in other_remedy(run(make="not known"), verdict(), ADVISED).words
