// All layers as a table: what charts show, in figures.

import { linear, path } from "./chart.js";
import { fill, h, name, s } from "./dom.js";
import { nats, percent, plain } from "./numbers.js";
import { layerMark, layerTone } from "./marks.js";

const RANK = { collapsed: 0, falling: 1, stable: 2 };
const [SPARK_WIDTH, SPARK_HEIGHT] = [96, 22];

const COLUMNS = [
  { key: "index", text: "#", value: (layer) => layer.index, cell: (layer) => String(layer.index + 1), number: true },
  { key: "name", text: "layer", value: (layer) => layer.name, header: true },
  { key: "kind", text: "kind", value: (layer) => layer.kind },
  { key: "channels", text: "D", value: (layer) => layer.channels, number: true, title: "filters or neurons" },
  { key: "state", text: "state", value: (layer) => RANK[layer.state] ?? 3 },
  { key: "onset", text: "since epoch", value: (layer) => layer.onset ?? Infinity, cell: (layer) => (layer.onset === null ? "–" : String(layer.onset)), number: true },
  { key: "first", text: "first, nat", value: (layer) => layer.entropy.first ?? NaN, number: true, digits: 2 },
  { key: "here", text: "here, nat", value: (layer, app) => app.run.at("entropy", app.row, layer.index), number: true, digits: 2, title: "at the selected epoch" },
  { key: "last", text: "last, nat", value: (layer) => layer.entropy.last ?? NaN, number: true, digits: 2 },
  { key: "fraction", text: "of ln D", value: (layer) => layer.entropy.fraction ?? NaN, cell: (layer) => percent(layer.entropy.fraction ?? NaN), number: true, title: "last entropy as a share of ln D" },
  { key: "trend", text: "trend", value: null },
  { key: "correlation", text: "mean |c|", value: (layer) => layer.correlation.abs_mean ?? NaN, number: true, digits: 2, title: "mean absolute correlation of the filters, last epoch" },
];

/** The table of layers, sorted by a column and filtered by a name. */
export function layerTable(app, body) {
  const filter = h("input", { type: "search", placeholder: "filter by name", "aria-label": "Filter layers by name", oninput: () => app.state.set({ filter: filter.value }) });
  const count = h("span", { class: "note", role: "status" });
  const heads = COLUMNS.map((column) =>
    h("th", { scope: "col", class: column.number ? "number" : null, title: column.title ?? null }, column.value === null ? column.text : h("button", { type: "button", onclick: () => sortBy(column.key) }, column.text)),
  );
  const rows = h("tbody");
  const table = h("table", { class: "layers" }, h("caption", {}, "Every layer: its state, mean entropy in nats, and correlation of its filters"), h("thead", {}, h("tr", {}, heads)), rows);
  fill(body, h("div", { class: "table-tools" }, filter, count), h("div", { class: "table-scroll" }, table));
  const inSight = new Set();
  const observer = new IntersectionObserver((entries) => entries.forEach((entry) => (entry.isIntersecting ? inSight.add(entry.target) : inSight.delete(entry.target))));
  let lines = [];
  let chosen = null;
  let rest = null;

  function sortBy(key) {
    const current = app.state.get("sort");
    app.state.set({ sort: current === key ? `-${key}` : key });
  }

  function draw() {
    lines = app.run.layers.map((layer) => lineOf(app, layer));
    inSight.clear();
    observer.disconnect();
    lines.forEach((line) => observer.observe(line.row));
    chosen = null;
    arrange();
    lines.forEach((line) => follow(line, app));
    mark();
  }

  function arrange() {
    const sort = app.state.get("sort");
    const column = COLUMNS.find((candidate) => candidate.key === sort.replace(/^-/, "") && candidate.value) ?? COLUMNS[0];
    const sign = sort.startsWith("-") ? -1 : 1;
    if (filter.value !== app.state.get("filter")) filter.value = app.state.get("filter");
    const wanted = app.state.get("filter").toLowerCase();
    const shown = lines.filter((line) => line.layer.name.toLowerCase().includes(wanted));
    shown.sort((a, b) => sign * compare(column.value(a.layer, app), column.value(b.layer, app)) || a.layer.index - b.layer.index);
    fill(rows, shown.map((line) => line.row));
    heads.forEach((head, i) => head.setAttribute("aria-sort", COLUMNS[i] !== column ? "none" : sign > 0 ? "ascending" : "descending"));
    count.textContent = shown.length === lines.length ? `${lines.length} layers` : `${shown.length} of ${lines.length} layers`;
  }

  /** Follow the selection: at once where it can be seen, else after the last of several steps. */
  function mark() {
    if (chosen) select(chosen, false);
    chosen = lines[app.layer];
    if (chosen) select(chosen, true);
    for (const line of lines) if (inSight.has(line.row)) follow(line, app);
    clearTimeout(rest);
    rest = setTimeout(() => lines.forEach((line) => follow(line, app)), 150);
    if (/^-?here$/.test(app.state.get("sort"))) arrange();
  }

  return {
    draw,
    arrange,
    mark,
    name: () => `${app.run.name}-layers`,
    rows: () => [
      ["layer", "kind", "channels", "state", "onset", "first in nats", "last in nats", "lowest in nats", "ln D", "share of ln D", "correlation mean", "correlation mean size", "evidence"],
      ...app.run.layers.map((layer) => [layer.name, layer.kind, layer.channels, layer.state ?? "", layer.onset ?? "", layer.entropy.first ?? "", layer.entropy.last ?? "", layer.entropy.lowest ?? "", layer.top, layer.entropy.fraction ?? "", layer.correlation.mean ?? "", layer.correlation.abs_mean ?? "", layer.evidence]),
    ],
  };
}

