// The application: one state, and views that follow it.

import { fill, h, hideTip } from "./dom.js";
import { Run } from "./data.js";
import { page } from "./page.js";
import { State } from "./state.js";
import { omitted } from "./words.js";

const REDRAW = ["run", "palette", "theme"];

/** What is shown, for the views: the runs, and what of them is selected. */
class App {
  constructor(runs, state) {
    this.runs = runs;
    this.state = state;
  }

  get run() {
    return this.runs[Math.min(Math.max(this.state.get("run"), 0), this.runs.length - 1)];
  }

  /** The layer that is selected, as an index. */
  get layer() {
    return Math.min(Math.max(this.state.get("layer"), 0), this.run.layers.length - 1);
  }

  /** The epoch that is selected, as an index of the run's epochs. */
  get row() {
    return this.run.indexOf(this.state.get("epoch"));
  }

  /** The epoch that is selected, as it is numbered. */
  get epoch() {
    return this.run.epochs[this.row];
  }

  /** The image that is selected; -1 is the mean of all samples. */
  get image() {
    return Math.min(Math.max(this.state.get("image"), -1), this.run.images.shown - 1);
  }

  get palette() {
    return this.state.get("palette");
  }

  /** Whether the colours of a heatmap are stretched to the values of its layer. */
  get stretched() {
    return this.state.get("scale") === "layer";
  }

  select(changes) {
    this.state.set(changes);
  }

  /** Go on by some epochs, layers or images. */
  step({ epoch = 0, layer = 0, image = 0 }) {
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    this.select({
      epoch: this.run.epochs[within(this.row + epoch, 0, this.run.epochs.length - 1)],
      layer: within(this.layer + layer, 0, this.run.layers.length - 1),
      image: within(this.image + image, -1, this.run.images.shown - 1),
    });
  }

  /** Show another run, at the layer of the same name. */
  choose(number) {
    const name = this.run.layers[this.layer]?.name;
    const layer = this.runs[number].layers.findIndex((layer) => layer.name === name);
    this.select({ run: number, ...(layer >= 0 && { layer }) });
  }
}

/**
 * Show the runs of a source in an element.
 *
 * Returns a function that ends it. docs/frontend.md says what a source has.
 */
export async function mount(root, source) {
  const place = h("div", { class: "rfav" }, h("p", { class: "loading", role: "status" }, "Reading …"));
  root.append(place);
  try {
    const manifest = await source.manifest();
    const runs = await Promise.all(manifest.runs.map((entry, number) => new Run(source, entry, number).ready()));
    if (!runs.length) {
      fill(place, h("p", { class: "loading" }, "There are no runs here yet."), h("footer", { class: "foot" }, omitted(manifest)));
      return source.interval ? retry(root, place, source) : () => {};
    }
    return start(place, source, manifest, runs);
  } catch (error) {
    fill(place, h("p", { class: "loading failed", role: "alert" }, `This could not be read: ${error.message}`));
    throw error;
  }
}

function retry(root, place, source) {
  let stop = () => {
    clearTimeout(timer);
    place.remove();
  };
  const timer = setTimeout(async () => {
    place.remove();
    stop = await mount(root, source);
  }, 1000 * source.interval);
  return () => stop();
}

/** Where a reader should look first: the layer that has collapsed the most, at the onset of overfitting. */
function beginning(run) {
  const flagged = run.layers.filter((layer) => layer.state === "collapsed" || layer.state === "falling");
  const worst = flagged.sort((a, b) => b.fall.fraction - a.fall.fraction)[0];
  return { layer: worst?.index ?? 0, epoch: run.onset ?? run.epochs.at(-1), image: run.images.shown ? 0 : -1 };
}

/** What was selected when the page was last here, if its run is still there. */
function remembered(source, runs) {
  try {
    const [id, hash] = JSON.parse(source.memory?.read() ?? "[]");
    const run = runs.findIndex((run) => run.id === id);
    return run < 0 ? {} : { ...State.read(hash), run };
  } catch {
    return {}; // of another version
  }
}

