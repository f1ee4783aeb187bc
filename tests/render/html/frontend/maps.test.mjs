import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { table } from "../../../../rfav_cli/render/html/frontend/colour.js";
import { Block } from "../../../../rfav_cli/render/html/frontend/data.js";
import { Maps, gridOf, positionAt } from "../../../../rfav_cli/render/html/frontend/maps.js";

const NONE = 255;

/** Maps of 2 images on 1 x 2 positions in 3 epochs. */
function maps(image, codes, rows = undefined) {
  const quantised = { top: 2.54, levels: 254 };
  return new Maps(new Block({ dtype: "u1", shape: [codes.length / 4, 2, 1, 2], quantised, rows }, new Uint8Array(codes).buffer), image, [1, 2]);
}

test("a map of any number of axes is a grid", () => {
  assert.deepEqual([[], [7], [4, 5], [2, 4, 5]].map(gridOf), [[1, 1], [1, 7], [4, 5], [8, 5]]);
});

test("colours are stretched over the epochs of all rows of a block, not over one of them", () => {
  const codes = [100, 110, 0, 0, 50, NONE, 254, 0, 120, 200, 0, 0];
  assert.deepEqual(maps(0, codes).span(true), [50, 200]);
  assert.deepEqual(maps(0, codes, [0, 3, 9]).span(true), [50, 200]);
  assert.deepEqual(maps(0, codes).span(false), [0, 254]);
});

test("a map without a number, or of one alone, has the full scale", () => {
  for (const code of [NONE, 77, 0, 254]) assert.deepEqual(maps(0, [code, code, 1, 2]).span(true), [0, 254]);
});

test("both ends of the span have the ends of the colours, and what is no number is clear", () => {
  const codes = [50, 200, 0, 0, NONE, 254, 0, 0];
  const colours = table("default");
  const pixels = (epoch, at) => [...maps(0, codes).canvas(epoch, "default", [50, 200]).image.data.subarray(4 * at, 4 * at + 4)];
  assert.deepEqual(pixels(0, 0), [...colours.subarray(0, 3), 255]);
  assert.deepEqual(pixels(0, 1), [...colours.subarray(765), 255]);
  assert.deepEqual(pixels(1, 0), [0, 0, 0, 0]);
  assert.deepEqual(pixels(1, 1), [...colours.subarray(765), 255]); // beyond the span
});

test("the value under the pointer is that of the image, the epoch and the position", () => {
  const codes = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.equal(maps(1, codes).value(1, 0, 1), 0.07);
  assert.equal(maps(0, codes).value(1, 0, 0), 0.04);
  assert.equal(maps(0, codes, [0, 6]).value(5, 0, 0), 0.04);
  assert.equal(maps(0, codes, [0, 6]).shownEpoch(5), 6);
});

test("beside a map there is no position", () => {
  const wide = { height: 2, width: 4 };
  assert.deepEqual(positionAt(wide, 0.01, 0.3), [0, 0]);
  assert.deepEqual(positionAt(wide, 0.99, 0.7), [1, 3]);
  assert.equal(positionAt(wide, 0.5, 0.1), null);
  assert.equal(positionAt(wide, 0.5, 0.9), null);
  assert.deepEqual(positionAt({ height: 1, width: 4 }, 0.5, 0.1), [0, 2]);
  assert.equal(positionAt({ height: 1, width: 4 }, 1, 0.1), null);
});
