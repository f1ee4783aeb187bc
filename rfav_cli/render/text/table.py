"""`--format table`: what a person reads in a terminal or a log, a row a layer or a row an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from rfav_cli.records import Settings
from rfav_cli.records.tasks import CROSS_ENTROPY
from rfav_cli.records.units import in_unit
from rfav_cli.render.base import count, entropies, shorten, sparkline
from rfav_cli.render.document import show_document
from rfav_cli.render.epoch_figures import NOTE, epoch_figures
from rfav_cli.render.remarks import LONGEST, headline, remarks, set_in
from rfav_cli.render.states import LAYER_STATES, STYLES, certainty
from rfav_cli.render.text_table import TextColumn, text_table
from rfav_cli.text import figure, printable, span, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from rich.table import Table

    from rfav_cli.records import History, ProbeRecord, Verdict
    from rfav_cli.render.base import Screen

NOT_APPLICABLE = "n/a"
NOT_FINITE = "not finite"
HEAD = "{:<17}  {}"
GAP = 2
PATH = 12
"""Cells that a path in the head has at least."""
LARGE = 1e6
"""Figures from which on digits after the point say nothing."""
TREND = 8
"""Cells that a trend has at least; it takes what is left over, up to one an epoch."""
LAYER_STYLES: dict[str, str] = {state: STYLES[tone] for state, (tone, _) in LAYER_STATES.items()}
"""State of a layer -> how it is shown."""
GIVEN_UP = ("kind", "corr", "|corr|", "lowest", "D", "first", "dead", "rank", "of max", "scale", "shape")
"""Columns in the order in which they are left out."""
OF_ACTIVATIONS = {
    "scale": "how large the activation is",
    "shape": "its entropy with each filter at unit scale / ln D",
    "rank": "effective rank after the nonlinearity / D",
    "dead": "share of dead filters",
}
"""Columns that a store may lack, and what they are."""
OF_LAST_EPOCH = {
    **OF_ACTIVATIONS,
    "corr": "mean correlation of the filters",
    "|corr|": "mean absolute correlation of the filters",
}
NARROWER = (
    (GAP, frozenset[str]()),
    (1, frozenset[str]()),
    *((1, frozenset(GIVEN_UP[:count])) for count in range(1, len(GIVEN_UP) + 1)),
)
"""What is given up in turn, for names and trends to stay legible: (blanks between columns, columns left out)."""


def render(history: History, verdict: Verdict, *, epochs: bool, screen: Screen) -> str:
    """Text that fits the screen: the run, the verdict, layers or epochs, and remarks."""
    console = screen.console()
    for line in _head(history, screen):
        console.print(Text(line))
    console.print(
        "", headline(verdict.run, len(verdict.doubts)), Text(printable(verdict.run.beside_state, LONGEST)), sep="\n"
    )
    if sure := certainty(verdict.run):
        console.print(Text(sure, style="dim"))
    if history.checkpoints and history.run.layers:
        table, notes = _epoch_table(history, verdict, screen) if epochs else _layer_table(history, verdict, screen)
        console.print("", table, "", *(Text(in_unit(note, history.unit), style="dim") for note in notes), sep="\n")
    for title, items in remarks(history, verdict):
        console.print("", Text(title, style="bold"), *(set_in("  ", item, console, 4) for item in items), sep="\n")
    return screen.printed(console)


def _head(history: History, screen: Screen) -> Iterator[str]:
    """Store, probes, and the course of the held-out loss and accuracy and of the gap in confidence."""
    probe, epochs = history.run.probe, [checkpoint.epoch for checkpoint in history.checkpoints]
    when = f" ({span(epochs)})" if epochs else ""
    measured = f": {count(len(epochs), history.unit)}{when}, {count(len(history.run.layers), 'layer')}"
    yield _with_path("", history.path, measured, screen)
    size, digest = f"probe: {count(probe.size, 'sample')}{_inputs(probe)}", f", sha256 {printable(probe.sha256)[:8]}"
    yield _with_path(f"{size} of ", probe.source, digest, screen) if probe.source else size + digest
    if (train_probe := history.run.train_probe) is not None:
        size = f"training samples: {train_probe.size:,} of "
        yield _with_path(size, train_probe.source, f", sha256 {printable(train_probe.sha256)[:8]}", screen)
    yield from _unusual(history.run.settings)
    yield from _held_out(history, epochs, screen)
    if history.run.train_probe is not None and _has_confidences(history):
        gap = _course(history.confidence_gap, epochs, np.nanargmax, "{:.3f}", screen, history.unit)
        yield HEAD.format("confidence gap", gap or NOT_APPLICABLE)


def _inputs(probe: ProbeRecord) -> str:
    """The inputs of a sample, where there are several."""
    names = printable(", ".join(probe.inputs), 200)
    padding = f"; padding by {printable(probe.padding, 80)} is left out" if probe.padding else ""
    return f" ({names}{padding})" if names else ""


def _held_out(history: History, epochs: Sequence[int], screen: Screen) -> Iterator[str]:
    if not history.labelled:
        yield "held-out loss and accuracy: not measured, the probe has no labels"
        return
    absent = NOT_FINITE if epochs and "probe/sample_prediction" in history.columns else NOT_APPLICABLE
    loss_words, unit = printable(history.loss_words, 60), history.unit
    yield HEAD.format(loss_words, _course(history.loss, epochs, np.nanargmin, "{:.3f}", screen, unit) or absent)
    if history.figure_name:
        form = "{:.1%}" if history.has_accuracy else "{:.3f}"
        usual = _course(history.figure, epochs, np.nanargmax, form, screen, unit)
        yield HEAD.format(f"held-out {history.figure_name}", usual or absent)
    if epochs and np.isfinite(history.temperature[-1]):
        sure, error = history.confidence[-1], history.calibration_error[-1]
        yield HEAD.format("calibration", f"confidence {sure:.1%}, error {error:.1%}")
        temperature, calibrated = history.temperature[-1], history.calibrated_loss[-1]
        worth = "the loss goes to" if calibrated < history.loss[-1] else "no lower loss:"
        yield HEAD.format("temperature", f"{figure(temperature, '{:.2f}')}, {worth} {figure(calibrated)}")


def _with_path(before: str, path: str, after: str, screen: Screen) -> str:
    """A line that the beginning of its path gives way to."""
    return before + shorten(path, max(screen.width - len(before) - len(after), PATH), screen) + after


def _course(
    values: NDArray[np.float64], epochs: Sequence[int], best: Callable[..., Any], form: str, screen: Screen, unit: str
) -> str:
    """A figure of the whole net in the first epoch, the best one and the last, and its curve; empty without any."""
    values = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all():
        return ""
    if len(values) == 1:
        return _text(values[0], form)
    index = int(best(values))
    arrow = " → " if screen.unicode else " -> "
    first, last = (_text(values[i], form, NOT_FINITE) for i in (0, -1))
    text = arrow.join((first, f"{_text(values[index], form)} ({unit} {epochs[index]})", last))
    room = screen.width - len(HEAD.format("", text)) - 2
    if room < TREND:
        return text
    return f"{text}  {sparkline(values, float(np.nanmin(values)), float(np.nanmax(values)), room, screen)}"


def _unusual(settings: Settings) -> Iterator[str]:
    """Settings that make the figures others than the default's."""
    if settings.task not in ("", "classes") or settings.loss != CROSS_ENTROPY:
        task = f"task {settings.task}" if settings.task else "no labels"
        yield f"{task}, loss {printable(settings.loss, 60)} (--task, --loss)"
    if settings.with_bias:
        yield "activations with the layer's bias (--with-bias)"
    if not settings.fold_norm:
        yield "activations before the normalisation that follows, where scale is free (--no-fold-norm)"
    if settings.centering != Settings.centering:
        yield f"filters centred otherwise (--centering {printable(settings.centering)})"
    if settings.weights:
        yield f"weights of each checkpoint: {printable(settings.weights)} (--weights)"


