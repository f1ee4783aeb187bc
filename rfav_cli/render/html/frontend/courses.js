// A figure of each layer over the epochs, in the run that is selected.

import { epochAxis, epochCursor, epochScale, frame, path, pointer } from "./chart.js";
import { layerColour } from "./colour.js";
import { hideTip, s, showTip } from "./dom.js";
import { LONGEST, NAMED, nameLines } from "./linenames.js";
import { nearest } from "./numbers.js";

const HEIGHT = 210;

/**
 * The curves of all layers.
 *
 * `figure` is the block, `words` what it is, `empty` what to say where there is none, `value(number, layer)` what is drawn
 * of it, `text(value)` how that is written, and `axis(values, height)` gives `y`, from values to pixels, and its `marks`,
 * or null where there is nothing to draw.
 */
export function courses(app, body, { figure, words, empty, axis, text, value = (number) => number }) {
  let parts = null;
  const at = (row, layer) => value(app.run.at(figure, row, layer.index), layer);

  function draw() {
    const { run } = app;
    const lines = run.layers.map((layer) => run.epochs.map((_, row) => at(row, layer)));
    const longest = Math.max(0, ...run.layers.map((layer) => Math.min(layer.name.length, LONGEST)));
    const right = run.layers.length > NAMED ? 24 : 16 + 7 * longest;
    const chart = frame({ width: body.clientWidth, height: HEIGHT, margin: { left: 58, right, top: 14, bottom: 36 }, label: `${words} of each layer, in ${run.epochs.length} ${run.unit}s` });
    const scale = axis(lines.flat(), chart.height);
    if (!scale) {
      parts = null;
      body.textContent = empty;
      return;
    }
    const x = epochScale(run.epochs, 0, chart.width);
    marks(chart, scale, text);
    epochAxis(chart.plot, x, run.epochs, chart.width, chart.height, run.unit);
    const named = run.layers.map((layer, i) => ({ layer, values: lines[i], colour: layerColour(layer.index, run.layers.length) }));
    const paths = named.map((line) => s("path", { class: "curve", stroke: line.colour, d: path(run.epochs.map(x), line.values.map(scale.y)) }));
    const cursor = epochCursor(x, chart.height);
    chart.plot.append(...paths, cursor, nameLines(named.length > NAMED ? [] : named, chart, scale.y));
    parts = { chart, paths, cursor };
    react(chart, x, scale.y, lines);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(chart, x, y, lines) {
    const hit = (px, py) => {
      const row = nearest(app.run.epochs, x.inverse(px));
      const off = lines.map((line) => Math.abs(y(line[row]) - py));
      const layer = off.reduce((best, each, i) => (Number.isFinite(each) && (best < 0 || each < off[best]) ? i : best), -1);
      return [row, layer];
    };
    pointer(chart, {
      move: (event, px, py) => {
        const [row, layer] = hit(px, py);
        if (layer < 0) return hideTip();
        showTip(event, app.run.layers[layer].name, [[app.run.unit, String(app.run.epochs[row])], [words, text(lines[layer][row])]]);
      },
      leave: hideTip,
      press: (event, px, py) => {
        const [row, layer] = hit(px, py);
        app.select({ epoch: app.run.epochs[row], ...(layer >= 0 && { layer }) });
      },
    });
  }

  function mark() {
    if (!parts) return;
    parts.cursor.move(app.epoch);
    parts.paths.forEach((line, i) => line.classList.toggle("selected", i === app.layer));
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-${figure}`,
    subject: () => app.run.name,
    svg: () => parts?.chart.svg ?? null,
    rows: () => [
      ["epoch", ...app.run.layers.map((layer) => `${words}: ${layer.name}`)],
      ...app.run.epochs.map((epoch, row) => [epoch, ...app.run.layers.map((layer) => at(row, layer))]),
    ],
  };
}

function marks(chart, scale, text) {
  const group = s("g", { class: "axis" });
  for (const value of scale.marks) {
    const y = scale.y(value);
    group.append(s("line", { class: "grid", x2: chart.width, y1: y, y2: y }), s("text", { x: -7, y, "text-anchor": "end", "dominant-baseline": "central" }, text(value)));
  }
  chart.plot.append(group);
}