function compare(a, b) {
  if (typeof a === "string") return a.localeCompare(b);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function select(line, yes) {
  line.row.classList.toggle("selected", yes);
  line.button.setAttribute("aria-pressed", String(yes));
}

function follow(line, app) {
  if (line.epoch === app.epoch) return;
  line.epoch = app.epoch;
  line.here.textContent = plain(app.run.at("entropy", app.row, line.layer.index));
  line.cursor.setAttribute("x1", line.x(app.epoch));
  line.cursor.setAttribute("x2", line.x(app.epoch));
}

function lineOf(app, layer) {
  const x = linear(app.run.epochs[0], app.run.epochs.at(-1), 1, SPARK_WIDTH - 1);
  const cursor = s("line", { class: "cursor", y1: 0, y2: SPARK_HEIGHT });
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => app.select({ layer: layer.index }) }, name(layer.name));
  const here = h("td", { class: "number" });
  const cells = COLUMNS.map((column) => {
    if (column.key === "name") return h("th", { scope: "row" }, button);
    if (column.key === "here") return here;
    if (column.key === "state") return h("td", { class: `state tone-${layerTone(layer.state)}` }, `${layerMark(layer.state)} ${layer.state ?? "no verdict"}`);
    if (column.key === "trend") return h("td", { class: "trend" }, spark(app.run, layer, x, cursor));
    const text = column.cell ? column.cell(layer) : column.number && column.digits ? plain(column.value(layer, app)) : String(column.value(layer, app));
    return h("td", { class: column.number ? "number" : null }, text);
  });
  const row = h("tr", { title: layer.evidence, onclick: () => app.select({ layer: layer.index }) }, cells);
  return { layer, row, here, button, cursor, x };
}

function spark(run, layer, x, cursor) {
  const y = linear(0, layer.top, SPARK_HEIGHT - 2, 2);
  const course = run.course("entropy", layer.index);
  const words = `from ${nats(course[0])} to ${nats(course.at(-1))}`;
  return s(
    "svg",
    { class: "chart spark", width: SPARK_WIDTH, height: SPARK_HEIGHT, role: "img", "aria-label": words },
    s("line", { class: "grid", x1: 0, x2: SPARK_WIDTH, y1: y(layer.top), y2: y(layer.top) }),
    cursor,
    s("path", { class: `sparkline tone-${layerTone(layer.state)}`, d: path(run.epochs.map(x), course.map(y)) }),
  );
}
