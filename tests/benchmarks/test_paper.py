"""The paper's experiments: the grid, the published figures, the tables, and one small training from end to end."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.detection.train import write_probe
from benchmarks.pages import marked
from benchmarks.paper import data as data_module
from benchmarks.paper import experiments, figures, published, results, tables, train
from benchmarks.paper.experiments import OTHER_ROWS, ROWS, SCALES, Cell, cells, of_column, of_figure, of_figure_6
from benchmarks.paper.figure_histograms import shares
from rfav_cli.errors import TrainingError
from rfav_cli.nets import ZOO
from rfav_cli.records import Recipe

if TYPE_CHECKING:
    from pathlib import Path

FULL, CPU = SCALES["full"], SCALES["cpu"]
README = tables.README.read_text(encoding="utf-8")


def test_the_full_scale_has_the_cells_of_the_papers_tables() -> None:
    assert tuple((each.data, each.size, each.optimizer) for each in FULL.columns) == published.TABLE_2_COLUMNS
    assert all(each.published == (each.data, each.size, each.optimizer) for each in FULL.columns)
    short = [cell for cell in cells(FULL) if cell.epochs == 100]
    found = Counter((cell.data, cell.row.name, cell.row.recipe, cell.size, cell.optimizer) for cell in short)
    wanted = [(d, row.name, row.recipe, s, o) for d, s, o in published.TABLE_2_COLUMNS for row in ROWS]
    wanted += [(d, row.name, row.recipe, "", "sgd") for d in published.TABLE_3 for row in OTHER_ROWS]
    assert found == dict.fromkeys(wanted, 3)
    assert {row.name for row in ROWS} == set(published.TABLE_2) == set(published.OVERFITS_FROM)


def test_the_full_scale_has_the_papers_settings() -> None:
    assert (FULL.epochs, FULL.long, FULL.momentum, FULL.images) == (100, 200, 0.0, None)
    assert [(cell.data, cell.size, cell.optimizer, cell.epochs) for cell in of_figure_6(FULL)] == [
        ("cifar-100", "xxl", "sgd", 200)
    ] * len(ROWS)


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_a_name_is_one_training_which_only_figure_6_makes_longer(scale: experiments.Scale) -> None:
    every = cells(scale)
    assert len(set(every)) == len(every)
    for name, same in itertools.groupby(sorted(every, key=lambda cell: cell.name), key=lambda cell: cell.name):
        lengths = [cell.epochs for cell in same]
        assert lengths in ([scale.epochs], [scale.epochs, scale.long]), name


def test_the_most_telling_trainings_come_first() -> None:
    first = ["vanillaNet", "sr1Net", "sr2Net", "sr3Net", "dropNet", "normNet"]
    assert [(cell.data, cell.row.name, cell.seed) for cell in cells(CPU)[:6]] == [("cifar-10", n, 0) for n in first]
    assert [(cell.size, cell.row.name, cell.seed) for cell in cells(FULL)[:6]] == [("xxl", n, 0) for n in first]
    assert [cell.size for cell in cells(CPU)[-18:]] == ["m"] * 18


@pytest.mark.parametrize("cell", {c.model + c.row.recipe: c for s in SCALES.values() for c in cells(s)}.values())
def test_nets_and_the_layers_of_their_recipes_exist(cell: Cell) -> None:
    assert cell.model.removeprefix("zoo:") in ZOO
    if isinstance(cell.recipe, Recipe):
        named = dict(ZOO[cell.model.removeprefix("zoo:")]().named_modules())
        assert {(each.lambda_, each.kappa) for each in cell.recipe.layers} == {(0.001, 0.0)}
        assert all(each.name in named for each in cell.recipe.layers)
    else:
        assert cell.recipe == {"sr1Net": "paper:sr1", "sr2Net": "paper:sr2", "sr3Net": "paper:sr3"}.get(cell.row.name)


TABLE_2_AS_PRINTED = """
vanillaNet 0.3486 0.3603 0.3656 0.3843 0.6964 0.2198
dropNet    0.2505 0.4708 0.4202 0.4507 0.7862 0.2446
normNet    0.3626 0.4302 0.5059 0.5292 0.7900 0.2661
sr1Net     0.2663 0.4917 0.5325 0.3960 0.8079 0.2714
sr2Net     0.3460 0.5023 0.5387 0.4025 0.8042 0.3123
sr3Net     0.3781 0.5219 0.5423 0.4079 0.8040 0.3052
"""
TABLE_3_AS_PRINTED = """
cifar-10      0.6006 0.6987 0.6101 0.7509
cifar-100     0.2977 0.3842 0.3027 0.4682
tiny-imagenet 0.1267 0.2978 0.1345 0.3739
"""


def test_the_published_tables_are_those_of_the_paper() -> None:
    for line in TABLE_2_AS_PRINTED.split("\n")[1:-1]:
        name, *values = line.split()
        assert published.TABLE_2[name] == tuple(map(float, values))
    for line in TABLE_3_AS_PRINTED.split("\n")[1:-1]:
        name, *values = line.split()
        lenet, alexnet, lenet_with, alexnet_with = map(float, values)
        assert published.TABLE_3[name] == {"LeNet": (lenet, lenet_with), "AlexNet": (alexnet, alexnet_with)}


@pytest.mark.parametrize(
    ("column", "net", "other", "gain"),
    [
        (("cifar-100", "xxl", "sgd"), "sr1Net", "vanillaNet", 0.1669),
        (("cifar-100", "xxl", "sgd"), "sr1Net", "dropNet", 0.1123),
        (("cifar-100", "xxl", "sgd"), "sr1Net", "normNet", 0.0266),
        (("cifar-10", "xxl", "sgd"), "sr1Net", "vanillaNet", 0.1115),
        (("cifar-10", "xxl", "sgd"), "sr1Net", "dropNet", 0.0217),
        (("cifar-10", "xxl", "sgd"), "sr1Net", "normNet", 0.0179),
        (("tiny-imagenet", "xxl", "sgd"), "sr2Net", "vanillaNet", 0.0925),
        (("tiny-imagenet", "xxl", "sgd"), "sr2Net", "dropNet", 0.0677),
        (("tiny-imagenet", "xxl", "sgd"), "sr2Net", "normNet", 0.0462),
    ],
)
def test_the_published_columns_agree_with_the_gains_in_the_papers_text(
    column: tuple[str, str, str], net: str, other: str, gain: float
) -> None:
    found = published.best_accuracy(net, column) - published.best_accuracy(other, column)
    assert found == pytest.approx(gain, abs=1e-9)


def test_shares_of_a_histogram_are_an_image_with_the_highest_correlation_on_top() -> None:
    image = shares(np.array([[1, 0, 3], [0, 0, 0]], np.uint32))
    np.testing.assert_array_equal(image, [[0.75, np.nan], [np.nan, np.nan], [0.25, np.nan]])


def document(**accuracies: list[float]) -> dict[str, Any]:
    """Trainings whose loss falls to 1 and ends at 2."""
    loss = [2.3, *np.linspace(2.0, 1.0, 12).round(2).tolist(), *np.linspace(1.0, 2.0, 13).round(2).tolist()]
    runs = {
        f"cifar-10_{name}-s_sgd_seed{seed}": {"loss": loss, "accuracy": [0.1, value, *[0.2] * 24], "seconds": 60}
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
    }
    machine = {"device": "cpu", "processor": "AVX9", "threads": 1, "torch": "9.9"}
    return {"machines": [machine], "runs": runs}


def column_of(text: str, heading: str) -> dict[str, str]:
    """A column of the first table of a text: the first cell of each row -> the cell."""
    table = itertools.takewhile(bool, itertools.dropwhile(lambda line: not line.startswith("|"), text.splitlines()))
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    place = lines[0].index(heading)
    return {row[0]: row[place] for row in lines[2:]}


def test_a_cell_is_the_mean_and_spread_over_seeds_and_what_was_not_run_is_said() -> None:
    found = results.curves(document(vanillaNet=[0.4, 0.5, 0.6], sr1Net=[0.5, 0.7], dropNet=[0.3]))
    column = column_of(tables.table_2(CPU, found), "cifar-10 s")
    assert column["vanillaNet"] == "0.5000 ± 0.1000"
    assert column["sr1Net"] == "0.6000 ± 0.1414 (2 of 3 seeds)"
    assert column["dropNet"] == "0.3000 (1 of 3 seeds)"
    assert column["normNet"] == "not run"
    assert column_of(tables.table_2(CPU, found), "paper, s")["sr3Net"] == "0.3781"
    assert set(column_of(tables.table_2(CPU, {}), "cifar-100 m").values()) == {"not run"}


def test_gains_are_paired_by_seed() -> None:
    found = results.curves(document(vanillaNet=[0.4, 0.5, 0.6], sr1Net=[0.5, 0.7], dropNet=[0.3]))
    column = column_of(tables.gains(CPU, found), "cifar-10 s")
    assert column["sr1Net"] == "+0.1500 ± 0.0707 (2 of 3 seeds)"
    assert column["dropNet"] == "-0.1000 (1 of 3 seeds)"
    assert column["normNet"] == "not run"


def test_a_loss_that_rises_is_given_with_the_epoch_from_which_it_does() -> None:
    found = results.curves(document(vanillaNet=[0.4]))
    column = column_of(tables.losses(CPU, found), "cifar-10 s")
    assert column["vanillaNet"] == "1.000 → 2.000 (from 12)"
    assert column["sr1Net"] == "not run"
    assert column_of(tables.losses(CPU, found), "paper, cifar-100 xxl")["normNet"] == "overfits from 20"


def test_a_training_that_is_not_done_fills_no_cell() -> None:
    half = document(vanillaNet=[0.4])
    run = half["runs"]["cifar-10_vanillaNet-s_sgd_seed0"]
    half["runs"]["cifar-10_vanillaNet-s_sgd_seed0"] = {
        **run,
        "loss": run["loss"][:12],
        "accuracy": run["accuracy"][:12],
    }
    text = tables.render(CPU, half)
    assert column_of(text, "cifar-10 s")["vanillaNet"] == "not run"
    assert "cifar-10_vanillaNet-s_sgd_seed0 (11 of 25 epochs)" in text
    assert "0 of 114 trainings are done" in text


@pytest.mark.parametrize("name", SCALES)
def test_the_readme_has_the_tables_of_the_kept_figures(name: str) -> None:
    assert marked(README, f"--scale {name}")[1] == tables.render(SCALES[name], results.load(name))


@pytest.mark.parametrize("name", SCALES)
def test_the_kept_figures_are_of_trainings_that_there_are(name: str) -> None:
    assert set(results.load(name)["runs"]) <= {cell.name for cell in cells(SCALES[name])}


TINY = replace(
    CPU, columns=CPU.columns[:1], others=(), epochs=2, long=3, figures=("cifar-10", "s"), sizes=("s",), seeds=(0,)
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for trainings, with 64 random images for each part of cifar-10."""
    folder, random = tmp_path / "data" / "cpu-cifar-10", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for part in ("training", "validation", "probe"):
        images = random.integers(0, 256, (64, 3, 32, 32), dtype=np.uint8)
        write_probe(folder / f"{part}.npz", images, random.integers(0, 10, 64))
    return tmp_path


