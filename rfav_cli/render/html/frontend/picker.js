// The images to choose from.

import { choice, fill, h } from "./dom.js";
import { thumbnail } from "./maps.js";
import { nats } from "./numbers.js";

/** Buttons with the images, in the store's order or by how far their entropy fell in the layer that is selected. */
export function picker(app) {
  const list = h("div", { class: "images", role: "group", "aria-label": "Images" });
  const order = choice(
    "Order of the images",
    [
      ["stored", "as stored"],
      ["fall", "by their fall"],
    ],
    () => app.state.get("order"),
    (value) => app.state.set({ order: value }),
  );
  const words = h("p", { class: "note" });
  const element = h("div", { class: "picker" }, h("div", { class: "picker-head" }, h("h3", {}, "Images"), order), list, words);
  let buttons = new Map();
  let falls = [];
  let sorted = "";

  function draw(thumbnails) {
    const { run } = app;
    buttons = new Map();
    const every = h("button", { type: "button", class: "image mean", title: "Mean heatmap of all samples", onclick: () => app.select({ image: -1 }) }, "mean");
    buttons.set(-1, every);
    for (let i = 0; i < run.images.shown; i++) {
      const label = run.images.labels?.[i];
      const button = h("button", { type: "button", class: "image", "aria-label": `Image ${i}`, onclick: () => app.select({ image: i }) });
      button.append(thumbnails ? thumbnail(thumbnails, i) : String(i));
      button.label = label === undefined ? `image ${i}` : `image ${i}, label ${label}`;
      buttons.set(i, button);
    }
    fill(list, [...buttons.values()]);
    sorted = "";
    mark();
  }

  function sort(block) {
    const { run, layer } = app;
    const from = run.onset === null ? 0 : run.indexOf(run.onset);
    const last = run.epochs.length - 1;
    const value = (epoch, image) => block.row(epoch)[layer * run.images.shown + image];
    falls = Array.from({ length: run.images.shown }, (_, i) => (block ? value(from, i) - value(last, i) : NaN));
    const shown = falls.map((_, i) => i);
    if (app.state.get("order") === "fall") shown.sort((a, b) => (falls[b] || 0) - (falls[a] || 0));
    fill(list, [-1, ...shown].map((i) => buttons.get(i)).filter(Boolean));
    for (const i of shown) {
      const button = buttons.get(i);
      if (button) button.title = Number.isFinite(falls[i]) ? `${button.label}: fell by ${nats(falls[i])}` : button.label;
    }
    const since = run.onset === null ? `from ${run.unit} ${run.epochs[0]}` : `since ${run.unit} ${run.onset}`;
    words.textContent = block && run.images.shown ? `Fall: mean entropy of the image in this layer, ${since} to ${run.unit} ${run.epochs[last]}.` : "";
    order.refresh();
  }

  /** Follow the selection; the order is another one only for another layer. */
  function mark() {
    const { run } = app;
    const wanted = `${app.layer} ${app.state.get("order")}`;
    if (sorted !== wanted) {
      sorted = wanted;
      run.withBlocks(["image_entropy"], (block) => sorted === wanted && run === app.run && sort(block));
    }
    for (const [i, button] of buttons) button.setAttribute("aria-pressed", String(i === app.image));
  }

  return { element, draw, mark };
}
