// What is said in words: the verdict, the selected layer, and what the page leaves out.

import { size } from "./activations.js";
import { fill, h, name } from "./dom.js";
import { layerMark, layerTone, markOf, since, toneOf } from "./marks.js";
import { lastLoss, moved, nats, percent, plain } from "./numbers.js";
import { ranked, winnerBars } from "./winners.js";

/** The verdict on the run that is selected, and its key figures. */
export function verdict(app) {
  const { run } = app;
  const { finding } = run;
  const between = finding.interval && finding.interval[0] !== finding.interval[1] ? `between ${finding.interval.join(" and ")}` : "";
  const more = [finding.kind, between].filter(Boolean).join(", ");
  return [
    h("div", { class: "finding" }, h("p", { class: `verdict-state tone-${toneOf(finding.state)}` }, h("span", { class: "badge", "aria-hidden": "true" }, markOf(finding.state)), h("strong", {}, `${finding.state}${since(finding)}`), h("span", { class: "between" }, more && ` (${more})`)), h("p", { class: "reason", title: finding.reason }, finding.figures), h("p", { class: "note" }, basis(finding)), doubts(run.document)),
    h("dl", { class: "figures" }, figures(run).map(([term, value, more]) => h("div", {}, h("dt", {}, term), h("dd", {}, value, more && h("small", {}, more))))),
    advice(run.document),
  ].filter(Boolean);
}

/** Why the verdict may not be true of the run as its owner ran it; nothing where there is no doubt. */
export function doubts(document) {
  const said = document.doubts ?? [];
  if (!said.length) return null;
  const lines = said.map((doubt) => h("li", {}, doubt.where && [name(doubt.where), ": "], `${doubt.words}. `, h("em", {}, doubt.remedy)));
  return h("div", { class: "doubts", role: "note" }, h("strong", {}, said.length === 1 ? "In doubt:" : `In doubt, for ${said.length} reasons:`), h("ul", {}, lines));
}

/** What to do about the run, the first thing first; nothing where there is nothing. */
export function advice(document) {
  const steps = document.advice?.steps ?? [];
  if (!steps.length) return null;
  const lines = steps.map((step) => h("li", {}, step.words, step.command && [" ", h("code", {}, step.command)]));
  return h("details", { class: "advice", open: true }, h("summary", {}, "What to do"), h("ol", {}, lines));
}

function basis(finding) {
  const parts = [];
  if (finding.basis) parts.push(`Rests on ${finding.basis}.`);
  if ((finding.confidence ?? null) !== null) parts.push(`${capitalised(sure(finding.confidence))} sure.`);
  if ((finding.probability ?? null) !== null && finding.state !== "overfitting") parts.push(`Probability that the run overfits: ${sure(finding.probability)}.`);
  return parts.join(" ");
}

function capitalised(words) {
  return words[0].toUpperCase() + words.slice(1);
}

function sure(share) {
  if (share > 0.995) return "over 99 %";
  return share < 0.005 ? "under 1 %" : percent(share);
}

function figures(run) {
  const shown = [[`${run.unit}s`, String(run.epochs.length), `${run.epochs[0]} to ${run.epochs.at(-1)}`]];
  const states = ["collapsed", "falling", "stable"].map((state) => [run.layers.filter((layer) => layer.state === state).length, state]);
  shown.push(["layers", String(run.layers.length), states.filter(([count]) => count).map(([count, state]) => `${count} ${state}`).join(", ")]);
  const measured = run.loss.map((loss, i) => [loss, i]).filter(([loss]) => Number.isFinite(loss));
  if (measured.length) {
    const [best, row] = measured.reduce((low, pair) => (pair[0] < low[0] ? pair : low));
    shown.push([`best ${run.lossName}`, plain(best, 3), `${run.unit} ${run.epochs[row]}`]);
    shown.push([`last ${run.lossName}`, ...lastLoss(run)]);
  }
  if (Number.isFinite(run.temperature.at(-1))) {
    shown.push(["last with a temperature", plain(run.calibrated.at(-1), 3), `temperature ${plain(run.temperature.at(-1))}, confidence ${percent(run.confidence.at(-1), 1)}`]);
  }
  shown.push(["samples", run.document.probe.size.toLocaleString("en"), run.document.probe.labels ? "held out, with labels" : "held out, no labels"]);
  return shown;
}

