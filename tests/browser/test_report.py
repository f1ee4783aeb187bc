"""The page of `rfav report`, opened from the disk in a real browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

import rfav_cli
from rfav_cli import judge, open_store
from tests.browser.conftest import until
from tests.browser.stores import HOSTILE, names_of, write_store

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Watch

DRAWN = ("Layers and epochs", "Mean entropy of each layer", "Heatmaps")


def selected(page: Page) -> tuple[str, str]:
    """(layer, epoch), as the bar says, after making sure that the table and the address agree."""
    layer = page.locator("select option:checked").inner_text()
    assert page.locator(".layers tr.selected th").inner_text() == layer
    return layer, page.locator("output.epoch").inner_text()


def click(page: Page, element: str, across: float, down: float) -> None:
    """Click at shares of an element's width and height."""
    target = page.locator(element)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def downloaded(page: Page, card: str, kind: str) -> bytes:
    """What a view's button gives."""
    with page.expect_download() as waiting:
        page.get_by_role("region", name=card).get_by_role("button", name=kind, exact=True).click()
    path = waiting.value.path()
    assert waiting.value.suggested_filename.endswith(f".{kind.lower()}")
    return Path(path).read_bytes()


def test_it_says_the_verdict_and_starts_where_a_reader_should_look(watch: Watch, report: Path, stores: Path) -> None:
    page = watch.open(report)
    verdict = judge(stores / "first.h5")
    worst = max(verdict.in_state("collapsed"), key=lambda layer: layer.fall_fraction or 0)
    assert verdict.run.figures in page.locator(".verdict").inner_text()
    assert verdict.run.onset
    assert selected(page) == (worst.name, f"epoch {verdict.run.onset.epoch}")
    assert page.locator(".layers tbody tr").count() == 9
    assert page.locator(".map-row canvas").count() == 9
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


MARKS = """(charts) => charts.map((chart) => ({
    ticks: [...chart.querySelectorAll('.axis')].filter((axis) => axis.querySelector('.title')?.textContent === 'epoch')
        .flatMap((axis) => [...axis.querySelectorAll('text:not(.title)')])
        .map((text) => [Number(text.getAttribute('x')), Number(text.textContent)]),
    marks: [...chart.querySelectorAll('.run-onset')].map((mark) => {
        const [line, band] = [mark.querySelector('line'), mark.querySelector('rect')];
        const low = band ? band.x.baseVal.value : line.x1.baseVal.value;
        return [low, line.x1.baseVal.value, line.x2.baseVal.value, low + (band?.width.baseVal.value ?? 0)];
    }),
}))"""
"""Of each chart: (pixel, epoch) of its ticks; the pixels of each onset: where its band begins, its line, its end."""


def test_the_line_of_onset_stands_at_its_epoch(watch: Watch, report: Path, stores: Path) -> None:
    first, second = (judge(stores / f"{name}.h5").run.onset for name in ("first", "second"))
    assert first
    assert second
    assert first != second
    charts = [chart for chart in watch.open(report).locator(".body > svg").evaluate_all(MARKS) if chart["marks"]]
    assert [len(chart["marks"]) for chart in charts] == [1, 2, 1, 1]  # all runs in the curves, else the selected one
    for chart in charts:
        pixels, epochs = np.array(chart["ticks"]).T
        per_pixel, at_0 = np.polyfit(pixels, epochs, 1)
        shown = per_pixel * np.array(chart["marks"]) + at_0
        expected = [[onset.low, onset.epoch, onset.epoch, onset.high] for onset in (first, second)[: len(shown)]]
        np.testing.assert_allclose(shown, expected, atol=0.01)


