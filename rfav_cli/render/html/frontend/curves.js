// Mean entropy of each layer over the epochs, of one run or several.

import { area, epochAxis, epochCursor, frame, linear, onsetMark, path, pointer, valueAxis } from "./chart.js";
import { DASHES, layerColour } from "./colour.js";
import { hideTip, s, shortened, showTip } from "./dom.js";
import { LONGEST, NAMED, nameLines } from "./linenames.js";
import { extent, nats, nearest, percent } from "./numbers.js";

const HEIGHT = 320;
const NAMED_OF_MANY = 5;

/** The curves of all runs; the selected layer has the band of one deviation over the samples. */
export function curves(app, body) {
  let parts = null;

  function draw() {
    const width = body.clientWidth;
    const nat = app.state.get("unit") === "nat";
    const lines = collect(app, nat);
    const named = namedLines(app, lines);
    const longest = Math.max(0, ...named.map((line) => Math.min(line.layer.name.length, LONGEST)));
    const chart = frame({
      width,
      height: HEIGHT,
      margin: { right: 16 + 7 * longest, left: 58, top: 14, bottom: 36 },
      label: `Mean entropy of each layer over the epochs of ${app.runs.length} run${app.runs.length > 1 ? "s" : ""}; the table below has the figures.`,
    });
    const epochs = [...new Set(app.runs.flatMap((run) => run.epochs))].sort((a, b) => a - b);
    const x = linear(epochs[0], epochs.at(-1) + (epochs.length > 1 ? 0 : 1), 0, chart.width);
    const high = nat ? (extent(lines.flatMap((line) => line.values)) ?? [0, 1])[1] * 1.04 : 1;
    const y = linear(0, high, chart.height, 0);
    const title = nat ? "mean entropy, nats" : "mean entropy / ln D";
    valueAxis(chart.plot, y, 0, high, chart.width, { wanted: 5, title, height: chart.height, text: nat ? null : (value) => percent(value) });
    epochAxis(chart.plot, x, epochs, chart.width, chart.height, app.run.unit);
    for (const run of app.runs) {
      const onsetLine = onsetMark(run.finding, x, chart.height, app.runs.length > 1 ? DASHES[run.number % DASHES.length] : "5 3");
      if (onsetLine) chart.plot.append(onsetLine);
    }
    const band = s("path", { class: "band" });
    const cursor = epochCursor(x, chart.height);
    chart.plot.append(band);
    for (const line of lines) {
      line.path = s("path", { class: "curve", stroke: line.colour, "stroke-dasharray": line.dash, d: path(line.run.epochs.map(x), line.values.map(y)) });
      chart.plot.append(line.path);
    }
    const dot = s("circle", { class: "dot", r: 4 });
    chart.plot.append(cursor, dot, nameLines(named, chart, y));
    parts = { chart, lines, band, cursor, dot, x, y, nat };
    react(chart, x, y, lines);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(chart, x, y, lines) {
    const nearestLine = (px, py) => {
      let best = null;
      for (const line of lines) {
        const index = nearest(line.run.epochs, x.inverse(px));
        const distance = Math.abs(y(line.values[index]) - py);
        if (Number.isFinite(distance) && (best === null || distance < best.distance)) best = { line, index, distance };
      }
      return best;
    };
    pointer(chart, {
      move: (event, px, py) => {
        const hit = nearestLine(px, py);
        highlight(hit && hit.distance < 24 ? hit.line : null);
        if (!hit || px < -4 || px > chart.width + 4) return hideTip();
        const { line, index } = hit;
        const value = line.run.at("entropy", index, line.layer.index);
        const deviation = line.run.at("sample_std", index, line.layer.index);
        showTip(event, app.runs.length > 1 ? `${line.layer.name} · ${line.run.name}` : line.layer.name, [
          [line.run.unit, String(line.run.epochs[index])],
          ["mean entropy", nats(value)],
          [`of ln ${line.layer.channels}`, percent(value / line.layer.top)],
          ...(Number.isFinite(deviation) ? [["deviation over samples", nats(deviation)]] : []),
        ]);
      },
      leave: () => {
        hideTip();
        highlight(null);
      },
      press: (event, px, py) => {
        const hit = nearestLine(px, py);
        const epoch = app.run.epochs[nearest(app.run.epochs, x.inverse(px))];
        const layer = hit && hit.distance < 24 ? app.run.layers.findIndex((layer) => layer.name === hit.line.layer.name) : -1;
        app.select({ epoch, ...(layer >= 0 && { layer }) });
      },
    });
  }

  function highlight(line) {
    for (const part of parts.lines) part.path.classList.toggle("hovered", part === line);
  }

  function mark() {
    const { lines, band, cursor, dot, x, y, nat } = parts;
    cursor.move(app.epoch);
    let chosen = null;
    for (const line of lines) {
      const here = line.layer.name === app.run.layers[app.layer].name;
      line.path.classList.toggle("selected", here);
      if (here && line.run === app.run) chosen = line;
    }
    if (!chosen) return;
    if (dot.previousSibling !== chosen.path) dot.before(chosen.path); // drawn last of all
    const factor = nat ? 1 : 1 / chosen.layer.top;
    const spread = chosen.run.course("sample_std", chosen.layer.index);
    const edge = (sign) => chosen.values.map((value, i) => y(Math.max(value + sign * spread[i] * factor, 0)));
    band.setAttribute("d", area(chosen.run.epochs.map(x), edge(-1), edge(1)));
    band.setAttribute("fill", chosen.colour);
    const at = chosen.values[app.row];
    dot.setAttribute("visibility", Number.isFinite(at) ? "visible" : "hidden");
    dot.setAttribute("cx", x(app.epoch));
    dot.setAttribute("cy", Number.isFinite(at) ? y(at) : 0);
    dot.setAttribute("fill", chosen.colour);
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-entropy`,
    subject: () => app.runs.map((run) => run.name).join(", "),
    svg: () => parts.chart.svg,
    rows: () => [
      ["run", "layer", "channels", "epoch", "mean entropy in nats", "deviation over samples in nats"],
      ...app.runs.flatMap((run) =>
        run.layers.flatMap((layer) =>
          run.epochs.map((epoch, i) => [run.name, layer.name, layer.channels, epoch, run.at("entropy", i, layer.index), run.at("sample_std", i, layer.index)]),
        ),
      ),
    ],
  };
}

function collect(app, nat) {
  return app.runs.flatMap((run) =>
    run.layers.map((layer) => ({
      run,
      layer,
      colour: layerColour(layer.index, run.layers.length),
      dash: DASHES[run.number % DASHES.length],
      values: run.course("entropy", layer.index).map((value) => (nat ? value : value / layer.top)),
    })),
  );
}

function namedLines(app, lines) {
  const own = lines.filter((line) => line.run === app.run);
  if (own.length <= NAMED) return own;
  const flagged = own.filter((line) => line.layer.state === "collapsed").sort((a, b) => b.layer.fall.fraction - a.layer.fall.fraction);
  return flagged.slice(0, NAMED_OF_MANY);
}

/** Which line style is which run. */
export function runLegend(app) {
  if (app.runs.length < 2) return [];
  return app.runs.map((run) =>
    s(
      "svg",
      { class: "chart key", width: 40 + 7 * Math.min(run.name.length, 24), height: 16, role: "img", "aria-label": run.name },
      s("line", { class: "curve", x1: 1, x2: 30, y1: 8, y2: 8, "stroke-dasharray": DASHES[run.number % DASHES.length] }),
      s("text", { x: 36, y: 8, "dominant-baseline": "central" }, shortened(run.name, 24)),
    ),
  );
}
