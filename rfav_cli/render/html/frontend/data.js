// Runs, out of a source object; docs/frontend.md describes both.

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array };

/** An array with its epochs first. Quantised values are read as numbers: NaN, or 0 to `top`. */
export class Block {
  constructor(described, bytes) {
    this.shape = described.shape;
    this.rows = described.rows ?? null;
    this.nearest = this.rows && nearestRows(this.rows);
    this.top = described.quantised?.top ?? null;
    this.levels = described.quantised?.levels ?? null;
    this.data = new TYPES[described.dtype](bytes);
    if (this.data.length !== lengthOf(this.shape)) throw new RangeError(`a block of ${this.data.length} values, not ${this.shape.join(" × ")}`);
  }

  /** Values of one row: all that follows the first axis. */
  row(index) {
    const size = lengthOf(this.shape.slice(1));
    return this.data.subarray(index * size, (index + 1) * size);
  }

  /** The row nearest to an epoch, given as an index of the run's epochs. */
  nearestRow(epoch) {
    return this.nearest ? this.nearest[Math.min(epoch, this.nearest.length - 1)] : epoch; // a run that goes on has later ones
  }

  /** What a code means. */
  value(code) {
    if (this.levels === null) return code;
    return code > this.levels ? NaN : (code / this.levels) * this.top;
  }
}

/** A run: its manifest, and its blocks as they are asked for. */
export class Run {
  constructor(source, manifest, number) {
    this.source = source;
    this.manifest = manifest;
    this.number = number;
    this.id = manifest.id;
    this.name = manifest.name;
    this.revision = manifest.revision;
    this.document = manifest.document;
    this.unit = this.document.settings?.unit ?? "epoch";
    this.finding = { ...this.document.run, unit: this.unit };
    this.epochs = this.document.epochs.map((checkpoint) => checkpoint.epoch);
    this.loss = this.document.epochs.map((checkpoint) => checkpoint.loss ?? NaN);
    const { loss = "held-out loss", figure = "accuracy" } = this.document.probe ?? {}; // as older documents have them
    this.lossName = loss;
    this.figureName = figure;
    this.hasAccuracy = /accuracy$/.test(this.figureName ?? "");
    this.figure = this.document.epochs.map((checkpoint) => (this.hasAccuracy ? checkpoint.accuracy : checkpoint.figure) ?? NaN);
    this.accuracy = this.document.epochs.map((checkpoint) => checkpoint.accuracy ?? NaN);
    this.calibrated = this.document.epochs.map((checkpoint) => checkpoint.calibrated_loss ?? NaN);
    this.temperature = this.document.epochs.map((checkpoint) => checkpoint.temperature ?? NaN);
    this.confidence = this.document.epochs.map((checkpoint) => checkpoint.confidence ?? NaN);
    this.calibrationError = this.document.epochs.map((checkpoint) => checkpoint.calibration_error ?? NaN);
    this.trained = Object.fromEntries(["confidence", "gap"].map((name) => [name, this.document.epochs.map((checkpoint) => checkpoint.train?.[name] ?? NaN)]));
    this.smoothed = manifest.smoothed_loss.map((loss) => loss ?? NaN);
    this.layers = this.document.layers.map((layer, index) => ({ ...layer, index, unit: this.unit, top: layer.entropy.max }));
    this.images = manifest.images;
    this.asked = new Map();
    this.held = new Map();
    this.figures = {};
  }

  has(name) {
    return name in this.manifest.blocks;
  }

  describe(name) {
    return this.manifest.blocks[name];
  }

  /** A block, or null where the run has none of this name or it cannot be read now. */
  block(name) {
    return this.needed(name).catch(() => {
      this.asked.delete(name); // the store was replaced, or the server is away: the next look tells
      return null;
    });
  }

  /** The same, but it fails where the source does. */
  needed(name) {
    if (!this.has(name)) return Promise.resolve(null);
    if (!this.asked.has(name)) {
      const got = this.source.block(this.id, name, this.revision).then(inflated);
      this.asked.set(
        name,
        got.then((bytes) => {
          this.held.set(name, new Block(this.describe(name), bytes));
          return this.held.get(name);
        }),
      );
    }
    return this.asked.get(name);
  }

  /** Hand over blocks, null where there are none: at once if they have been read before, as paper does not wait. */
  withBlocks(names, use) {
    if (names.every((name) => this.held.has(name) || !this.has(name))) return use(...names.map((name) => this.held.get(name) ?? null));
    return Promise.all(names.map((name) => this.block(name))).then((blocks) => use(...blocks));
  }

  /** Read what every view needs at once. */
  async ready() {
    const names = ["entropy", "sample_std", "correlation_mean", "correlation_abs_mean", "scale", "shape", "rank", "dead", "distance"];
    const blocks = await Promise.all(names.map((name) => this.needed(name)));
    names.forEach((name, i) => (this.figures[name] = blocks[i]));
    return this;
  }

  /** A figure of an epoch, given as an index, and a layer. */
  at(name, epoch, layer) {
    const block = this.figures[name];
    return block ? block.data[epoch * this.layers.length + layer] : NaN;
  }

  /** A layer's figure in all epochs. */
  course(name, layer) {
    return this.epochs.map((_, epoch) => this.at(name, epoch, layer));
  }

  /** The index of an epoch that was measured, the nearest one. */
  indexOf(epoch) {
    let best = 0;
    this.epochs.forEach((candidate, i) => {
      if (Math.abs(candidate - epoch) < Math.abs(this.epochs[best] - epoch)) best = i;
    });
    return best;
  }

  get onset() {
    return this.finding.onset;
  }
}

function lengthOf(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** For each epoch up to the last of ascending ones, which of them is the nearest. */
function nearestRows(rows) {
  const nearest = new Uint32Array(rows.at(-1) + 1);
  let best = 0;
  for (let epoch = 0; epoch < nearest.length; epoch++) {
    while (best < rows.length - 1 && Math.abs(rows[best + 1] - epoch) < Math.abs(rows[best] - epoch)) best++;
    nearest[epoch] = best;
  }
  return nearest;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