def test_a_click_selects_everywhere_and_the_address_keeps_it(watch: Watch, report: Path) -> None:
    page = watch.open(report)
    click(page, "section[aria-label='Layers and epochs'] image", 0.99, 0.99)
    assert selected(page) == ("head.fc1", "epoch 10")
    until(page, "location.hash.includes('epoch=10')")
    assert "head.fc1" in page.locator(".facts h2").inner_text()
    click(page, ".map-row[data-layer='2'] canvas", 0.01, 0.5)
    assert selected(page) == (names_of(9)[2], "epoch -1")
    page.get_by_role("button", name="Image 3").click()
    page.get_by_role("button", name="yellow–blue").click()
    until(page, "location.hash.includes('palette=paper')")
    address = page.evaluate("location.hash")
    page.goto("about:blank")
    again = watch.open(report, address)
    assert selected(again) == (names_of(9)[2], "epoch -1")
    assert again.get_by_role("button", name="Image 3").get_attribute("aria-pressed") == "true"
    assert again.get_by_role("button", name="yellow–blue").get_attribute("aria-pressed") == "true"


def test_keys_slider_and_play_go_through_epochs_and_layers(watch: Watch, report: Path) -> None:
    page = watch.open(report, "#epoch=2&layer=3")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowUp", "]"):
        page.keyboard.press(key)
    assert selected(page) == (names_of(9)[2], "epoch 4")
    assert page.get_by_role("button", name="Image 1").get_attribute("aria-pressed") == "true"
    page.locator("input[type=range]").fill("0")
    assert selected(page)[1] == "epoch -1"
    page.keyboard.press("ArrowRight")
    assert selected(page)[1] == "epoch 0"
    page.get_by_role("button", name="Play").click()
    until(page, "document.querySelector('output.epoch').textContent === 'epoch 10'")
    page.get_by_role("button", name="Play").wait_for()
    page.keyboard.press("Home")
    assert selected(page)[1] == "epoch -1"


def test_another_run_is_shown_at_the_layer_of_the_same_name(watch: Watch, report: Path) -> None:
    page = watch.open(report, "#layer=4&epoch=3")
    layer, _ = selected(page)
    page.get_by_role("button", name="second").click()
    assert selected(page) == (layer, "epoch 3")
    assert page.locator(".layers tbody tr").count() == 7
    page.keyboard.press("r")
    assert page.locator(".layers tbody tr").count() == 9


def test_the_table_is_sorted_and_filtered(watch: Watch, report: Path) -> None:
    page = watch.open(report)
    page.get_by_role("button", name="last, nat").click()
    shown = [float(text) for text in page.locator(".layers tbody tr td:nth-child(9)").all_inner_texts()]
    assert shown == sorted(shown)
    page.get_by_role("button", name="last, nat").click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.get_by_role("button", name="here, nat").click()
    page.keyboard.press("End")  # "here" is another epoch, so the order is another one
    shown = [float(text) for text in page.locator(".layers tbody tr td:nth-child(8)").all_inner_texts()]
    assert shown == sorted(shown)
    page.get_by_role("searchbox").fill("HEAD")
    assert page.locator(".layers tbody tr").count() == 1
    assert "1 of 9 layers" in page.locator(".table-tools").inner_text()


def test_the_numbers_of_the_heatmaps_are_those_of_the_store(watch: Watch, report: Path, stores: Path) -> None:
    history = open_store(stores / "first.h5")
    random = np.random.default_rng(5)
    page = watch.open(report)
    for _ in range(5):
        layer, row, image = random.integers(9), random.integers(12), random.integers(6)
        page.evaluate(f"location.hash = 'layer={layer}&epoch={history.epochs[row]}&image={image}'")
        name = history.run.layers[layer].name
        page.locator("figure + figure figcaption", has_text=f"{name}, epoch {history.epochs[row]}").wait_for()
        table = list(csv.DictReader(io.StringIO(downloaded(page, "Heatmaps", "CSV").decode())))
        stored = np.atleast_2d(history.maps(name)[int(row)][image].astype(np.float64))
        cell = table[int(random.integers(len(table)))]
        assert (cell["layer"], cell["image"]) == (name, str(image))
        step = history.run.layers[layer].max_entropy / 254
        assert abs(float(cell["entropy in nats"]) - stored[int(cell["row"]), int(cell["column"])]) <= step / 2 + 1e-6
    assert "steps of ln D / 254" in page.locator(".foot").inner_text()


