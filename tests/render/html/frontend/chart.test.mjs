import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { area, epochOfPixel, epochScale, linear, onsetMark, path } from "../../../../rfav_cli/render/html/frontend/chart.js";

const FINDING = { state: "overfitting", onset: 12, interval: [11, 14] };

test("the line of onset stands at its epoch, and its band over the epochs that it lies between", () => {
  const scale = linear(-1, 29, 0, 300);
  const mark = onsetMark(FINDING, scale, 80, "5 3", "here");
  const [band, line, label] = mark.children;
  assert.equal(mark.attributes.class, "run-onset tone-bad");
  assert.deepEqual([line.tag, line.attributes.x1, line.attributes.x2, line.attributes.y1, line.attributes.y2], ["line", 130, 130, 0, 80]);
  assert.deepEqual([band.tag, band.attributes.x, band.attributes.width, band.attributes.height], ["rect", 120, 30, 80]);
  assert.equal(label.children[0], "here");
});

test("the label of an onset is where there is room for it", () => {
  const labelOf = (right) => onsetMark(FINDING, linear(-1, 29, 0, 300), 80, "5 3", "since epoch 12", right).children[2].attributes;
  assert.deepEqual(labelOf(300), { x: 135, y: 11 });
  assert.deepEqual(labelOf(200), { x: 125, y: 11, "text-anchor": "end" });
});

test("an onset that is sure has no band, and none at all no line", () => {
  const mark = onsetMark({ ...FINDING, interval: [12, 12] }, linear(0, 20, 0, 200), 80);
  assert.deepEqual(mark.children.filter(Boolean).map((child) => child.tag), ["line"]);
  assert.equal(onsetMark({ ...FINDING, onset: null, interval: null }, linear(0, 20, 0, 200), 80), null);
});

test("a scale and its inverse undo each other, also over a range without a length", () => {
  const scale = linear(-1, 29, 300, 0);
  assert.equal(scale(-1), 300);
  assert.equal(scale(29), 0);
  assert.ok(Math.abs(scale.inverse(scale(7.3)) - 7.3) < 1e-12);
  assert.equal(linear(5, 5, 0, 100)(5), 0);
});

test("each pixel belongs to the nearest epoch, also where epochs are missing", () => {
  for (const epochs of [[7], [0, 1, 4], [-1, 0, 1, 2, 50]]) {
    const scale = epochScale(epochs, 0, 40);
    epochOfPixel(epochs, 40).forEach((owner, x) => {
      const distances = epochs.map((epoch) => Math.abs(epoch - scale.inverse(x + 0.5)));
      assert.equal(distances[owner], Math.min(...distances), `pixel ${x} of ${epochs}`);
    });
  }
});

test("a line has gaps where there is no number, and a dot where a number stands alone", () => {
  assert.equal(path([0, 1, 2, 3, 4], [5, 6, NaN, 7, Infinity]), "M0.0 5.0L1.0 6.0M3.0 7.0h.01");
  assert.equal(path([0, 1], [NaN, NaN]), "");
});

test("an area goes there along one line and back along the other", () => {
  assert.equal(area([0, 1, 2], [9, 8, NaN], [1, 2, 3]), "M0.0 1.0L1.0 2.0L1.0 8.0L0.0 9.0Z");
  assert.equal(area([0, 1], [9, NaN], [1, 2]), "");
});
