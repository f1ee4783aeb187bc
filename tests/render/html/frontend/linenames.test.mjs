import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { apart } from "../../../../rfav_cli/render/html/frontend/linenames.js";

test("names that lie apart stay where they are", () => {
  assert.deepEqual(apart([0, 40, 100], 160), [0, 40, 100]);
  assert.deepEqual(apart([], 160), []);
});

test("names that lie close are moved apart, down where there is room and up where there is none", () => {
  assert.deepEqual(apart([10, 11, 12], 160), [10, 23, 36]);
  assert.deepEqual(apart([150, 158, 159], 160), [134, 147, 160]);
});
