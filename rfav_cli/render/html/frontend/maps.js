// Heatmaps as pictures.

import { table } from "./colour.js";

const scratch = document.createElement("canvas").getContext("2d");

/** Height and width of a heatmap: a sequence is one row, a volume has its slices one below another. */
export function gridOf(positions) {
  if (positions.length === 0) return [1, 1];
  if (positions.length === 1) return [1, positions[0]];
  const width = positions[positions.length - 1];
  return [positions.slice(0, -1).reduce((product, length) => product * length, 1), width];
}

/** The heatmaps of a layer for one image (-1: the mean of all samples). */
export class Maps {
  constructor(block, image, positions) {
    this.block = block;
    this.image = image;
    [this.height, this.width] = gridOf(positions);
    this.size = this.height * this.width;
  }

  /** Hand them over, null where there are none, as `run.withBlocks` does. */
  static read(run, layer, image, use) {
    return run.withBlocks([image < 0 ? `mean_map/${layer}` : `map/${layer}`], (block) => use(block && new Maps(block, image, run.manifest.positions[layer])));
  }

  /** Codes of the map nearest to an epoch. */
  codes(epoch) {
    const row = this.block.row(this.block.nearestRow(epoch));
    return this.image < 0 ? row : row.subarray(this.image * this.size, (this.image + 1) * this.size);
  }

  /** The epoch, as an index, whose map is shown for an epoch. */
  shownEpoch(epoch) {
    const row = this.block.nearestRow(epoch);
    return this.block.rows ? this.block.rows[row] : row;
  }

  /** The value at a row and a column, in nats. */
  value(epoch, row, column) {
    return this.block.value(this.codes(epoch)[row * this.width + column]);
  }

  /** Codes between which colours are stretched: those of all epochs, or 0 to ln D. */
  span(stretched) {
    if (!stretched) return [0, this.block.levels];
    let [low, high] = [this.block.levels, 0];
    for (let row = 0; row < this.block.shape[0]; row++) {
      const codes = this.codes(this.block.rows ? this.block.rows[row] : row);
      for (const code of codes) {
        if (code > this.block.levels) continue;
        if (code < low) low = code;
        if (code > high) high = code;
      }
    }
    return high > low ? [low, high] : [0, this.block.levels];
  }

  /** The map of an epoch as a small canvas, a pixel a position; it is good until the next one is asked for. */
  canvas(epoch, palette, [low, high]) {
    const { canvas } = scratch;
    if (canvas.width !== this.width || canvas.height !== this.height) [canvas.width, canvas.height] = [this.width, this.height];
    const image = scratch.createImageData(this.width, this.height);
    const colours = table(palette);
    const codes = this.codes(epoch);
    const scale = 255 / (high - low || 1);
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] > this.block.levels) continue;
      const from = 3 * Math.max(0, Math.min(255, Math.round((codes[i] - low) * scale)));
      image.data[4 * i] = colours[from];
      image.data[4 * i + 1] = colours[from + 1];
      image.data[4 * i + 2] = colours[from + 2];
      image.data[4 * i + 3] = 255;
    }
    scratch.putImageData(image, 0, 0);
    return canvas;
  }
}

/** Draw a picture into a square of a canvas, as large as its shape allows; a picture of one row fills it. */
export function place(context, picture, x, y, side) {
  const { width, height } = picture;
  context.imageSmoothingEnabled = false;
  if (height === 1) return context.drawImage(picture, x, y, side, side);
  const scale = side / Math.max(width, height);
  return context.drawImage(picture, x + (side - width * scale) / 2, y + (side - height * scale) / 2, width * scale, height * scale);
}

/** The thumbnail of an image as a small canvas. */
export function thumbnail(block, image) {
  const [, height, width, channels] = block.shape;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const values = block.row(image);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++) pixels.data[4 * i + channel] = values[i * channels + (channels === 1 ? 0 : channel)];
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** The row and column of a map that was drawn by `place`, at shares of the square; null beside it. */
export function positionAt(maps, across, down) {
  if (maps.height === 1) return across < 0 || across >= 1 ? null : [0, Math.floor(across * maps.width)];
  const longest = Math.max(maps.width, maps.height);
  const column = Math.floor(across * longest - (longest - maps.width) / 2);
  const row = Math.floor(down * longest - (longest - maps.height) / 2);
  return column < 0 || row < 0 || column >= maps.width || row >= maps.height ? null : [row, column];
}
