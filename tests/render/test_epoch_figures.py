"""Which figures of an epoch stand in tables."""

from __future__ import annotations

from typing import Any

import pytest

from rfav_cli.render.epoch_figures import epoch_figures

CALIBRATION = ("calibrated_loss", "temperature", "confidence", "calibration_error")


def document(*epochs: dict[str, Any], figure: str | None = "accuracy") -> dict[str, Any]:
    return {"epochs": epochs, "probe": {"figure": figure}}


@pytest.mark.parametrize(
    ("figure", "shown"),
    [("tag accuracy", [("tag accuracy", ["50.0%"])]), ("R squared", [("R squared", ["-0.250"])]), (None, [])],
)
def test_the_usual_figure_of_the_task_stands_beside_the_loss(figure: str | None, shown: list[Any]) -> None:
    epoch = {"loss": 1.5, "accuracy": 0.5, "figure": -0.25, **dict.fromkeys(CALIBRATION)}
    assert list(epoch_figures(document(epoch, figure=figure)))[1:] == shown


def test_a_store_of_before_has_loss_and_accuracy_alone() -> None:
    epoch = {"loss": 1.23456, "accuracy": None, **dict.fromkeys(CALIBRATION)}
    assert list(epoch_figures(document(epoch))) == [("loss", ["1.235"]), ("accuracy", [None])]


def test_an_epoch_without_a_temperature_has_no_cell_beside_one_with() -> None:
    old = {"loss": 1.5, "accuracy": 0.5, **dict.fromkeys(CALIBRATION)}
    new = {"loss": 1.5, "accuracy": 0.5, "confidence": 0.9, "temperature": 2.5, "calibrated_loss": 1.25}
    new |= {"calibration_error": 0.4}
    assert list(epoch_figures(document(old, new)))[2:] == [
        ("calibrated", [None, "1.250"]),
        ("T", [None, "2.50"]),
        ("conf", [None, "90.0%"]),
        ("error", [None, "40.0%"]),
    ]


def test_confidence_alone_is_what_a_probe_without_labels_gives() -> None:
    epoch = {"loss": None, "accuracy": None, **dict.fromkeys(CALIBRATION), "confidence": 0.875}
    assert [title for title, _ in epoch_figures(document(epoch))] == ["loss", "accuracy", "conf"]


def test_a_loss_without_bounds_keeps_its_column_narrow() -> None:
    rows = [{"loss": value, "accuracy": None, **dict.fromkeys(CALIBRATION)} for value in (1e30, -2e7, 9999.5)]
    assert next(epoch_figures(document(*rows))) == ("loss", ["1.0e+30", "-2.0e+07", "9999.500"])
