// The names of layers at the ends of their curves.

import { s, shortened } from "./dom.js";

/** Lines that are named at most where all are. */
export const NAMED = 12;
/** Characters of a name. */
export const LONGEST = 14;
const LINE = 13;

/** A name at the end of each line (`layer`, `values`, `colour`), and none upon another; `y` goes from values to pixels. */
export function nameLines(lines, chart, y) {
  const ends = lines
    .map((line) => ({ line, at: y(line.values.findLast(Number.isFinite) ?? NaN) }))
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
  const places = apart(ends.map(({ at }) => at), chart.height);
  return s(
    "g",
    {},
    ends.map(({ line }, i) => s("text", { class: "line-name", x: chart.width + 8, y: places[i], "dominant-baseline": "central", fill: line.colour }, shortened(line.layer.name, LONGEST))),
  );
}

/** Ascending places moved as far apart as a line of text needs, and none below `height` where they fit above it. */
export function apart(places, height) {
  const moved = [...places];
  for (let i = 1; i < moved.length; i++) moved[i] = Math.max(moved[i], moved[i - 1] + LINE);
  if ((moved.at(-1) ?? 0) <= height) return moved;
  moved[moved.length - 1] = height;
  for (let i = moved.length - 2; i >= 0; i--) moved[i] = Math.min(moved[i], moved[i + 1] - LINE);
  return moved;
}