def test_the_card_says_which_filters_are_dead_and_which_win(watch: Watch, report: Path, stores: Path) -> None:
    history = open_store(stores / "first.h5")
    page = watch.open(report)
    for layer, row in ((0, 11), (6, 11), (6, 2), (3, 11)):
        page.evaluate(f"location.hash = 'layer={layer}&epoch={history.epochs[row]}'")
        name = history.run.layers[layer].name
        page.locator(".facts h2", has_text=name).wait_for()
        page.locator(".winners", has_text=f"(epoch {history.epochs[row]})").wait_for()
        dead, channels = history.dead[row, layer], history.run.layers[layer].channels
        count = 0 if np.isnan(dead) else round(dead * channels)
        words = (
            "n/a" if np.isnan(dead) else f"{count} of {channels}, {dead:.0%}".replace("%", " %") if count else "none"
        )
        assert page.locator("dt:text-is('dead filters') + dd").inner_text() == words
        shares = history.winners(name)[row]
        order = sorted(np.flatnonzero(shares), key=lambda filter_: -shares[filter_])
        lines = page.locator(".winners li").all_inner_texts()
        assert [line.split("\n")[0] for line in lines[:7]] == [f"filter {filter_}" for filter_ in order[:7]]
        assert abs(float(lines[0].split("\n")[1].removesuffix(" %")) - 100 * shares[order[0]]) < 0.06
        assert len(lines) == min(len(order), 8)
        if len(order) > 8:
            assert lines[7].startswith(f"{len(order) - 7} others")