def trained(out: Path, chosen: list[Cell], deadline: float | None = None) -> list[int]:
    return train.run_all(chosen, TINY, out / "none", out, "cpu", 1, deadline)


def test_trainings_from_end_to_end(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = cells(TINY)
    chosen = [cell for cell in every if cell.row.name in ("vanillaNet", "sr3Net")]
    assert [(cell.row.name, cell.epochs) for cell in chosen] == [
        ("vanillaNet", 2), ("sr3Net", 2), ("vanillaNet", 3), ("sr3Net", 3)
    ]  # fmt: skip
    assert trained(out, chosen) == [0, 0, 0, 0]
    assert all(results.is_done(out, cell) for cell in chosen)
    short, long = (results.read(out, chosen[0]).until(epochs) for epochs in (2, 3))  # type: ignore[union-attr]
    np.testing.assert_array_equal(short.loss, long.loss[:3])
    text = tables.render(TINY, results.gather(out, every))
    assert column_of(text, "cifar-10 s")["sr3Net"] == f"{max(results.read(out, chosen[1]).until(2).accuracy):.4f}"
    assert column_of(text, "cifar-10 s")["normNet"] == "not run"
    monkeypatch.setattr(train, "run", None)  # nothing is trained a second time
    assert trained(out, [cell for cell in chosen if not results.is_done(out, cell)]) == []


def test_figures_show_what_is_done_and_say_what_is_not(out: Path) -> None:
    done = [of_figure(TINY, "vanillaNet"), of_figure(TINY, "normNet", optimizer="adam")]
    assert trained(out, done) == [0, 0]
    assert figures.draw("7", TINY, out, out / "7.png")
    assert (out / "7.png").read_bytes().startswith(b"\x89PNG")
    drawn = {name: figure(TINY, out) for name, figure in figures.FIGURES.items()}
    assert not figures.draw("6", TINY, out, out / "6.png")
    assert [name for name, figure in drawn.items() if figure is None] == ["6"]
    texts = {name: words(figure) for name, figure in drawn.items() if figure is not None}
    assert "not run: dropNet, normNet, sr1Net, sr2Net, sr3Net" in texts["3"]
    assert "not run: dropNet, normNet, sr1Net" in texts["5"]
    assert {"(a) vanillaNet, conv1", "(a) vanillaNet, fc1", "(b) sr1Net: not run"} <= texts["7"]
    assert {"(a) normNet, fc1", "(b) sr3Net: not run"} <= texts["a-2"]
    assert {"epoch -1", "epoch 0", "epoch 1"} <= texts["a-1"]
    assert "epoch 2" not in texts["a-1"]


def words(figure: Any) -> set[str]:
    """All texts of a figure that can be seen."""
    seen = [axes for axes in figure.axes if axes.get_visible()]
    return {text.get_text() for axes in seen for text in (axes.title, *axes.texts)}


def test_a_training_that_was_stopped_goes_on_to_the_same_end(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = replace(cells(TINY)[0], row=ROWS[1])  # dropNet draws as it trains
    assert trained(out, [cell]) == [0]
    whole = results.read(out, cell)
    (out / cell.name).rename(out / "whole")
    asked = itertools.count()
    monkeypatch.setattr(train, "_stopping", lambda _: next(asked) >= 4)
    assert trained(out, [cell]) == [1]
    assert not results.is_done(out, cell)
    monkeypatch.undo()
    assert trained(out, [cell]) == [0]
    again = results.read(out, cell)
    assert whole is not None
    assert again is not None
    np.testing.assert_array_equal(again.loss, whole.loss)
    np.testing.assert_array_equal(again.accuracy, whole.accuracy)


def test_after_the_deadline_nothing_is_begun(out: Path) -> None:
    cell = cells(TINY)[0]
    assert trained(out, [cell], deadline=0.0) == [1]
    assert not (out / cell.name).exists()


def test_a_training_that_breaks_down_is_told_of_and_the_next_is_done(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks_down(**_: Any) -> None:
        raise TrainingError("epoch 0, step 1: the loss is nan", "Train with a smaller --learning-rate.")

    monkeypatch.setattr(train.rfav_cli, "train", breaks_down)
    assert trained(out, list(cells(TINY)[:2])) == [2, 2]
    assert "cifar-10_vanillaNet-s_sgd_seed0: broke down: epoch 0, step 1: the loss is nan" in capsys.readouterr().out


def test_the_command_lists_what_is_to_be_done(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "--data", "none", "--out", str(out), "--only", "sr3Net-s_sgd_seed0", "--list"]
    monkeypatch.setattr("sys.argv", argv)
    assert train.main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "4 trainings, 4 to be done",
        "cifar-10_sr3Net-s_sgd_seed0, 25 epochs",
        "cifar-100_sr3Net-s_sgd_seed0, 25 epochs",
        "tiny-imagenet_sr3Net-s_sgd_seed0, 25 epochs",
        "cifar-100_sr3Net-s_sgd_seed0, 50 epochs",
    ]


def test_trainings_of_one_folder_never_run_at_once() -> None:
    chosen = cells(CPU)
    waves = list(train._waves(chosen))
    assert [len(wave) for wave in waves] == [len(chosen) - len(ROWS), len(ROWS)]
    assert list(waves[0]) == [cell for cell in chosen if cell.epochs == CPU.epochs]


def numbered(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Images that have their number as their label."""
    return np.zeros((count, 3, 4, 4), np.uint8), np.arange(count)


def labels_of(samples: data_module.Samples) -> list[set[int]]:
    parts = []
    for path in (samples.training, samples.validation, samples.probe):
        with np.load(path) as arrays:
            assert arrays["images"].shape == (len(arrays["labels"]), 4, 4, 3)
            parts.append(set(arrays["labels"].tolist()))
    return parts


def test_the_small_scale_trains_on_some_images_and_on_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_module, "read_data", lambda *_: numbered(10_000))
    samples = data_module.prepare(tmp_path, tmp_path, CPU, "tiny-imagenet")
    training, validation, probe = labels_of(samples)
    assert [len(part) for part in (training, validation, probe)] == [5000, 3000, 1000]
    assert len(training | validation | probe) == 9000
    assert (samples.classes, samples.size) == (30, 32)


def test_the_full_scale_validates_on_the_published_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(data_module, "_read", lambda spec: (asked.append(spec), numbered(3000))[1])
    (tmp_path / "tiny-imagenet" / "tiny-imagenet-200").mkdir(parents=True)
    samples = data_module.prepare(tmp_path, tmp_path, FULL, "tiny-imagenet")
    training, validation, probe = labels_of(samples)
    assert [len(part) for part in (training, validation, probe)] == [2000, 3000, 1000]
    assert not training & probe
    assert [spec.rpartition("#")[2] for spec in asked] == ["train", "val"]
    assert (samples.classes, samples.size) == (200, 64)


def test_the_full_scale_takes_a_held_out_part_of_a_folder_of_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_module, "read_data", lambda *_: numbered(10_000))
    samples = data_module.prepare(tmp_path, tmp_path, FULL, "cifar-100")
    assert [len(part) for part in labels_of(samples)] == [6000, 3000, 1000]
    assert samples.classes == 100


def test_a_cell_of_table_2_is_one_training_a_seed() -> None:
    assert [cell.seed for cell in of_column(CPU, CPU.columns[0], ROWS[0])] == [0, 1, 2]
