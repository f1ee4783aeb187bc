// How something is distributed in each epoch: filter correlations, and the samples' entropies. A picture of epochs and
// values, and beside it the histogram of the epoch that is selected.

import { epochAxis, epochCursor, epochOfPixel, epochScale, frame, linear, onsetMark, path, pointer, valueAxis } from "./chart.js";
import { css, picture } from "./colour.js";
import { hideTip, s, showTip } from "./dom.js";
import { nats, nearest, percent, plain } from "./numbers.js";

const HEIGHT = 264;
const SIDE = 84;

/** Histograms of the filters' correlation coefficients (Figure 7). */
export function correlation(app, body) {
  return profile(app, body, {
    name: "correlation",
    block: "correlation",
    scale: () => "paper",
    logarithmic: () => app.state.get("counts") === "log",
    title: "correlation coefficient",
    missing: "The store has no correlations of this layer's filters.",
    range: (rows) => {
      let reach = 20;
      for (const row of rows) row.forEach((count, bin) => count && (reach = Math.max(reach, Math.abs(bin - 100))));
      const shown = Math.min(100, Math.ceil((reach * 1.08) / 10) * 10);
      return { first: 100 - shown, last: 100 + shown, low: -(shown + 0.5) / 100, high: (shown + 0.5) / 100 };
    },
    lines: (layer) => [{ class: "quantile middle", values: app.run.course("correlation_mean", layer.index) }],
    words: (bin) => ({ label: "coefficient", value: ((bin - 100) / 100).toFixed(2), of: "pairs of filters" }),
    about: (layer) => `mean ${plain(app.run.at("correlation_mean", app.row, layer.index))}, mean |c| ${plain(app.run.at("correlation_abs_mean", app.row, layer.index))}`,
  });
}

/** Histograms of the samples' mean entropies. */
export function distribution(app, body) {
  return profile(app, body, {
    name: "samples",
    block: "distribution",
    extra: "quantiles",
    scale: () => "paper",
    logarithmic: () => app.state.get("counts") === "log",
    title: "entropy of a sample, nats",
    missing: "The store has no entropies of single samples.",
    range: (rows, layer) => ({ first: 0, last: 63, low: 0, high: layer.top }),
    lines: (layer, quantiles) => [0, 1, 2, 3, 4].map((which) => ({
      class: which === 2 ? "quantile middle" : "quantile",
      values: app.run.epochs.map((_, epoch) => quantiles?.data[(epoch * app.run.layers.length + layer.index) * 5 + which] ?? NaN),
    })),
    words: (bin, layer) => ({ label: "entropy", value: `${((bin * layer.top) / 64).toFixed(2)} to ${nats(((bin + 1) * layer.top) / 64)}`, of: "samples" }),
    about: (layer) => `mean ${nats(app.run.at("entropy", app.row, layer.index))}, deviation ${nats(app.run.at("sample_std", app.row, layer.index))}`,
  });
}