def test_a_store_of_before_has_no_such_figures(watch: Watch, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", names_of(3), epochs=5, without=("activation/",))
    page = watch.open(rfav_cli.report(tmp_path / "rfav.h5", out=tmp_path / "report.html"))
    assert page.locator("dt:text-is('dead filters') + dd").inner_text() == "n/a"
    assert page.locator(".winners").count() == 0


def test_pointing_at_a_map_says_the_value(watch: Watch, report: Path, stores: Path) -> None:
    history = open_store(stores / "first.h5")
    page = watch.open(report, "#layer=0&epoch=4&image=2")
    canvas = page.locator("figure canvas").nth(1)
    canvas.hover(position={"x": 232 * 2.5 / 8, "y": 232 * 5.5 / 8})
    tip = page.locator(".tip").inner_text()
    assert "position 5, 2" in tip
    shown = float(tip.split("position 5, 2")[1].split()[0])
    layer = history.run.layers[0]
    assert abs(shown - float(history.maps(layer.name)[5][2][5, 2])) <= layer.max_entropy / 254 / 2 + 0.005


def test_views_are_downloaded(watch: Watch, report: Path) -> None:
    page = watch.open(report)
    for card in (*DRAWN, "Samples", "Correlation of the filters"):
        drawing = ElementTree.fromstring(downloaded(page, card, "SVG"))
        assert drawing.tag.endswith("svg")
        assert len(list(drawing.iter())) > 10
        assert b"var(" not in ElementTree.tostring(drawing)
        assert "".join(drawing.itertext()).startswith(f"{card}: first")
    curves = ElementTree.fromstring(downloaded(page, "Mean entropy of each layer", "SVG"))
    texts = {text.text for text in curves.iter("{http://www.w3.org/2000/svg}text")}
    assert {"first", "second"} < texts  # the line styles
    assert downloaded(page, "Layers and epochs", "PNG").startswith(b"\x89PNG")
    rows = list(csv.reader(io.StringIO(downloaded(page, "Mean entropy of each layer", "CSV").decode())))
    assert len(rows) == 1 + 9 * 12 + 7 * 9
    rows = list(csv.reader(io.StringIO(downloaded(page, "Samples", "CSV").decode())))
    assert sum(int(row[-1]) for row in rows[1:]) == 12 * 40


def test_nothing_that_a_store_says_runs_or_breaks_the_page(watch: Watch, hostile: Path) -> None:
    page = watch.open(hostile)
    shown = page.locator(".layers tbody th").all_inner_texts()
    assert shown[:2] == [*HOSTILE[:2]]
    assert "\\u202eevil\\u2066\\x1b[31m\\x07" in shown[2]
    assert len(shown) == len(HOSTILE)
    assert page.locator("script").count() == page.locator("script[id], script[type=module]").count()
    assert page.locator(".rfav img, .rfav script").count() == 0
    text = page.evaluate("document.querySelector('.rfav').textContent")
    assert "\u202e" not in text
    assert "\x1b" not in text
    table = downloaded(page, "All layers", "CSV").decode()
    assert [row[0] for row in csv.reader(io.StringIO(table))][4].startswith("'=HYPERLINK")
    ElementTree.fromstring(downloaded(page, "Layers and epochs", "SVG"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("location.hash = 'layer=<img src=x onerror=alert(5)>&epoch=1e9&theme=x&filter=<script>'")
    until(page, "document.querySelector('input[type=search]').value === '<script>'")


def test_maps_of_many_layers_are_drawn_when_they_come_into_sight(watch: Watch, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", names_of(60), epochs=5)
    page = watch.open(rfav_cli.report(tmp_path / "rfav.h5", out=tmp_path / "report.html"), "#layer=59")
    drawn = """[...document.querySelectorAll('.map-row[data-layer] canvas')].map((each, layer) =>
        each.getContext('2d').getImageData(20, 20, 1, 1).data[3] ? layer : -1).filter((layer) => layer >= 0)"""
    until(page, f"{drawn}.includes(59)")
    assert page.evaluate(drawn) == [*range(36, 60)]
    grid = page.locator(".map-grid")
    grid.scroll_into_view_if_needed()
    grid.evaluate("(element) => { element.scrollTop = 0; }")
    until(page, f"{drawn}.includes(0)")
    page.keyboard.press("Home")
    assert grid.evaluate("(element) => element.scrollTop") == 0  # only another layer brings its row back
    page.keyboard.press("ArrowUp")
    assert grid.evaluate("(element) => element.scrollTop") > 0


def test_paper_has_the_maps_near_the_selected_layer_and_all_is_as_wide_as_it(watch: Watch, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", names_of(60), epochs=30)
    page = watch.open(rfav_cli.report(tmp_path / "rfav.h5", out=tmp_path / "report.html"), "#layer=30")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as browsers do, which then wait for nothing
    charts = page.locator(".body > svg")
    assert charts.evaluate_all("(charts) => charts.map((each) => each.clientWidth)") == [664] * 4
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    page.emulate_media(media="print")
    rows = page.locator(".map-row[data-layer]:visible")
    assert rows.evaluate_all("(rows) => rows.map((row) => Number(row.dataset.layer))") == [*range(18, 42)]
    alpha = "querySelector('canvas').getContext('2d').getImageData(20, 20, 1, 1).data[3]"
    assert all(rows.evaluate_all(f"(rows) => rows.map((row) => row.{alpha})"))
    assert page.get_by_text("Layers 19 to 42 of 60").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, "document.querySelector('.body > svg').clientWidth > 1100")


def test_a_dark_page_is_printed_on_white(watch: Watch, report: Path) -> None:
    page = watch.open(report, "#theme=dark")
    page.emulate_media(media="print")
    colours = "[...document.querySelectorAll('.rfav, .card')].map((each) => getComputedStyle(each).backgroundColor)"
    assert set(page.evaluate(colours)) == {"rgb(255, 255, 255)"}
    assert page.evaluate("getComputedStyle(document.querySelector('.rfav')).color") == "rgb(27, 31, 39)"
    assert not page.locator(".transport").is_visible()


def test_it_is_legible_when_narrow_and_dark(watch: Watch, report: Path) -> None:
    watch.page.set_viewport_size({"width": 400, "height": 900})
    page = watch.open(report, "#theme=dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(24, 28, 36)"