def _layer_table(history: History, verdict: Verdict, screen: Screen) -> tuple[Table, list[str]]:
    rows, values = show_document(history, verdict)["layers"], entropies(history)
    names = TextColumn("layer", tuple(screen.encodable(whole(row["name"])) for row in rows), "left")
    columns = _layer_columns(rows, [checkpoint.epoch for checkpoint in history.checkpoints], values, screen)
    trend = max(len("trend"), min(TREND, len(values)))
    for gap, dropped in NARROWER:
        fitting = [column for column in columns if column.title not in dropped]
        room = screen.width - sum(column.width + gap for column in fitting) - gap
        if room >= trend + min(names.width, 12 if dropped else 24):
            break
    width = min(names.width, max(room - trend, len("layer")))
    lines = [
        sparkline(curve, 0.0, layer.max_entropy, max(room - width, 1), screen)
        for curve, layer in zip(values.T, history.run.layers, strict=True)
    ]
    first = TextColumn("layer", tuple(shorten(name, width, screen) for name in names.cells), "left")
    notes = [_note({column.title for column in fitting})]
    if dropped:
        left_out = [column.title for column in columns if column.title in dropped]
        notes.append(f"Left out at this width: {', '.join(left_out)}; --format json and csv have all.")
    return text_table([first, *fitting, TextColumn("trend", tuple(lines), "left", style="cyan")], gap, _style), notes


def _note(shown: set[str]) -> str:
    """What the columns are that are shown."""
    entropy = ["Entropy in nats, mean over held-out samples and positions"]
    entropy += ["lowest @ its epoch"] * ("lowest" in shown) + ["of max: last / ln D"] * ("of max" in shown)
    last = [f"{name}: {what}" for name, what in OF_LAST_EPOCH.items() if name in shown]
    of_last = f" Of the last epoch: {'; '.join(last)}." if last else ""
    return f"State @ its onset. {'; '.join([*entropy, 'trend: from 0 to ln D'])}.{of_last}"


