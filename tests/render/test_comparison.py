from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from rfav_cli.errors import RfavError
from rfav_cli.records import (
    Comparison,
    Difference,
    EpochFigures,
    LayerComparison,
    LayerSide,
    Onset,
    RunFinding,
    RunSide,
)
from rfav_cli.render import COMPARISON_FORMATS, Screen, render_comparison
from tests.render.conftest import HOSTILE

BASIS = "held-out loss and accuracy"
COMPARISON = Comparison(
    a=RunSide(
        "runs/before/rfav.h5",
        RunFinding("overfitting", "likely overfitting since epoch 12", BASIS, Onset(12, 11, 13), confidence=0.99),
        EpochFigures(12, 1.2541, 0.5972),
        EpochFigures(30, 2.1083, 0.5741),
    ),
    b=RunSide(
        "runs/after/rfav.h5", RunFinding("healthy", "held-out loss 1.129", BASIS), EpochFigures(18, 1.129, 0.6181), None
    ),
    same_probe=True,
    best_loss=Difference(-0.1251, 0.0123, 1e-6, "B"),
    best_accuracy=Difference(0.0209, 0.0124, 0.09),
    last_loss=Difference(-0.4),
    last_accuracy=None,
    summary=("B's best held-out loss is 0.125 nat lower (1.129 against 1.254; 99.9% sure)",),
    layers=(
        LayerComparison(
            "features.block1.conv1",
            LayerSide("stable", 3.4, 0.981, 0.31),
            LayerSide("stable", 3.2, 0.9233, 0.12),
            "stable in both",
        ),
        LayerComparison(
            "features.block2.conv4",
            LayerSide("collapsed", 1.04, 0.3, 0.11),
            LayerSide("stable", 2.6, 0.75, None),
            "collapsed in A, stable in B; entropy at the end 1.04 nat in A, 2.60 in B (30% and 75% of ln D)",
        ),
        LayerComparison("fc9", None, LayerSide(None, None, None, None), "only in B: not judged"),
    ),
    notes=("layers only in B: fc9", "another seed moves the losses as well"),
)


def test_figures_then_layers_then_words() -> None:
    lines = render_comparison(COMPARISON, screen=Screen(100)).splitlines()
    assert lines[0] == "A: runs/before/rfav.h5"
    assert lines[1] == "verdict: overfitting since epoch 12 (11 to 13), by held-out loss and accuracy"
    assert lines[2:4] == ["B: runs/after/rfav.h5", "verdict: healthy, by held-out loss and accuracy"]
    assert lines[5] == f"  {COMPARISON.summary[0]}"
    rows = [line.split() for line in lines]
    assert rows[7] == ["held-out", "A", "B", "B", "-", "A", "better"]
    assert rows[8] == ["best", "epoch", "12", "18"]
    assert rows[9] == ["loss", "1.254", "1.129", "-0.125", "±", "0.012", "B"]
    assert rows[10] == ["accuracy", "59.7%", "61.8%", "+2.1", "±", "1.2", "-"]
    assert rows[11] == ["last", "epoch", "30", "n/a"]
    assert rows[12] == ["loss", "2.108", "n/a", "-0.400", "-"]
    assert rows[13] == ["accuracy", "57.4%", "n/a", "n/a"]
    assert rows[15] == ["layer", "state", "entropy", "of", "max", "|corr|"]
    assert lines[16].split("  ")[0] == "features.block1.conv1"
    assert "stable → stable" in lines[16]
    assert "3.40 → 3.20" in lines[16]
    assert "98% → 92%" in lines[16]
    assert "0.31 → 0.12" in lines[16]
    assert "collapsed → stable" in lines[17]
    assert "0.11 → n/a" in lines[17]
    assert lines[18].split()[:4] == ["fc9", "n/a", "→", "n/a"]
    text = " ".join(" ".join(lines).split())
    assert "Layers that changed features.block2.conv4: collapsed in A, stable in B;" in text
    assert "features.block1.conv1: stable in both" not in text
    assert "fc9: only in B" in text
    assert text.endswith("Notes layers only in B: fc9 another seed moves the losses as well")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_fits_with_what_matters(width: int, encoding: str) -> None:
    text = render_comparison(COMPARISON, screen=Screen(width, encoding=encoding))
    assert max(map(len, text.splitlines())) <= width
    plus_minus, arrow = ("±", "→") if encoding == "utf-8" else ("+-", "->")
    for figure in ("1.254", "1.129", f"-0.125 {plus_minus} 0.012", f"collapsed {arrow} stable", "59.7%"):
        assert figure in text
    assert ("better" in text) == (width >= 60)
    assert (f"1.04 {arrow} 2.60" in text) == (width >= 60)
    text.encode(encoding)


