// Axes, and what charts along the epochs share.

import { s } from "./dom.js";
import { toneOf } from "./marks.js";
import { decimals, ticks } from "./numbers.js";

/** A scale from numbers to pixels. */
export function linear(low, high, from, to) {
  const scale = (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  scale.inverse = (pixel) => low + ((pixel - from) / (to - from || 1)) * (high - low);
  return scale;
}

/** Epochs as they are numbered, each with room to both sides. */
export function epochScale(epochs, from, to) {
  const last = epochs.length - 1;
  const before = last ? (epochs[1] - epochs[0]) / 2 : 0.5;
  const after = last ? (epochs[last] - epochs[last - 1]) / 2 : 0.5;
  return linear(epochs[0] - before, epochs[last] + after, from, to);
}

/** For each pixel of a width, the index of the epoch that it belongs to. */
export function epochOfPixel(epochs, width) {
  const scale = epochScale(epochs, 0, width);
  const owners = new Int32Array(width);
  let index = 0;
  for (let x = 0; x < width; x++) {
    const at = scale.inverse(x + 0.5);
    while (index < epochs.length - 1 && Math.abs(epochs[index + 1] - at) <= Math.abs(epochs[index] - at)) index++;
    owners[x] = index;
  }
  return owners;
}

/**
 * A drawing with room for axes.
 *
 * Returns the element, the group to draw in (its origin is the corner of the plot), and the plot's size.
 */
export function frame({ width, height, margin, label }) {
  const { left, right, top, bottom } = { left: 58, right: 14, top: 10, bottom: 30, ...margin };
  const [innerWidth, innerHeight] = [Math.max(width - left - right, 20), Math.max(height - top - bottom, 10)];
  const plot = s("g", { transform: `translate(${left} ${top})` });
  const svg = s("svg", { class: "chart", width, height, role: "img", "aria-label": label }, plot);
  return { svg, plot, width: innerWidth, height: innerHeight, left, top };
}

/** The axis of epochs: whole numbers, and a title at its end. */
export function epochAxis(plot, scale, epochs, width, y, title = "epoch") {
  const wanted = Math.max(2, Math.floor(width / 64));
  const axis = s("g", { class: "axis", transform: `translate(0 ${y})` });
  const [low, high] = [epochs[0], epochs[epochs.length - 1]];
  for (const tick of new Set(ticks(low, high, wanted).map(Math.round))) {
    axis.append(
      s("line", { x1: scale(tick), x2: scale(tick), y2: 4 }),
      s("text", { x: scale(tick), y: 16, "text-anchor": "middle" }, String(tick)),
    );
  }
  if (title) axis.append(s("text", { class: "title", x: width, y: 29, "text-anchor": "end" }, title));
  plot.append(axis);
}

/** The axis of values, with lines across the plot. */
export function valueAxis(plot, scale, low, high, width, { wanted = 4, title = "", text = null, height = 0 } = {}) {
  const values = ticks(low, high, wanted);
  const digits = decimals(values);
  const axis = s("g", { class: "axis" });
  for (const value of values) {
    axis.append(
      s("line", { class: "grid", x2: width, y1: scale(value), y2: scale(value) }),
      s("text", { x: -7, y: scale(value), "text-anchor": "end", "dominant-baseline": "central" }, text ? text(value) : value.toFixed(digits)),
    );
  }
  if (title) axis.append(s("text", { class: "title", transform: `translate(-44 ${height / 2}) rotate(-90)`, "text-anchor": "middle" }, title));
  plot.append(axis);
}

/** A line through points, with gaps where a value is not finite. */
export function path(xs, ys) {
  let text = "";
  let length = 0;
  for (let i = 0; i <= xs.length; i++) {
    if (i < xs.length && Number.isFinite(ys[i])) {
      text += `${length ? "L" : "M"}${xs[i].toFixed(1)} ${ys[i].toFixed(1)}`;
      length += 1;
    } else {
      if (length === 1) text += "h.01"; // a dot, by the round ends of lines
      length = 0;
    }
  }
  return text;
}

/** The area between two lines. */
export function area(xs, lower, upper) {
  const finite = xs.map((_, i) => i).filter((i) => Number.isFinite(lower[i]) && Number.isFinite(upper[i]));
  if (finite.length < 2) return "";
  const forth = finite.map((i) => `${xs[i].toFixed(1)} ${upper[i].toFixed(1)}`);
  const back = finite.reverse().map((i) => `${xs[i].toFixed(1)} ${lower[i].toFixed(1)}`);
  return `M${forth.join("L")}L${back.join("L")}Z`;
}

/** The line of an onset, over the epochs that it lies between; its label is left of it where it would end beyond `right`. */
export function onsetMark(finding, scale, height, dash = "5 3", label = "", right = Infinity) {
  if (finding.onset === null) return null;
  const [low, high] = finding.interval;
  const x = scale(finding.onset);
  return s(
    "g",
    { class: `run-onset tone-${toneOf(finding.state)}` },
    high > low && s("rect", { x: scale(low), y: 0, width: scale(high) - scale(low), height }),
    s("line", { x1: x, x2: x, y1: 0, y2: height, "stroke-dasharray": dash }),
    label && s("text", x + 5 + 7 * label.length > right ? { x: x - 5, y: 11, "text-anchor": "end" } : { x: x + 5, y: 11 }, label),
  );
}

/** The line at the epoch that is selected, which `move(epoch)` puts elsewhere. */
export function epochCursor(scale, height) {
  const line = s("line", { class: "cursor", y1: 0, y2: height });
  line.move = (epoch) => {
    line.setAttribute("x1", scale(epoch));
    line.setAttribute("x2", scale(epoch));
  };
  return line;
}

/** Where the pointer is in the plot of a frame. */
export function place(event, chart) {
  const box = chart.svg.getBoundingClientRect();
  const ratio = chart.svg.getAttribute("width") / (box.width || 1);
  return [(event.clientX - box.left) * ratio - chart.left, (event.clientY - box.top) * ratio - chart.top];
}

/** Call back while the pointer moves over a drawing, leaves it, presses or drags on it. */
export function pointer(chart, { move, leave, press }) {
  chart.svg.addEventListener("pointermove", (event) => {
    move?.(event, ...place(event, chart));
    if (event.buttons & 1) press?.(event, ...place(event, chart));
  });
  chart.svg.addEventListener("pointerleave", () => leave?.());
  chart.svg.addEventListener("pointerdown", (event) => press?.(event, ...place(event, chart)));
}
