// How far each layer's weights are from those of the epoch before: a restart, a frozen layer, a change of the rate.

import { epochAxis, epochCursor, epochScale, frame, linear, path, pointer } from "./chart.js";
import { layerColour } from "./colour.js";
import { hideTip, s, showTip } from "./dom.js";
import { extent, moved, nearest } from "./numbers.js";

const HEIGHT = 210;

/** The curves of the run that is selected, on a scale of powers of ten; what has not moved is on the line at the bottom. */
export function distances(app, body) {
  let parts = null;

  function draw() {
    const { run } = app;
    const courses = run.layers.map((layer) => run.course("distance", layer.index));
    const range = powers(courses.flat());
    if (!range) {
      parts = null;
      body.textContent = "The store has no distances between the weights of its epochs.";
      return;
    }
    const chart = frame({ width: body.clientWidth, height: HEIGHT, margin: { left: 58, right: 24, top: 14, bottom: 36 }, label: `Distance of each layer's weights from those of the epoch before, in ${run.epochs.length} epochs` });
    const x = epochScale(run.epochs, 0, chart.width);
    const y = heights(range, chart.height);
    axis(chart, range, y);
    epochAxis(chart.plot, x, run.epochs, chart.width, chart.height);
    const lines = run.layers.map((layer, i) => s("path", { class: "curve", stroke: layerColour(layer.index, run.layers.length), d: path(run.epochs.map(x), courses[i].map(y)) }));
    const cursor = epochCursor(x, chart.height);
    chart.plot.append(...lines, cursor);
    parts = { chart, lines, cursor };
    react(chart, x, y, courses);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(chart, x, y, courses) {
    const hit = (px, py) => {
      const row = nearest(app.run.epochs, x.inverse(px));
      const off = courses.map((course) => Math.abs(y(course[row]) - py));
      const layer = off.reduce((best, each, i) => (Number.isFinite(each) && (best < 0 || each < off[best]) ? i : best), -1);
      return [row, layer];
    };
    pointer(chart, {
      move: (event, px, py) => {
        const [row, layer] = hit(px, py);
        if (layer < 0) return hideTip();
        showTip(event, app.run.layers[layer].name, [["epoch", String(app.run.epochs[row])], ["from the epoch before", moved(courses[layer][row])]]);
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
    parts.lines.forEach((line, i) => line.classList.toggle("selected", i === app.layer));
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-distances`,
    subject: () => app.run.name,
    svg: () => parts?.chart.svg ?? null,
    rows: () => [
      ["epoch", ...app.run.layers.map((layer) => `distance of the weights from the epoch before: ${layer.name}`)],
      ...app.run.epochs.map((epoch, i) => [epoch, ...app.run.layers.map((layer) => app.run.at("distance", i, layer.index))]),
    ],
  };
}

/** The whole powers of ten around the distances that are not 0; null where there is none at all, one decade for zeros. */
export function powers(values) {
  if (!extent(values)) return null;
  const some = extent(values.filter((value) => value > 0).map(Math.log10)) ?? [-1, 0];
  const [low, high] = [Math.floor(some[0]), Math.ceil(some[1]) + 0]; // no -0
  return [low, Math.max(high, low + 1)];
}

/** From distances to pixels; 0 is at the bottom, apart from the others. */
export function heights([low, high], height) {
  const scale = linear(low, high, height - 14, 0);
  return (value) => (value === 0 ? height : scale(Math.log10(value)));
}

function axis(chart, [low, high], y) {
  const group = s("g", { class: "axis" });
  const step = Math.ceil((high - low) / 6);
  const marks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => 10 ** (low + i * step));
  for (const value of [0, ...marks]) {
    group.append(
      s("line", { class: "grid", x2: chart.width, y1: y(value), y2: y(value) }),
      s("text", { x: -7, y: y(value), "text-anchor": "end", "dominant-baseline": "central" }, moved(value)),
    );
  }
  chart.plot.append(group);
}
