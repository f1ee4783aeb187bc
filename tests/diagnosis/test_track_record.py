"""A verdict says how often its basis was right."""

from __future__ import annotations

import pytest

from rfav_cli.diagnosis.track_record import CONFIDENCE, ENTROPY, LOSS, TRACK_RECORDS, TrackRecord


def test_every_basis_has_a_record_over_the_same_runs() -> None:
    assert set(TRACK_RECORDS) == {LOSS, CONFIDENCE, ENTROPY}
    assert len({(record.overfitting, record.healthy) for record in TRACK_RECORDS.values()}) == 1


@pytest.mark.parametrize("basis", TRACK_RECORDS)
def test_no_more_is_found_than_there_is(basis: str) -> None:
    record = TRACK_RECORDS[basis]
    assert 0 < record.detected <= record.overfitting
    assert 0 <= record.false_alarms <= record.healthy


def test_labels_are_worth_having() -> None:
    """The verdict takes the loss where it can, then the answers, then the entropy alone."""

    def right(basis: str) -> int:
        record = TRACK_RECORDS[basis]
        return record.detected + record.healthy - record.false_alarms

    assert right(LOSS) > right(CONFIDENCE) > right(ENTROPY)
    assert (
        TRACK_RECORDS[LOSS].false_alarms <= TRACK_RECORDS[CONFIDENCE].false_alarms < TRACK_RECORDS[ENTROPY].false_alarms
    )


def test_the_words_are_the_figures() -> None:
    words = TrackRecord(3, 7, 2, 11).words
    assert "3 of 7 overfitting runs" in words
    assert "2 false alarms on 11 healthy ones" in words
