// What is selected, and a slider and a button that go through the epochs.

import { fill, h } from "./dom.js";

const PER_SECOND = 6;

/** The bar that selects the epoch, the layer and the run's films. */
export function transport(app) {
  const button = h("button", { type: "button", class: "play", "aria-label": "Play", onclick: () => play() }, "▶");
  const slider = h("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Epoch", oninput: () => app.select({ epoch: app.run.epochs[slider.value] }) });
  const words = h("output", { class: "epoch", "aria-live": "off" });
  const layers = h("select", { "aria-label": "Layer", onchange: () => app.select({ layer: Number(layers.value) }) });
  const said = h("span", { class: "said", role: "status" });
  const element = h("div", { class: "transport", role: "group", "aria-label": "Selection" }, button, slider, words, h("label", { class: "layer-choice" }, "layer ", layers), said);
  let timer = null;

  function play() {
    if (timer) return stop();
    if (app.row === app.run.epochs.length - 1) app.select({ epoch: app.run.epochs[0] });
    timer = setInterval(() => {
      app.step({ epoch: 1 });
      if (app.row === app.run.epochs.length - 1) stop();
    }, 1000 / PER_SECOND);
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
    return undefined;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play");
  }

  function draw() {
    slider.max = app.run.epochs.length - 1;
    fill(layers, app.run.layers.map((layer) => h("option", { value: layer.index }, layer.name)));
    mark();
  }

  function mark() {
    slider.value = app.row;
    slider.setAttribute("aria-valuetext", `${app.run.unit} ${app.epoch}`);
    words.textContent = `${app.run.unit} ${app.epoch}`;
    layers.value = app.layer;
    if (!timer) said.textContent = `${app.run.layers[app.layer]?.name ?? ""}, ${app.run.unit} ${app.epoch}`;
  }

  return { element, draw, mark, play, stop };
}
