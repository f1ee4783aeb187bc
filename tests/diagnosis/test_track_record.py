"""A verdict says how often its basis was right, on nets of its make."""

from __future__ import annotations

import pytest

from rfav_cli.diagnosis.track_record import CONFIDENCE, LOSS, TRACK_RECORDS, TrackRecord

MAKES = ("plain", "normalised", "not known")


def test_every_basis_that_decides_has_a_record_for_each_make() -> None:
    assert set(TRACK_RECORDS) == {(basis, make) for basis in (LOSS, CONFIDENCE) for make in MAKES}


@pytest.mark.parametrize("key", TRACK_RECORDS)
def test_no_more_is_found_than_there_is(key: tuple[str, str]) -> None:
    record = TRACK_RECORDS[key]
    assert 0 < record.detected <= record.overfitting
    assert 0 <= record.false_alarms <= record.healthy


def test_labels_are_worth_having() -> None:
    """The verdict takes the labels where it can."""
    labelled, not_labelled = (TRACK_RECORDS[basis, "not known"] for basis in (LOSS, CONFIDENCE))
    assert labelled.detected > not_labelled.detected
    assert labelled.false_alarms <= not_labelled.false_alarms


def test_the_words_are_the_figures() -> None:
    words = TrackRecord(3, 7, 2, 11).words("plain")
    assert words.startswith("by this basis, 3 of 7 overfitting runs of nets without batch normalisation in rfav's")
    assert "2 false alarms on 11 healthy ones" in words
    assert "of nets" not in TrackRecord(3, 7, 2, 11).words("not known")
