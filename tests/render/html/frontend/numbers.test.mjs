import assert from "node:assert/strict";
import { test } from "node:test";

import { decimals, extent, lastLoss, nats, nearest, percent, plain, spread, ticks } from "../../../../rfav_cli/render/html/frontend/numbers.js";

const NONE = [NaN, Infinity, -Infinity, null, undefined, "1"];

test("nats have two digits, and three where two would say little", () => {
  assert.equal(nats(3.4657), "3.47 nat");
  assert.equal(nats(0), "0.00 nat");
  assert.equal(nats(0.1), "0.10 nat");
  assert.equal(nats(0.0516), "0.052 nat");
  assert.equal(nats(-0.0516), "-0.052 nat");
});

test("what is no finite number is a dash in every format", () => {
  for (const value of NONE) for (const format of [nats, percent, plain]) assert.equal(format(value), "–");
});

test("shares and plain numbers have the digits that are asked for", () => {
  assert.equal(percent(0.256), "26 %");
  assert.equal(percent(0.256, 1), "25.6 %");
  assert.equal(percent(-1), "-100 %");
  assert.equal(plain(1.005), "1.00");
  assert.equal(plain(1234.5678, 3), "1234.568");
});

test("ticks are round, within the range, and about as many as are wanted", () => {
  assert.deepEqual(ticks(0, 3.4657, 4), [0, 1, 2, 3]);
  assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks(-1, 10, 2), [0, 10]);
  assert.deepEqual(ticks(0.2, 0.3, 2), [0.2, 0.25, 0.3].map((value) => Math.round(value / 0.05) * 0.05));
  for (let i = 1; i < 400; i++) {
    const low = Math.sin(i) * 10 ** (i % 7);
    const high = low + 10 ** ((i % 11) - 4);
    const wanted = 2 + (i % 6);
    const values = ticks(low, high, wanted);
    const slack = (high - low) * 1e-6;
    assert.ok(values.length <= wanted + 1 && values.length >= Math.floor(wanted / 2.5), `${low} ${high} ${wanted}: ${values}`);
    assert.ok(values.every((value) => value >= low - slack && value <= high + slack), `${low} ${high}: ${values}`);
    assert.ok(values.every((value, at) => at === 0 || value > values[at - 1]), `${values}`);
  }
});

test("a tick at zero is not minus zero, which is shown as -0", () => {
  assert.ok(Object.is(ticks(-1, 1, 2)[1], 0));
  assert.ok(Object.is(ticks(-0.3, 3, 3)[0], 0));
});

test("a range without a length has one tick", () => {
  assert.deepEqual(ticks(5, 5, 4), [5]);
  assert.deepEqual(ticks(5, 4, 4), [5]);
  assert.deepEqual(ticks(0, NaN, 4), [0]);
});

test("digits tell ticks apart", () => {
  for (const [values, digits] of [[[0, 1], 0], [[0, 0.5], 1], [[0, 0.25], 2], [[0.1, 0.1 + 0.2], 1], [[7], 0], [[], 0], [[0, 1e-5], 5]]) {
    assert.equal(decimals(values), digits, `${values}`);
  }
  const values = ticks(0, 0.0123, 5);
  assert.equal(new Set(values.map((value) => value.toFixed(decimals(values)))).size, values.length);
});

test("the extent is that of what is finite", () => {
  assert.deepEqual(extent([NaN, 3, -1, Infinity, 2, -Infinity]), [-1, 3]);
  assert.deepEqual(extent([7]), [7, 7]);
  for (const values of [[], [NaN, NaN], [Infinity, -Infinity]]) assert.equal(extent(values), null);
});

test("the nearest of ascending numbers, the later one of two that are as near", () => {
  assert.equal(nearest([-1, 0, 1, 5], 1.9), 2);
  assert.equal(nearest([-1, 0, 1, 5], 3), 3);
  assert.equal(nearest([-1, 0, 1, 5], -9), 0);
  assert.equal(nearest([-1, 0, 1, 5], 99), 3);
});

test("a spread has both ends, each index once, and all where there is room", () => {
  assert.deepEqual(spread(4, 9), [0, 1, 2, 3]);
  assert.deepEqual(spread(0, 9), []);
  assert.deepEqual(spread(9, 1), [8]);
  for (let count = 2; count < 40; count++) {
    for (let wanted = 2; wanted <= count; wanted++) {
      const chosen = spread(count, wanted);
      assert.equal(chosen[0], 0);
      assert.equal(chosen.at(-1), count - 1);
      assert.equal(new Set(chosen).size, wanted);
    }
  }
});

test("the last loss is that of the last epoch, finite or not", () => {
  const last = (loss, figure, figureName = "accuracy") => lastLoss({ epochs: [0, 1, 2], loss, figure, figureName, hasAccuracy: figureName === "accuracy" });
  assert.deepEqual(last([2, 1.5, 1.25], [0.1, 0.2, 0.625]), ["1.250", "accuracy 62.5 %"]);
  assert.deepEqual(last([2, 1.5, 1.25], [0.1, 0.2, 0.625], "R squared"), ["1.250", "R squared 0.625"]);
  assert.deepEqual(last([2, 1.5, 1.25], [NaN, NaN, NaN], null), ["1.250", ""]);
  assert.deepEqual(last([2, 1.106, NaN], [0.1, 0.627, NaN]), ["not finite", "1.106 at epoch 1"]);
  assert.deepEqual(last([2, NaN, Infinity], [0.1, 0.2, 0.1]), ["not finite", "2.000 at epoch 0"]);
  assert.deepEqual(last([NaN, NaN, NaN], [NaN, NaN, NaN]), ["not finite", ""]);
});
