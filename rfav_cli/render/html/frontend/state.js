// What is selected and how it is shown, kept in the address.

const DEFAULTS = {
  run: 0,
  layer: 0,
  epoch: 0,
  image: -1,
  palette: "default",
  theme: "auto",
  unit: "share",
  scale: "shared",
  counts: "log",
  order: "stored",
  sort: "index",
  filter: "",
};

const CHOICES = {
  palette: ["default", "paper"],
  theme: ["auto", "light", "dark"],
  unit: ["share", "nat"],
  scale: ["shared", "layer"],
  counts: ["log", "linear"],
  order: ["stored", "fall"],
};

/** The state, and who wants to know of its changes; `remembered(hash)` is told what the address keeps. */
export class State {
  constructor(first, remembered) {
    this.remembered = remembered;
    this.first = { ...DEFAULTS, ...first };
    this.values = { ...this.first };
    this.listeners = [];
    this.timer = null;
  }

  get(name) {
    return this.values[name];
  }

  /** Change some values; listeners hear which ones are others now. */
  set(changes, { silent = false } = {}) {
    const changed = new Set();
    for (const [name, value] of Object.entries(changes)) {
      if (this.values[name] !== value) changed.add(name);
      this.values[name] = value;
    }
    if (!changed.size) return;
    if (!silent) this.remember();
    for (const listener of this.listeners) listener(changed);
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  /** Put what differs from the start into the address, not more often than browsers allow. */
  remember() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const changed = Object.entries(this.values).filter(([name, value]) => value !== this.first[name]);
      const hash = new URLSearchParams(changed.map(([name, value]) => [name, String(value)])).toString();
      history.replaceState(null, "", location.pathname + location.search + (hash && `#${hash}`)); // the whole of it: a page may have a <base>
      this.remembered(hash);
    }, 150);
  }

  /** What the address says; anything that makes no sense is left out. */
  static read(hash) {
    const values = {};
    for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
      if (!Object.hasOwn(DEFAULTS, name)) continue; // `in` would find toString as well
      if (typeof DEFAULTS[name] === "number") {
        if (/^-?\d{1,9}$/.test(text)) values[name] = Number(text);
      } else if (!(name in CHOICES) || CHOICES[name].includes(text)) values[name] = text;
    }
    return values;
  }
}
