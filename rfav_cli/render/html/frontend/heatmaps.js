// One image and its heatmaps: large for what is selected, small for every layer and epoch.

import { fill, h, hideTip, name, showTip } from "./dom.js";
import { mapGrid } from "./grid.js";
import { Maps, place, positionAt, thumbnail } from "./maps.js";
import { nats, percent } from "./numbers.js";
import { entropyBar } from "./overview.js";
import { picker } from "./picker.js";

const LARGE = 232;

/** The view of heatmaps, with its table of the positions of the map that is shown large. */
export function heatmaps(app, body) {
  const image = h("canvas", { class: "large", width: LARGE * 2, height: LARGE * 2, role: "img" });
  const map = h("canvas", { class: "large", width: LARGE * 2, height: LARGE * 2, role: "img" });
  const [imageWords, mapWords] = [h("figcaption"), h("figcaption")];
  const bar = h("div", { class: "bar-place" });
  const images = picker(app);
  const grid = mapGrid(app, hover, unhover);
  const nothing = h("p", { class: "note", hidden: true }, "The store has no heatmaps.");
  const top = h("div", { class: "maps-top" }, h("div", { class: "pair-of-maps" }, h("figure", {}, image, imageWords), h("figure", {}, map, mapWords, bar)), images.element);
  fill(body, top, grid.element, nothing);
  let current = null;
  let thumbnails = null;
  let asked = 0;

  function draw() {
    const ticket = ++asked;
    const { run } = app;
    return run.withBlocks(["thumbnails"], (read) => {
      if (ticket !== asked || run !== app.run) return;
      thumbnails = read;
      images.draw(thumbnails);
      const any = grid.draw(body.clientWidth);
      [top.hidden, grid.element.hidden, nothing.hidden] = [!any, !any, any];
      mark();
    });
  }

  function mark() {
    const { run } = app;
    const layer = run.layers[app.layer];
    const wanted = app.image;
    return Maps.read(run, app.layer, wanted, (maps) => {
      if (run !== app.run || layer.index !== app.layer || wanted !== app.image) return;
      current = maps;
      paintMap(layer);
      paintImage();
      grid.mark();
      images.mark();
      sayImage();
    });
  }

  function paintMap(layer) {
    const context = map.getContext("2d");
    context.clearRect(0, 0, LARGE * 2, LARGE * 2);
    fill(bar);
    if (current) {
      const span = current.span(app.stretched);
      place(context, current.canvas(app.row, app.palette, span), 0, 0, LARGE * 2);
      fill(bar, entropyBar(app.palette, map.clientWidth || LARGE, span.map((code) => nats(current.block.value(code)))));
    }
    const shown = current ? app.run.epochs[current.shownEpoch(app.row)] : app.epoch;
    fill(mapWords, name(layer.name), current ? `, ${app.run.unit} ${shown}${shown === app.epoch ? "" : ` (nearest to ${app.epoch})`}` : ": no heatmaps");
    map.setAttribute("aria-label", `Heatmap of ${layer.name} at ${app.run.unit} ${shown}`);
  }

  /** The image; under the pointer, a map of a layer and an epoch over it. */
  function paintImage(over = null, epoch = 0, position = null) {
    const context = image.getContext("2d");
    const side = LARGE * 2;
    context.clearRect(0, 0, side, side);
    const seen = thumbnails && app.image >= 0;
    if (seen) place(context, thumbnail(thumbnails, app.image), 0, 0, side);
    else if (!over && current) over = current;
    if (!over) return;
    context.globalAlpha = seen ? 0.72 : 1;
    place(context, over.canvas(position ? epoch : app.row, app.palette, over.span(app.stretched)), 0, 0, side);
    context.globalAlpha = 1;
    if (position) outline(context, over, position, side);
  }

  function sayImage() {
    const { run, image: chosen } = app;
    if (chosen < 0) {
      image.setAttribute("aria-label", "Mean heatmap of all samples");
      return fill(imageWords, `mean of ${run.document.probe.size.toLocaleString("en")} samples`);
    }
    return run.withBlocks(["image_prediction", "image_confidence"], (prediction, confidence) => {
      if (run !== app.run || chosen !== app.image) return;
      const label = run.images.labels?.[chosen];
      const parts = [`image ${chosen}`];
      if (label !== undefined) parts.push(`label ${label}`);
      if (prediction) parts.push(`prediction ${prediction.row(app.row)[chosen]} (${percent(confidence?.row(app.row)[chosen] ?? NaN).replace(" ", "\u00a0")})`);
      image.setAttribute("aria-label", parts.join(", "));
      fill(imageWords, parts.join(" · "));
    });
  }

  function hover(event, maps, layer, epoch, across, down) {
    const position = positionAt(maps, across, down);
    if (!position) return unhover();
    const value = maps.value(epoch, ...position);
    const where = app.run.manifest.positions[layer.index].length ? `position ${position.join(", ")}` : "one position";
    showTip(event, layer.name, [
      [app.run.unit, String(app.run.epochs[maps.shownEpoch(epoch)])],
      [where, nats(value)],
      [`of ln ${layer.channels}`, percent(value / layer.top)],
    ]);
    return paintImage(maps, epoch, position);
  }

  function unhover() {
    hideTip();
    paintImage();
  }

  for (const canvas of [map, image]) {
    canvas.addEventListener("pointermove", (event) => current && hover(event, current, app.run.layers[app.layer], app.row, event.offsetX / canvas.clientWidth, event.offsetY / canvas.clientHeight));
    canvas.addEventListener("pointerleave", unhover);
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-heatmaps`,
    subject: () => `${app.run.name}, ${app.image < 0 ? "mean of the samples" : `image ${app.image}`}`,
    svg: () => grid.drawing(),
    rows: async () => {
      const layer = app.run.layers[app.layer];
      const header = ["layer", "epoch", "image", "row", "column", "entropy in nats"];
      const positions = Array.from({ length: current?.size ?? 0 }, (_, i) => [Math.floor(i / current.width), i % current.width]);
      const whose = app.image < 0 ? "mean" : app.image;
      return [header, ...positions.map((at) => [layer.name, app.run.epochs[current.shownEpoch(app.row)], whose, ...at, current.value(app.row, ...at)])];
    },
  };
}

function outline(context, maps, [row, column], side) {
  const flat = maps.height === 1;
  const scale = side / Math.max(maps.width, flat ? 1 : maps.height);
  const left = flat ? 0 : (side - maps.width * scale) / 2;
  const top = flat ? 0 : (side - maps.height * scale) / 2;
  const [width, height] = [flat ? side / maps.width : scale, flat ? side : scale];
  for (const [colour, wide] of [["#000", 6], ["#fff", 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.strokeRect(left + column * width, top + row * height, width, height);
  }
}
