import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { heights, powers } from "../../../../rfav_cli/render/html/frontend/distances.js";
import { moved } from "../../../../rfav_cli/render/html/frontend/numbers.js";

test("the scale spans the whole powers of ten around the distances", () => {
  assert.deepEqual(powers([NaN, 0.03, 0.2, 0]), [-2, 0]);
  assert.deepEqual(powers([0.1, 0.1]), [-1, 0]);
  assert.deepEqual(powers([0, 0]), [-1, 0]);
  assert.equal(powers([NaN, NaN]), null);
  assert.equal(powers([]), null);
});

test("what has not moved lies below all that has", () => {
  const y = heights([-3, 0], 200);
  assert.equal(y(1), 0);
  assert.equal(y(0), 200);
  assert.ok(y(0.001) < 200 && y(0.001) > y(0.01));
  assert.ok(Number.isNaN(y(NaN)));
});

test("a share has two digits, however small", () => {
  assert.deepEqual([0, 1, 0.1234, 0.00012, 14.14, NaN].map(moved), ["0 %", "100 %", "12 %", "0.012 %", "1400 %", "–"]);
});
