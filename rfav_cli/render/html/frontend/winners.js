// Which filters of a layer are the largest, and at what share of the positions.

import { h, s } from "./dom.js";
import { percent } from "./numbers.js";

const MOST = 8;
const [WIDTH, HEIGHT] = [96, 8];

/** Filters that win anywhere, [filter, share], the most often first. */
export function ranked(shares) {
  return shares.map((share, filter) => [filter, share]).filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

/** A bar for each of the first filters, from 0 to the whole, and what the others have. */
export function winnerBars(order) {
  const shown = order.slice(0, order.length > MOST ? MOST - 1 : MOST);
  const rest = order.slice(shown.length);
  const lines = shown.map(([filter, share]) => [`filter ${filter}`, share]);
  if (rest.length) lines.push([`${rest.length.toLocaleString("en")} others`, rest.reduce((sum, [, share]) => sum + share, 0)]);
  return h("ol", { "aria-label": "Filters by the share of positions at which they are the largest" }, lines.map(([words, share]) => h("li", {}, h("span", {}, words), bar(share), h("span", { class: "number" }, percent(share, 1)))));
}

function bar(share) {
  const width = Math.max(1, Math.min(share, 1) * WIDTH);
  return s("svg", { class: "share", width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, s("rect", { class: "nothing", width: WIDTH, height: HEIGHT, rx: 2 }), s("rect", { class: "bar", width, height: HEIGHT, rx: 2 }));
}
