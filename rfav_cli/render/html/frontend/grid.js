// Small heatmaps: a row a layer, a column an epoch.

import { fill, h, name, s, shortened } from "./dom.js";
import { Maps, place } from "./maps.js";
import { spread } from "./numbers.js";

const GAP = 3;
const SMALLEST = 28;
const LARGEST = 58;
const NEAR = 24;

/**
 * The grid; rows are read and drawn when they come into sight. `hover` and `unhover` hear of the pointer.
 *
 * The rows near the selected layer are drawn in any case: paper has no others.
 */
export function mapGrid(app, hover, unhover) {
  const element = h("div", { class: "map-grid" });
  const columnMark = h("div", { class: "column-mark" });
  const printed = h("p", { class: "note printed" });
  let columns = [];
  let rows = [];
  let step = 0;
  let observer = null;
  let scrolledTo = null;
  let later = null;

  /** Lay it out in a width; whether there are heatmaps at all. */
  function draw(width) {
    const { run } = app;
    observer?.disconnect();
    const kind = app.image < 0 ? "mean_map" : "map";
    const first = run.layers.find((layer) => run.has(`${kind}/${layer.index}`));
    const stored = first ? (run.describe(`${kind}/${first.index}`).rows ?? run.epochs.map((_, i) => i)) : [];
    const narrow = width < 560;
    const label = narrow ? 84 : 128;
    const room = Math.max(width - label - 16, 100);
    columns = spread(stored.length, Math.max(2, Math.floor(room / (SMALLEST + GAP)))).map((i) => stored[i]);
    step = Math.min(LARGEST + GAP, Math.floor(room / Math.max(columns.length, 1)));
    rows = run.layers.map((layer) => rowOf(app, layer, columns, step, narrow, hover, unhover));
    element.style.setProperty("--label", `${label}px`);
    element.style.setProperty("--step", `${step}px`);
    element.style.setProperty("--columns", String(columns.length));
    fill(element, h("div", { class: "map-rows" }, heads(), columnMark, rows.map((row) => row.element)), printed);
    const seen = (entries) => entries.forEach((entry) => entry.isIntersecting && rows[entry.target.dataset.layer]?.paint());
    observer = new IntersectionObserver(seen, { rootMargin: "300px" });
    rows.forEach((row) => observer.observe(row.element));
    scrolledTo = null;
    return columns.length > 0;
  }

  function heads() {
    const every = Math.ceil(26 / step);
    const numbers = columns.map((epoch, i) => h("span", { class: "head" }, i % every === 0 ? String(app.run.epochs[epoch]) : ""));
    return h("div", { class: "map-row heads" }, h("span", { class: "row-label" }, "epoch"), h("div", { class: "head-cells" }, numbers));
  }

  function mark() {
    if (!columns.length) return;
    const distance = (i) => Math.abs(columns[i] - app.row);
    const column = columns.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
    columnMark.style.setProperty("--column", String(column)); // not on the grid, whose rows would all be styled anew
    element.querySelectorAll(".head").forEach((head, i) => head.classList.toggle("selected", i === column));
    if (scrolledTo !== app.layer) reach(app.layer);
  }

  /** Bring a row into sight, once: whoever scrolls away from it stays there. */
  function reach(layer) {
    const atOnce = scrolledTo === null; // all is drawn, perhaps for paper; a step does not wait for rows out of sight
    scrolledTo = layer;
    const first = Math.max(0, Math.min(layer - NEAR / 2, rows.length - NEAR));
    rows.forEach((row, i) => {
      const near = i >= first && i < first + NEAR;
      row.element.classList.toggle("selected", i === layer);
      row.element.classList.toggle("far", !near);
      if (near && atOnce) row.paint();
    });
    clearTimeout(later);
    later = setTimeout(() => rows.slice(first, first + NEAR).forEach((row) => row.paint()), 200);
    printed.textContent = rows.length > NEAR ? `Layers ${first + 1} to ${first + NEAR} of ${rows.length}; the page on a screen has all.` : "";
    const chosen = rows[layer].element;
    const [low, high] = [chosen.offsetTop + chosen.offsetHeight - element.clientHeight + 4, chosen.offsetTop - chosen.offsetHeight - 4];
    if (element.scrollHeight > element.clientHeight) element.scrollTop = Math.min(Math.max(element.scrollTop, low), high);
  }

  /** The rows that have been drawn, as a drawing to be downloaded. */
  function drawing() {
    const drawn = rows.filter((row) => row.maps);
    const [left, top] = [130, 22];
    const width = left + columns.length * step;
    const svg = s("svg", { class: "chart", width, height: top + drawn.length * step + 4 });
    columns.forEach((epoch, i) => svg.append(s("text", { class: "title", x: left + (i + 0.5) * step, y: 14, "text-anchor": "middle" }, String(app.run.epochs[epoch]))));
    drawn.forEach((row, i) => {
      svg.append(
        s("text", { class: "row-name", x: left - 8, y: top + (i + 0.5) * step, "text-anchor": "end", "dominant-baseline": "central" }, shortened(row.layer.name, 17)),
        s("image", { href: row.canvas.toDataURL(), x: left, y: top + i * step, width: columns.length * step, height: step }),
      );
    });
    element.append(h("div", { class: "off-screen" }, svg)); // its styles are those of the page
    setTimeout(() => svg.parentNode.remove(), 5000);
    return svg;
  }

  return { element, draw, mark, drawing };
}

function rowOf(app, layer, columns, step, narrow, hover, unhover) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const width = columns.length * step;
  const canvas = h("canvas", { width: Math.round(width * ratio), height: Math.round(step * ratio), role: "img", "aria-label": `Heatmaps of ${layer.name}` });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${step}px`;
  const button = h("button", { type: "button", class: "row-label", onclick: () => app.select({ layer: layer.index }) }, name(layer.name, narrow ? 8 : 14));
  const row = { layer, canvas, maps: null, element: h("div", { class: "map-row", "data-layer": layer.index }, button, canvas) };
  let asked = false;
  row.paint = () => {
    if (asked) return;
    asked = true;
    Maps.read(app.run, layer.index, app.image, (maps) => {
      row.maps = maps;
      if (!maps) return;
      const span = maps.span(app.stretched);
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      columns.forEach((epoch, i) => place(context, maps.canvas(epoch, app.palette, span), i * step + GAP / 2, GAP / 2, step - GAP));
    });
  };
  const columnAt = (event) => Math.min(columns.length - 1, Math.max(0, Math.floor(event.offsetX / step)));
  canvas.addEventListener("click", (event) => app.select({ layer: layer.index, epoch: app.run.epochs[columns[columnAt(event)]] }));
  canvas.addEventListener("pointermove", (event) => {
    const column = columnAt(event);
    const inside = (pixels) => (pixels - GAP / 2) / (step - GAP);
    if (row.maps) hover(event, row.maps, layer, columns[column], inside(event.offsetX - column * step), inside(event.offsetY));
  });
  canvas.addEventListener("pointerleave", unhover);
  return row;
}
