// All layers and epochs at a glance, under the held-out loss.

import { epochAxis, epochCursor, epochOfPixel, epochScale, frame, linear, onsetMark, path, pointer, valueAxis } from "./chart.js";
import { DASHES, css, picture } from "./colour.js";
import { hideTip, s, shortened, showTip } from "./dom.js";
import { layerMark, layerTone, since } from "./marks.js";
import { extent, figureText, nats, nearest, percent, plain } from "./numbers.js";

const ONSETS = { overfitting: "overfitting", diverged: "diverged", broken: "broken" };
const LOSS_HEIGHT = 132;
const GAP = 14;

/** The overview of the run that is selected, drawn into `body`; `rows()` is its table. */
export function overview(app, body) {
  let parts = null;

  function draw() {
    const { run } = app;
    const width = body.clientWidth;
    const withLoss = app.runs.some((run) => extent(run.loss));
    const count = run.layers.length;
    const least = body.closest(".printing") ? 2 : 3; // rows that can be pointed at, or that leave room on the page
    const rowHeight = Math.max(least, Math.min(26, Math.floor(440 / count)));
    const top = withLoss ? LOSS_HEIGHT + GAP : 0;
    const narrow = width < 560;
    const longest = Math.max(...run.layers.map((layer) => layer.name.length));
    const left = Math.min(narrow ? 84 : 170, Math.max(60, 14 + 7 * longest));
    const right = narrow ? 24 : 132;
    const chart = frame({
      width,
      height: top + rowHeight * count + 48,
      margin: { left, right, top: 12, bottom: 36 },
      label: `Mean entropy of ${count} layers in ${run.epochs.length} ${run.unit}s; the table below has the figures. ${run.finding.reason}`,
    });
    const x = epochScale(run.epochs, 0, chart.width);
    if (withLoss) drawLoss(app, chart, x, narrow);
    const strip = s("g", { transform: `translate(0 ${top})` });
    drawStrip(app, strip, chart.width, rowHeight);
    drawNames(app, strip, chart.width, rowHeight, left, narrow);
    run.layers.forEach((layer) => drawOnset(layer, strip, x, rowHeight));
    chart.plot.append(strip);
    const onsetLine = onsetMark(run.finding, x, top + rowHeight * count, "5 3", narrow ? since(run.finding).trim() : onsetWords(run), chart.width + right);
    if (onsetLine) chart.plot.append(onsetLine);
    epochAxis(chart.plot, x, run.epochs, chart.width, top + rowHeight * count, run.unit);
    const cursor = epochCursor(x, top + rowHeight * count);
    const selected = s("rect", { class: "selected-row", x: 0, width: chart.width, height: rowHeight });
    strip.append(selected);
    chart.plot.append(cursor);
    parts = { chart, cursor, selected, rowHeight };
    react(chart, x, top, rowHeight);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(chart, x, top, rowHeight) {
    const at = (px, py) => {
      const epoch = nearest(app.run.epochs, x.inverse(px));
      const layer = Math.floor((py - top) / rowHeight);
      return [epoch, layer >= 0 && layer < app.run.layers.length ? layer : null];
    };
    pointer(chart, {
      move: (event, px, py) => {
        const [epoch, layer] = at(px, py);
        if (px < -chart.left || px > chart.width + 4) return hideTip();
        if (layer === null) showTip(event, `${app.run.unit} ${app.run.epochs[epoch]}`, lossLines(app, epoch));
        else showTip(event, app.run.layers[layer].name, cellLines(app.run, epoch, layer));
      },
      leave: hideTip,
      press: (event, px, py) => {
        const [epoch, layer] = at(px, py);
        app.select({ ...(px >= 0 && { epoch: app.run.epochs[epoch] }), ...(layer !== null && { layer }) });
      },
    });
  }

  function mark() {
    parts.cursor.move(app.epoch);
    parts.selected.setAttribute("y", app.layer * parts.rowHeight);
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-overview`,
    subject: () => app.run.name,
    svg: () => parts.chart.svg,
    rows: () => [
      ["epoch", "loss", "loss smoothed", app.run.figureName ?? "accuracy", "loss with a temperature", "temperature", "confidence", "calibration error", ...app.run.layers.map((layer) => `entropy in nats: ${layer.name}`)],
      ...app.run.epochs.map((epoch, i) => [
        epoch,
        app.run.loss[i],
        app.run.smoothed[i],
        app.run.figure[i],
        app.run.calibrated[i],
        app.run.temperature[i],
        app.run.confidence[i],
        app.run.calibrationError[i],
        ...app.run.layers.map((layer) => app.run.at("entropy", i, layer.index)),
      ]),
    ],
  };
}

function onsetWords(run) {
  return `${ONSETS[run.finding.state] ?? "collapse"}${since(run.finding)}`;
}

function drawLoss(app, chart, x, narrow) {
  const all = app.runs.flatMap((run) => [...run.loss, ...run.smoothed, ...run.calibrated]);
  const [least, most] = extent(all);
  const low = Math.min(0, least);
  const high = most + (most - low) * 0.06;
  const y = linear(low, high, LOSS_HEIGHT, 0);
  const names = new Set(app.runs.map((run) => run.lossName));
  valueAxis(chart.plot, y, low, high, chart.width, { wanted: 3, title: names.size === 1 ? shortened(app.run.lossName, 30) : "held-out loss", height: LOSS_HEIGHT });
  for (const run of [...app.runs].sort((a, b) => (a === app.run) - (b === app.run))) {
    const shown = run.epochs.map((epoch, i) => i).filter((i) => x(run.epochs[i]) >= 0 && x(run.epochs[i]) <= chart.width);
    const xs = shown.map((i) => x(run.epochs[i]));
    const group = s("g", { class: run === app.run ? "loss current" : "loss", "stroke-dasharray": DASHES[run.number % DASHES.length] });
    group.append(
      s("path", { class: "raw", d: path(xs, shown.map((i) => y(run.loss[i]))), "stroke-dasharray": "none" }),
      s("path", { class: "smooth", d: path(xs, shown.map((i) => y(run.smoothed[i]))) }),
    );
    if (run === app.run) drawCalibrated(group, run, shown, xs, y, { right: chart.width, narrow });
    const last = shown.at(-1);
    if (last !== undefined && app.runs.length > 1 && Number.isFinite(run.smoothed[last])) {
      const end = Math.min(x(run.epochs[last]), chart.width);
      const where = narrow ? { x: end, y: y(run.smoothed[last]) - 8, "text-anchor": "end" } : { x: end + 6, y: y(run.smoothed[last]), "dominant-baseline": "central" };
      group.append(s("text", { class: "line-name", ...where }, shortened(run.name, 16)));
    }
    chart.plot.append(group);
  }
}

/** The loss that the run would have with a temperature; how far the loss is above it is overconfidence. */
function drawCalibrated(group, run, shown, xs, y, { right, narrow }) {
  const last = shown.findLast((i) => Number.isFinite(run.calibrated[i]));
  if (last === undefined) return;
  const heights = shown.map((i) => y(run.calibrated[i]));
  group.append(s("path", { class: "calibrated", d: path(xs, heights), "stroke-dasharray": "4 3" }));
  const below = Math.max(...heights.slice(Math.floor(heights.length / 3)).filter(Number.isFinite)) + 15;
  const where = narrow ? { x: right, y: below, "text-anchor": "end" } : { x: right + 6, y: y(run.calibrated[last]), "dominant-baseline": "central" };
  group.append(s("text", { class: "line-name", ...where }, "with a temperature"));
}

function drawStrip(app, strip, width, rowHeight) {
  const { run } = app;
  const pixels = Math.max(1, Math.round(width));
  const owners = epochOfPixel(run.epochs, pixels);
  const canvas = picture(pixels, run.layers.length, app.state.get("palette"), (px, layer) => run.at("entropy", owners[px], layer) / run.layers[layer].top);
  strip.append(
    s("rect", { class: "nothing", width, height: rowHeight * run.layers.length }),
    s("image", { href: canvas.toDataURL(), width, height: rowHeight * run.layers.length, preserveAspectRatio: "none", class: "pixels" }),
  );
  if (rowHeight >= 12) {
    for (let i = 1; i < run.layers.length; i++) strip.append(s("line", { class: "divider", x2: width, y1: i * rowHeight, y2: i * rowHeight }));
  }
}

function drawNames(app, strip, width, rowHeight, left, narrow) {
  const every = Math.ceil(15 / rowHeight);
  for (const layer of app.run.layers) {
    const y = (layer.index + 0.5) * rowHeight;
    const flagged = layer.state === "collapsed" || layer.state === "falling";
    if (layer.index % every === 0) {
      strip.append(s("text", { class: "row-name", x: -9, y, "text-anchor": "end", "dominant-baseline": "central" }, shortened(layer.name, Math.floor((left - 10) / 6.6))));
    }
    if (rowHeight >= 12) {
      const words = narrow ? "" : ` ${layer.state ?? "no verdict"}`;
      strip.append(s("text", { class: `state tone-${layerTone(layer.state)}`, x: width + 8, y, "dominant-baseline": "central" }, `${layerMark(layer.state)}${words}`));
    } else if (flagged) strip.append(s("rect", { class: `state tone-${layerTone(layer.state)}`, x: width + 6, y: y - rowHeight / 2, width: 8, height: Math.max(rowHeight - 0.5, 2) }));
  }
}

function drawOnset(layer, strip, x, rowHeight) {
  if (layer.onset === null) return;
  const y = (layer.index + 0.5) * rowHeight;
  const size = Math.max(1.5, Math.min(5.5, rowHeight / 3));
  const [low, high] = layer.interval;
  const at = x(layer.onset);
  strip.append(
    s(
      "g",
      { class: "onset" },
      high > low && rowHeight >= 12 && s("line", { x1: x(low), x2: x(high), y1: y, y2: y }),
      s("path", { d: `M${at} ${y - size}L${at + size} ${y}L${at} ${y + size}L${at - size} ${y}Z` }),
    ),
  );
}

function cellLines(run, epoch, layer) {
  const value = run.at("entropy", epoch, layer);
  const { top, channels, state, onset } = run.layers[layer];
  return [
    [run.unit, String(run.epochs[epoch])],
    ["mean entropy", nats(value)],
    [`of ln ${channels} = ${nats(top)}`, percent(value / top)],
    state && [state, onset === null ? "" : `since ${run.unit} ${onset}`],
  ].filter(Boolean);
}

function lossLines(app, epoch) {
  const { run } = app;
  return [
    [run.lossName, plain(run.loss[epoch], 3)],
    ["smoothed", plain(run.smoothed[epoch], 3)],
    run.figureName && [run.figureName, figureText(run, run.figure[epoch])],
    ...calibration(run, epoch),
  ].filter(Boolean);
}

/** How sure the net is, where that was measured, and with labels the temperature that it lacks. */
function calibration(run, epoch) {
  return [
    ["confidence", run.confidence, (value) => percent(value, 1)],
    ["calibration error", run.calibrationError, (value) => percent(value, 1)],
    ["temperature", run.temperature, (value) => plain(value)],
    ["loss with it", run.calibrated, (value) => plain(value, 3)],
  ]
    .filter(([, course]) => Number.isFinite(course[epoch]))
    .map(([title, course, text]) => [title, text(course[epoch])]);
}

/** The colour bar of entropies, 0 to ln D. */
export function entropyBar(palette, width, labels) {
  const stops = Array.from({ length: 12 }, (_, i) => s("rect", { x: (i * width) / 12, width: width / 12 + 0.6, height: 10, fill: css(palette, i / 11) }));
  return s(
    "svg",
    { class: "chart bar", width: width + 2, height: 28, role: "img", "aria-label": `Colours from ${labels[0]} to ${labels[1]}` },
    stops,
    s("text", { y: 24 }, labels[0]),
    s("text", { x: width, y: 24, "text-anchor": "end" }, labels[1]),
  );
}