function profile(app, body, kind) {
  let parts = null;
  let asked = 0;

  function draw() {
    const ticket = ++asked;
    const { run } = app;
    return run.withBlocks([kind.block, kind.extra].filter(Boolean), (block, extra = null) => ticket === asked && run === app.run && paint(run, block, extra));
  }

  function paint(run, block, extra) {
    const layer = run.layers[app.layer];
    const rows = block ? Array.from({ length: block.shape[0] }, (_, i) => layerRow(block, i, layer.index)) : [];
    if (!rows.some((row) => row.some(Boolean))) {
      parts = null;
      body.textContent = block ? "There is nothing to count in this layer." : kind.missing;
      return;
    }
    const range = kind.range(rows, layer);
    const width = body.clientWidth;
    const chart = frame({ width, height: HEIGHT, margin: { left: 58, right: SIDE + 14, top: 12, bottom: 36 }, label: `${kind.title} in ${layer.name} over the ${run.unit}s` });
    const x = epochScale(run.epochs, 0, chart.width);
    const y = linear(range.low, range.high, chart.height, 0);
    chart.plot.append(s("rect", { class: "nothing", width: chart.width, height: chart.height }));
    valueAxis(chart.plot, y, range.low, range.high, chart.width, { wanted: 5, title: kind.title, height: chart.height });
    chart.plot.append(drawn(kind, run, block, rows, range, chart));
    for (const line of kind.lines(layer, extra)) chart.plot.append(s("path", { class: line.class, d: path(run.epochs.map(x), line.values.map(y)) }));
    const onsetLine = onsetMark(run.finding, x, chart.height);
    if (onsetLine) chart.plot.append(onsetLine);
    epochAxis(chart.plot, x, run.epochs, chart.width, chart.height, run.unit);
    const cursor = epochCursor(x, chart.height);
    const side = s("g", { transform: `translate(${chart.width + 10} 0)` });
    chart.plot.append(cursor, side);
    parts = { chart, block, rows, range, cursor, side, y, layer };
    react(x, y);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(x, y) {
    const { chart, block, rows, range, layer } = parts;
    pointer(chart, {
      move: (event, px, py) => {
        const value = y.inverse(py);
        const bin = range.first + Math.floor(((value - range.low) / (range.high - range.low)) * (range.last - range.first + 1));
        if (px < 0 || bin < range.first || bin > range.last || px > chart.width + SIDE) return hideTip();
        const epoch = px > chart.width ? app.row : nearest(app.run.epochs, x.inverse(px));
        const row = block.nearestRow(epoch);
        const words = kind.words(bin, layer);
        const total = rows[row].reduce((sum, count) => sum + count, 0);
        showTip(event, `${app.run.unit} ${app.run.epochs[block.rows ? block.rows[row] : row]}`, [
          [words.label, words.value],
          [words.of, `${rows[row][bin].toLocaleString("en")} of ${total.toLocaleString("en")}`],
          ["share", percent(rows[row][bin] / total, 1)],
        ]);
      },
      leave: hideTip,
      press: (event, px) => px >= 0 && px <= chart.width && app.select({ epoch: app.run.epochs[nearest(app.run.epochs, x.inverse(px))] }),
    });
  }

  function mark() {
    if (!parts) return;
    const { block, rows, range, cursor, side, y, layer } = parts;
    cursor.move(app.epoch);
    const row = rows[block.nearestRow(app.row)].subarray(range.first, range.last + 1);
    const most = row.reduce((high, count) => Math.max(high, count), 1);
    const shown = kind.logarithmic() ? (count) => Math.log1p(count) / Math.log1p(most) : (count) => count / most;
    const step = Math.abs(y(range.high) - y(range.low)) / row.length;
    side.replaceChildren(
      ...Array.from(row, (count, i) => count && s("rect", { class: "bar", x: 0, width: Math.max(1, shown(count) * (SIDE - 4)), y: y(range.low) - (i + 1) * step, height: Math.max(step - 0.4, 0.7) })).filter(Boolean),
      s("line", { class: "base", y1: y(range.low), y2: y(range.high) }),
      s("text", { class: "title", x: 0, y: y(range.low) + 16 }, `${app.run.unit} ${app.epoch}`),
    );
    body.nextElementSibling?.replaceChildren(`${app.run.unit} ${app.epoch}: ${kind.about(layer)}`);
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-${app.run.layers[app.layer].name}-${kind.name}`,
    subject: () => `${app.run.name}, ${app.run.layers[app.layer].name}`,
    svg: () => parts?.chart.svg,
    rows: async () => {
      const { block, rows, layer } = parts;
      const header = ["layer", "epoch", kind.title, "count"];
      return [header, ...rows.flatMap((row, i) => Array.from(row, (count, bin) => [layer.name, app.run.epochs[block.rows ? block.rows[i] : i], kind.words(bin, layer).value, count]))];
    },
  };
}

function layerRow(block, row, layer) {
  const [, , bins] = block.shape;
  return block.row(row).subarray(layer * bins, (layer + 1) * bins);
}

function drawn(kind, run, block, rows, range, chart) {
  const pixels = Math.max(1, Math.round(chart.width));
  const owners = epochOfPixel(run.epochs, pixels);
  const bins = range.last - range.first + 1;
  const logarithmic = kind.logarithmic();
  const most = logarithmic ? highest(rows) : high(rows); // beside one full bin all others would be pale
  const scaled = logarithmic ? Math.log1p : Number;
  const unit = 1 / scaled(most);
  const rowOfPixel = Array.from(owners, (epoch) => rows[block.nearestRow(epoch)]);
  const canvas = picture(pixels, bins, kind.scale(), (px, i) => scaled(rowOfPixel[px][range.last - i] || NaN) * unit);
  return s("image", { href: canvas.toDataURL(), width: chart.width, height: chart.height, preserveAspectRatio: "none", class: "pixels" });
}

function highest(rows) {
  let most = 1;
  for (const row of rows) for (const count of row) if (count > most) most = count;
  return most;
}

/** The count that one in a hundred bins is above, of those that are not empty. */
function high(rows) {
  const counts = new Uint32Array(rows.reduce((size, row) => size + row.length, 0));
  rows.forEach((row, i) => counts.set(row, i * row.length));
  counts.sort();
  const empty = counts.findIndex(Boolean);
  return counts[Math.floor(empty + 0.99 * (counts.length - empty))] ?? 1;
}

/** The colour bar of counts. */
export function countBar(scale, width, logarithmic) {
  const stops = Array.from({ length: 12 }, (_, i) => s("rect", { x: (i * width) / 12, width: width / 12 + 0.6, height: 10, fill: css(scale, i / 11) }));
  return s(
    "svg",
    { class: "chart bar", width: width + 2, height: 28, role: "img", "aria-label": "Colours from few to many" },
    stops,
    s("text", { y: 24 }, "few"),
    s("text", { x: width, y: 24, "text-anchor": "end" }, logarithmic ? "many (log)" : "many"),
  );
}