def test_what_is_left_out_is_said() -> None:
    text = " ".join(render_comparison(COMPARISON, screen=Screen(60)).split())
    assert "Left out at this width: |corr|; --format json has all." in text
    assert "Left out" not in render_comparison(COMPARISON, screen=Screen(100))


def test_without_losses_and_without_layers() -> None:
    side = replace(COMPARISON.a, best=None, last=None)
    empty = Comparison(side, side, True, None, None, None, None, ("no held-out losses to compare",), (), ())
    lines = render_comparison(empty).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "  no held-out losses to compare"


def test_huge_losses_do_not_burst_the_table() -> None:
    broken = replace(
        COMPARISON,
        b=replace(COMPARISON.b, best=EpochFigures(18, 1.5e30, 0.1)),
        best_loss=Difference(1.5e30, 2e29, 1e-9, "A"),
    )
    text = render_comparison(broken, screen=Screen(60))
    assert max(map(len, text.splitlines())) <= 60
    assert "+1.5e+30 ± 2e+29" in text


def test_json_is_the_comparison() -> None:
    document = json.loads(render_comparison(COMPARISON, "json"))
    names = ["schema", "a", "b", "same_probe", "loss", "figure", "differences", "summary", "layers", "notes"]
    assert list(document) == names
    assert (document["loss"], document["figure"]) == ("held-out loss", "accuracy")
    assert document["a"]["run"]["state"] == "overfitting"
    assert (document["a"]["run"]["onset"], document["a"]["run"]["interval"]) == (12, [11, 13])
    assert document["a"]["best"] == {"epoch": 12, "loss": 1.2541, "accuracy": 0.5972, "smoothed_loss": None}
    assert document["b"]["last"] is None
    assert document["differences"] == {
        "best_loss": {"value": -0.1251, "error": 0.0123, "p": 1e-6, "better": "B", "smoothed": None},
        "best_accuracy": {"value": 0.0209, "error": 0.0124, "p": 0.09, "better": None, "smoothed": None},
        "last_loss": {"value": -0.4, "error": None, "p": None, "better": None, "smoothed": None},
        "last_accuracy": None,
    }
    assert document["layers"] == [asdict(layer) for layer in COMPARISON.layers]
    assert (document["summary"], document["notes"]) == ([*COMPARISON.summary], [*COMPARISON.notes])


@pytest.mark.parametrize("output_format", COMPARISON_FORMATS)
def test_what_a_store_says_steers_no_terminal(output_format: str) -> None:
    layer = replace(COMPARISON.layers[1], name=HOSTILE)
    side = replace(COMPARISON.a, store=HOSTILE)
    hostile = replace(COMPARISON, a=side, layers=(layer,), notes=(f"layers only in A: {HOSTILE}",), summary=(HOSTILE,))
    text = render_comparison(hostile, output_format, screen=Screen(80, encoding="utf-8"))
    assert all(character.isprintable() or character == "\n" for character in text)


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(RfavError, match="table, json"):
        render_comparison(COMPARISON, "csv")


def test_losses_are_called_by_their_name_and_no_accuracy_is_shown_of_numbers() -> None:
    numbers = replace(COMPARISON, loss_words="held-out mean squared error", figure="", summary=())
    text = render_comparison(numbers, "table")
    assert "held-out mean squared error" in text
    assert "\naccuracy " not in text
    assert "\naccuracy " in render_comparison(COMPARISON, "table")
    assert "tag accuracy" in render_comparison(replace(COMPARISON, figure="tag accuracy"), "table")
    assert json.loads(render_comparison(numbers, "json"))["figure"] is None
