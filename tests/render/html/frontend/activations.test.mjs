import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { doublings, size } from "../../../../rfav_cli/render/html/frontend/activations.js";

test("the scale spans the whole powers of two around the sizes", () => {
  assert.deepEqual(doublings([NaN, 0.7, 15.2, 0]), [-1, 4]);
  assert.deepEqual(doublings([1, 1]), [0, 1]);
  assert.equal(doublings([NaN, 0]), null);
  assert.equal(doublings([]), null);
});

test("a size has three digits, however large or small", () => {
  assert.deepEqual([0.5, 15.178, 1234.5, 0.00012345, NaN].map(size), ["0.5", "15.2", "1230", "0.000123", "–"]);
});
