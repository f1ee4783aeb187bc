// The page: what stands where.

import { scales, shapes } from "./activations.js";
import { correlation, countBar, distribution } from "./profiles.js";
import { curves, runLegend } from "./curves.js";
import { distances } from "./distances.js";
import { choice, fill, h, name } from "./dom.js";
import { downloads } from "./export.js";
import { heatmaps } from "./heatmaps.js";
import { facts, footer, verdict } from "./words.js";
import { nats } from "./numbers.js";
import { entropyBar, overview } from "./overview.js";
import { layerTable } from "./table.js";
import { transport } from "./transport.js";

/** The page of an application: its element, and how it follows the state. */
export function page(app, manifest) {
  const head = h("header", { class: "head" });
  const words = h("section", { class: "verdict" });
  const bar = transport(app);
  const foot = h("footer", { class: "foot" });
  const layerFacts = h("div", { class: "facts" });
  const settings = controls(app);
  const views = {
    overview: card(app, "Layers and epochs", "Colour: mean entropy as a share of ln D, the most that it can be. ◆ onset of a fall or collapse, and the epochs that it lies between.", overview, { wide: true }),
    curves: card(app, "Mean entropy of each layer", "Band: one deviation over the samples, of the selected layer.", curves, { tools: [settings.unit] }),
    scales: card(app, "Scale", "How large each layer's activation is: the root mean square of its live filters. The entropy falls as it grows.", scales),
    shapes: card(app, "Shape", "The entropy with each filter at unit scale, as a share of ln D: what of it is not scale.", shapes),
    heatmaps: card(app, "Heatmaps", "Entropy at each position of an image. Point at a map to see it over the image.", heatmaps, { wide: true, tools: [settings.scale] }),
    distribution: card(app, "Samples", "Mean entropy of each sample; lines at 5, 25, 50, 75 and 95 % of the samples.", distribution, { tools: [settings.counts[0]], after: true }),
    correlation: card(app, "Correlation of the filters", "Of all pairs of the layer's filters; line: mean.", correlation, { tools: [settings.counts[1]], after: true }),
    distances: card(app, "Change of the weights", "Distance of each layer's weights from those of the epoch before, as a share of their length.", distances, { wide: true }),
    table: card(app, "All layers", "", layerTable, { wide: true }),
  };
  const facing = h("section", { class: "card side", "aria-label": "The selected layer" }, layerFacts);
  const main = h("main", {}, words, views.overview.element, views.curves.element, facing, views.scales.element, views.shapes.element, views.heatmaps.element, views.distribution.element, views.correlation.element, views.distances.element, views.table.element);
  const element = h("div", { class: "page" }, head, bar.element, main, foot);
  const all = Object.values(views).map((card) => card.view);

  function draw() {
    const theme = app.state.get("theme");
    if (theme === "auto") element.parentNode?.removeAttribute("data-theme");
    else element.parentNode?.setAttribute("data-theme", theme);
    document.title = `rfav: ${app.runs.map((run) => run.name).join(", ")}`;
    fill(head, heading(app, settings));
    fill(words, verdict(app));
    fill(foot, footer(app, manifest));
    fill(views.overview.legend, entropyBar(app.palette, 160, ["0", "1 · ln D"]));
    fill(views.curves.legend, runLegend(app));
    fill(views.heatmaps.legend, entropyBar(app.palette, 160, app.stretched ? ["lowest", "highest of the layer"] : ["0", "ln D"]));
    for (const view of [views.distribution, views.correlation]) fill(view.legend, countBar("paper", 110, app.state.get("counts") === "log"));
    bar.draw();
    all.forEach((view) => view.draw());
    fill(layerFacts, facts(app));
    settings.refresh();
  }

  function change(changed) {
    if (changed.has("layer") || changed.has("epoch")) {
      [views.overview, views.curves, views.scales, views.shapes, views.distances, views.table].forEach((view) => view.view.mark());
      bar.mark();
      fill(layerFacts, facts(app));
    }
    if (changed.has("layer") || changed.has("counts")) [views.distribution, views.correlation].forEach((view) => view.view.draw());
    else if (changed.has("epoch")) [views.distribution, views.correlation].forEach((view) => view.view.mark());
    if (changed.has("image") || changed.has("scale")) views.heatmaps.view.draw();
    else if (["layer", "epoch", "order"].some((key) => changed.has(key))) views.heatmaps.view.mark();
    if (changed.has("unit")) views.curves.view.draw();
    if (changed.has("sort") || changed.has("filter")) views.table.view.arrange();
    if (changed.has("scale")) fill(views.heatmaps.legend, entropyBar(app.palette, 160, app.stretched ? ["lowest", "highest of the layer"] : ["0", "ln D"]));
    if (changed.has("counts")) for (const view of [views.distribution, views.correlation]) fill(view.legend, countBar("paper", 110, app.state.get("counts") === "log"));
    settings.refresh();
  }

  function renew(next) {
    manifest = next;
    draw();
  }

  /** Draw for paper, as wide as it is, or for the screen again. */
  function print(on) {
    element.classList.toggle("printing", on);
    draw();
  }

  return { element, draw, change, renew, play: bar.play, stop: bar.stop, print };
}

function card(app, title, note, make, { wide = false, tools = [], after = false } = {}) {
  const body = h("div", { class: "body" });
  const view = make(app, body);
  const legend = h("div", { class: "legend" });
  const head = h("div", { class: "card-head" }, h("div", {}, h("h2", {}, title), note && h("p", { class: "note" }, note)), h("div", { class: "tools" }, legend, tools, downloads(title, view)));
  const element = h("section", { class: wide ? "card wide" : "card", "aria-label": title }, head, body, after && h("p", { class: "note after" }));
  return { element, view, legend };
}

function controls(app) {
  const set = (label, key, options) => choice(label, options, () => app.state.get(key), (value) => app.state.set({ [key]: value }));
  const counts = () => set("Colour of the counts", "counts", [["log", "log"], ["linear", "linear"]]);
  const made = {
    unit: set("Unit", "unit", [["share", "/ ln D"], ["nat", "nats"]]),
    scale: set("Colour scale", "scale", [["shared", "0 to ln D"], ["layer", "per layer"]]),
    counts: [counts(), counts()],
    palette: set("Colours", "palette", [["default", "indigo–yellow"], ["paper", "yellow–blue"]]),
    theme: set("Theme", "theme", [["auto", "auto"], ["light", "light"], ["dark", "dark"]]),
  };
  return { ...made, refresh: () => Object.values(made).flat().forEach((control) => control.refresh()) };
}

function heading(app, settings) {
  const tabs = app.runs.map((run) =>
    h("button", { type: "button", class: "run-tab", "aria-pressed": String(run === app.run), onclick: () => app.choose(run.number) }, h("span", { class: `mark ${run.finding.state}`, "aria-hidden": "true" }), name(run.name)),
  );
  return [
    h("h1", {}, "rfav"),
    app.runs.length > 1 ? h("nav", { class: "runs", "aria-label": "Runs" }, tabs) : h("span", { class: "store" }, name(app.run.document.store)),
    h("div", { class: "settings" }, settings.palette, settings.theme),
  ];
}