def _layer_columns(
    rows: list[dict[str, Any]], epochs: list[int], values: NDArray[np.float64], screen: Screen
) -> list[TextColumn]:
    """The columns between the layer's name and its trend."""
    entropy, correlation = [row["entropy"] for row in rows], [row["correlation"] for row in rows]
    at = [epochs[i] for i in np.argmin(np.where(np.isfinite(values), values, np.inf), axis=0)]
    lowest = (
        NOT_APPLICABLE if cell["lowest"] is None else f"{_text(cell['lowest'])} @{epoch}"
        for cell, epoch in zip(entropy, at, strict=True)
    )
    columns = [
        TextColumn("kind", tuple(shorten(row["kind"], 15, screen) for row in rows), "left"),
        TextColumn("D", tuple(str(row["channels"]) for row in rows)),
        TextColumn("state", tuple(_state(row) for row in rows), "left"),
        TextColumn("first", tuple(_text(cell["first"]) for cell in entropy)),
        TextColumn("last", tuple(_text(cell["last"]) for cell in entropy)),
        TextColumn("lowest", tuple(lowest)),
        TextColumn("of max", tuple(_text(cell["fraction"], "{:.0%}") for cell in entropy)),
        TextColumn("scale", tuple(_scale(row["scale"]) for row in rows)),
        TextColumn("shape", tuple(_text(row["shape"]["fraction"], "{:.0%}") for row in rows)),
        TextColumn("rank", tuple(_text(row["rank"]["fraction"], "{:.0%}") for row in rows)),
        TextColumn("dead", tuple(_text(row["dead"], "{:.0%}") for row in rows)),
        TextColumn("corr", tuple(_text(cell["mean"]) for cell in correlation)),
        TextColumn("|corr|", tuple(_text(cell["abs_mean"]) for cell in correlation)),
    ]
    return [c for c in columns if c.title not in OF_ACTIVATIONS or {*c.cells} != {NOT_APPLICABLE}]


def _scale(value: float | None) -> str:
    """A scale, which may be of any size, in three digits."""
    return _text(value, "{:.3g}" if value is not None and (value < 1e-3 or value >= 100) else "{:.2f}")


def _state(row: dict[str, Any]) -> str:
    """A layer's state, and since when."""
    if row["state"] is None:
        return NOT_APPLICABLE
    if row["onset"] is None:
        return str(row["state"])
    return f"{row['state']} @{'<=' if row['at_or_before'] else ''}{row['onset']}"


def _epoch_table(history: History, verdict: Verdict, screen: Screen) -> tuple[Table, list[str]]:
    """A row an epoch; of many layers the last ones, as many as fit."""
    document, values = show_document(history, verdict), entropies(history)
    rows = document["epochs"]
    figures = list(epoch_figures(document))
    columns = [
        TextColumn(history.unit, tuple(str(row["epoch"]) for row in rows)),
        *(TextColumn(title, tuple(cell or NOT_APPLICABLE for cell in cells)) for title, cells in figures),
    ]
    notes = ["Mean entropy of each layer, in nats.", *([NOTE] if len(figures) > 2 else [])]
    if history.run.train_probe is not None:
        of_training = [("trained", "confidence"), ("gap", "gap")]
        note = "trained: mean confidence on training samples; gap: how much higher than on held-out ones."
        if not _has_confidences(history):
            of_training, note = [("trained", "loss")], "trained: the loss on training samples."
        columns += [
            TextColumn(title, tuple(_text(row["train"][name], "{:.3f}") for row in rows)) for title, name in of_training
        ]
        notes.append(note)
    layers = [
        TextColumn(shorten(layer.name, 12, screen), tuple(_text(value) for value in curve))
        for layer, curve in zip(history.run.layers, values.T, strict=True)
    ]
    room, shown = screen.width - sum(column.width for column in columns) - GAP * (len(columns) - 1), 0
    for layer in reversed(layers):
        room -= layer.width + GAP
        if room < 0:
            break
        shown += 1
    if shown < len(layers):
        few = f"The last {shown} of" if shown else "No room for"
        notes.append(f"{few} {count(len(layers), 'layer')}; --format csv has all.")
    return text_table(columns + layers[len(layers) - shown :], GAP, _style), notes


def _has_confidences(history: History) -> bool:
    """Whether the net's output is of a task in which it can be sure of something."""
    return history.has_accuracy or bool(np.isfinite(history.train_confidence).any())


def _style(cell: str) -> str:
    """How a cell is shown: states by what they mean, as the verdict above the table."""
    return "dim" if cell == NOT_APPLICABLE else LAYER_STYLES.get(cell.partition(" @")[0], "")


def _text(value: float | None, form: str = "{:.2f}", absent: str = NOT_APPLICABLE) -> str:
    if value is None or not np.isfinite(value):
        return absent
    return form.format(value) if abs(value) < LARGE else f"{value:.3g}"
