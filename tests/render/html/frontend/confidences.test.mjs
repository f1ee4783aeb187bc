import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { apart, heldOut } from "../../../../rfav_cli/render/html/frontend/confidences.js";
import { Run } from "../../../../rfav_cli/render/html/frontend/data.js";

test("the confidence on the probe is that on the training samples less the gap", () => {
  assert.deepEqual(heldOut({ confidence: [0.75, NaN], gap: [0.25, 0.5] }), [0.5, NaN]);
});

test("names that would meet are put apart, in their order", () => {
  assert.deepEqual(apart([10, 90], 12), [10, 90]);
  assert.deepEqual(apart([50, 54], 12), [46, 58]);
  assert.deepEqual(apart([54, 50], 12), [58, 46]);
  assert.deepEqual(apart([50, 50], 12), [44, 56]);
});

test("a run without training samples has no such figures", () => {
  const epochs = [{ epoch: 0, loss: 1 }, { epoch: 1, loss: 1, train: { confidence: 0.75, gap: null } }];
  const run = new Run(null, { name: "a", document: { run: {}, epochs, layers: [] }, smoothed_loss: [], blocks: {} }, 0);
  assert.deepEqual(run.trained, { confidence: [NaN, 0.75], gap: [NaN, NaN] });
});