/** What there is to say of the layer that is selected. */
export function facts(app) {
  const { run } = app;
  const layer = run.layers[app.layer];
  if (!layer) return h("p", {}, "No layer was measured.");
  const here = run.at("entropy", app.row, app.layer);
  const lines = [
    ["kind", `${layer.kind}, ${layer.channels.toLocaleString("en")} ${layer.kind.startsWith("Conv") ? "filters" : "neurons"}`],
    [`entropy at ${app.run.unit} ${app.epoch}`, `${nats(here)}, ${percent(here / layer.top)} of ln\u00a0${layer.channels}`],
    ["perplexity", Number.isFinite(here) ? `${Math.exp(here).toFixed(1)} of ${layer.channels}` : "–"],
    ["deviation over samples", nats(run.at("sample_std", app.row, app.layer))],
    ["filter correlation, mean c", `${plain(run.at("correlation_mean", app.row, app.layer))}, mean |c| ${plain(run.at("correlation_abs_mean", app.row, app.layer))}`],
    ["scale of the activation", size(run.at("scale", app.row, app.layer))],
    ["shape, at unit scale", `${nats(run.at("shape", app.row, app.layer))}, ${percent(run.at("shape", app.row, app.layer) / layer.top)} of ln\u00a0${layer.channels}`],
    ["effective rank", Number.isFinite(run.at("rank", app.row, app.layer)) ? `${plain(run.at("rank", app.row, app.layer), 1)} of ${layer.channels}` : "n/a"],
    ["dead filters", dead(run.at("dead", app.row, app.layer), layer.channels)],
    ["weights since the epoch before", moved(run.at("distance", app.row, app.layer))],
    ["values skipped", layer.nonfinite ? layer.nonfinite.toLocaleString("en") : "none"],
  ];
  for (const other of app.runs.length > 1 ? app.runs : []) {
    const same = other.layers.find((candidate) => candidate.name === layer.name);
    if (same) lines.push([`at the end of ${other.name}`, `${percent(same.entropy.fraction ?? NaN)} of ln D, ${same.state ?? "no verdict"}`]);
  }
  return [
    h("h2", {}, name(layer.name)),
    h("p", { class: `state tone-${layerTone(layer.state)}` }, `${layerMark(layer.state)} ${layer.state ?? "no verdict"}${since(layer)}`),
    h("dl", {}, lines.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
    winners(app, layer),
    layer.evidence && h("p", { class: "evidence" }, layer.evidence),
    layer.filters.map((problem) => h("p", { class: "evidence" }, `Filters: ${problem.evidence}`)),
  ];
}

function dead(share, channels) {
  if (!Number.isFinite(share)) return "n/a";
  const count = Math.round(share * channels);
  return count ? `${count.toLocaleString("en")} of ${channels.toLocaleString("en")}, ${percent(share)}` : "none";
}

/** Which filters of a layer are the largest, and where how often; filled once the shares are read. */
function winners(app, layer) {
  const block = `winners/${layer.index}`;
  const { run, row } = app;
  if (!run.has(block)) return null;
  const place = h("div", { class: "winners" });
  run.withBlocks([block], (shares) => {
    if (!shares) return;
    const stored = shares.nearestRow(row);
    const order = ranked(Array.from(shares.row(stored), (code) => shares.value(code)));
    const epoch = run.epochs[shares.rows ? shares.rows[stored] : stored];
    const head = order.length ? `${order.length.toLocaleString("en")} of ${layer.channels.toLocaleString("en")} filters are the largest at some position (epoch ${epoch})` : `no filter is known to be the largest (epoch ${epoch})`;
    fill(place, h("p", { class: "note" }, head), order.length > 0 && winnerBars(order));
  });
  return place;
}

/** What was not measured or is left out of the page, and how exact it is. */
export function footer(app, manifest) {
  const { run } = app;
  const { skipped, bad, probe, settings } = run.document;
  return [
    omitted(manifest),
    details("Layers that were not measured", skipped.map((layer) => [layer.name, layer.reason])),
    details("Checkpoints that could not be used", bad.map((file) => [file.path, file.reason])),
    h("p", {}, exactness(run)),
    h("p", {}, "Store ", name(run.document.store), "; probe ", name(probe.source || "unnamed"), `, sha256 ${probe.sha256.slice(0, 12)}; activation ${settings.with_bias ? "with" : "without"} bias${settings.fold_norm ? ", normalisation folded in" : ""}; rfav ${manifest.version}.`),
    h("p", { class: "keys" }, "Keys: ", ...[["←", "→"], ["↑", "↓"], ["[", "]"], ["space"], ["r"]].flatMap((keys, i) => [...keys.map((key) => h("kbd", {}, key)), ` ${["epoch", "layer", "image", "play", "next run"][i]}  `])),
  ];
}

/** What of a folder is not among the runs, and why. */
export function omitted(manifest) {
  return details("Stores that are not shown", (manifest.skipped ?? []).map((run) => [run.name, run.reason]));
}

function details(title, rows) {
  if (!rows.length) return null;
  return h("details", {}, h("summary", {}, `${title} (${rows.length})`), h("ul", {}, rows.map(([what, why]) => h("li", {}, name(what), `: ${why}`))));
}

/** How exact the figures are, and which epochs and images are left out. */
export function exactness(run) {
  const maps = Object.entries(run.manifest.blocks).filter(([key]) => /^(mean_)?map\//.test(key));
  const parts = ["Entropies are in nats (natural logarithm)."];
  const first = maps.find(([key]) => key.startsWith("map/")) ?? maps[0];
  if (first) {
    const { levels } = first[1].quantised;
    const tops = run.layers.map((layer) => layer.top);
    parts.push(`Heatmaps are rounded to steps of ln D / ${levels}, at most ${(Math.max(...tops) / levels).toFixed(3)} nat; all other figures are as stored, in single precision.`);
    const rows = first[1].rows ?? run.epochs;
    if (rows.length < run.epochs.length) parts.push(`Heatmaps are of ${rows.length} of ${run.epochs.length} epochs.`);
    if (run.images.shown < run.images.kept) parts.push(`They are of ${run.images.shown} of the ${run.images.kept} images in the store.`);
  }
  const histogram = run.describe("correlation") ?? run.describe("distribution");
  if (histogram?.rows && histogram.rows.length < run.epochs.length) parts.push(`Histograms are of ${histogram.rows.length} epochs.`);
  return parts.join(" ");
}