function start(place, source, manifest, runs) {
  const state = new State(beginning(runs[0]), (hash) => source.memory?.write(JSON.stringify([app.run.id, hash])));
  const app = new App(runs, state);
  state.set(location.hash ? State.read(location.hash) : remembered(source, runs), { silent: true });
  const built = page(app, manifest);
  fill(place, built.element);
  built.draw();
  state.listen((changed) => {
    if (REDRAW.some((name) => changed.has(name))) built.draw();
    else built.change(changed);
  });
  const stops = [listen(window, "hashchange", () => state.set({ ...state.first, ...State.read(location.hash) })), resizing(place, built), keys(app, built), listen(window, "beforeprint", () => built.print(true)), listen(window, "afterprint", () => built.print(false))];
  if (source.interval) stops.push(follow(app, source, built));
  return () => {
    stops.forEach((stop) => stop());
    built.stop();
    hideTip();
    place.remove();
  };
}

function listen(target, event, listener) {
  target.addEventListener(event, listener);
  return () => target.removeEventListener(event, listener);
}

function resizing(place, built) {
  let width = place.clientWidth;
  let timer = null;
  const observer = new ResizeObserver(() => {
    if (!place.clientWidth || place.clientWidth === width) return; // nothing to see
    width = place.clientWidth;
    clearTimeout(timer);
    timer = setTimeout(built.draw, 120);
  });
  observer.observe(place);
  return () => observer.disconnect();
}

function keys(app, built) {
  const actions = {
    ArrowLeft: () => app.step({ epoch: -1 }),
    ArrowRight: () => app.step({ epoch: 1 }),
    ArrowUp: () => app.step({ layer: -1 }),
    ArrowDown: () => app.step({ layer: 1 }),
    Home: () => app.select({ epoch: app.run.epochs[0] }),
    End: () => app.select({ epoch: app.run.epochs.at(-1) }),
    "[": () => app.step({ image: -1 }),
    "]": () => app.step({ image: 1 }),
    r: () => app.choose((app.run.number + 1) % app.runs.length),
    " ": () => built.play(),
  };
  return listen(document, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    const { target } = event;
    const typing = target.matches?.("input, select, textarea, summary");
    if (typing && !(target.type === "range" && ["[", "]", "r", " ", "ArrowUp", "ArrowDown"].includes(event.key))) return;
    if (event.key === " " && target.matches?.("button, a")) return;
    event.preventDefault();
    actions[event.key]();
  });
}

/** Look at the source again and again while the page, or the frame that it is in, can be seen; whoever looked at the last epoch goes on to the new last one. */
function follow(app, source, built) {
  let running = true;
  let timer = null;
  const look = async () => {
    try {
      if (!document.hidden && innerWidth * innerHeight) await update(app, source, built);
    } catch {
      // the server may be away for a while; the next look tells
    }
    if (running) timer = setTimeout(look, 1000 * source.interval);
  };
  timer = setTimeout(look, 1000 * source.interval);
  return () => {
    running = false;
    clearTimeout(timer);
  };
}

async function update(app, source, built) {
  const manifest = await source.manifest();
  const runsById = new Map(app.runs.map((run) => [run.id, run]));
  const same = (entry, number) => runsById.get(entry.id)?.revision === entry.revision && runsById.get(entry.id).number === number;
  if (manifest.runs.length === app.runs.length && manifest.runs.every(same)) return;
  const runs = await Promise.all(manifest.runs.map((entry, number) => (same(entry, number) ? runsById.get(entry.id) : new Run(source, entry, number).ready())));
  if (!runs.length) return;
  const atEnd = app.row === app.run.epochs.length - 1;
  const shown = runs.findIndex((run) => run.id === app.run.id);
  app.runs = runs;
  app.state.set({ run: Math.max(shown, 0) }, { silent: true });
  if (atEnd) app.state.set({ epoch: app.run.epochs.at(-1) });
  built.renew(manifest);
}
