import assert from "node:assert/strict";
import { test } from "node:test";

import { Block, Run } from "../../../../rfav_cli/render/html/frontend/data.js";

/** What a source gives: deflated bytes. */
function deflated(array) {
  const stream = new Blob([array]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function manifest(blocks = {}) {
  const layers = ["a", "b"].map((name) => ({ name, onset: null, entropy: { max: 2 }, correlation: {} }));
  const epochs = [-1, 0, 4].map((epoch) => ({ epoch, loss: epoch ? 1.5 : null, accuracy: null, calibrated_loss: epoch < 0 ? null : 1.25, ...(epoch >= 0 && { temperature: 2 }) }));
  return {
    id: "7",
    name: "run",
    revision: "r1",
    document: { run: { onset: 4, interval: [0, 4], state: "overfitting" }, layers, epochs, probe: { size: 3 } },
    smoothed_loss: [null, 1, 2],
    positions: [[2, 2], []],
    images: { shown: 2, kept: 2, labels: null },
    blocks,
  };
}

const FIGURES = { dtype: "f4", shape: [3, 2] };

/** A run, what was asked of its source, and a way to make the source fail. */
function runOf(arrays, described) {
  const source = {
    asked: [],
    failing: false,
    block: async (...arguments_) => {
      source.asked.push(arguments_);
      if (source.failing) throw new Error("the server is away");
      return deflated(arrays[arguments_[1]]);
    },
  };
  return [new Run(source, manifest(described), 0), source];
}

test("a block is read by its type, and its rows follow the first axis", () => {
  const block = new Block({ dtype: "u2", shape: [2, 1, 3] }, new Uint16Array([1, 2, 3, 4, 5, 65535]).buffer);
  assert.deepEqual([...block.row(0)], [1, 2, 3]);
  assert.deepEqual([...block.row(1)], [4, 5, 65535]);
  assert.equal(block.value(65535), 65535);
  const scalars = new Block({ dtype: "i4", shape: [2] }, new Int32Array([-1, 5]).buffer);
  assert.deepEqual([...scalars.row(0), ...scalars.row(1)], [-1, 5]);
});

test("codes mean shares of the top; the code above the levels is NaN", () => {
  const block = new Block({ dtype: "u1", shape: [4], quantised: { top: 3.4657, levels: 254 } }, new Uint8Array([0, 127, 254, 255]).buffer);
  const [zero, half, top, none] = [...block.data].map((code) => block.value(code));
  assert.equal(zero, 0);
  assert.ok(Math.abs(half - 3.4657 / 2) < 1e-12);
  assert.equal(top, 3.4657);
  assert.ok(Number.isNaN(none));
});

test("a block of another length than its shape says is none", () => {
  for (const bytes of [0, 3, 4, 20, 23, 25, 28]) {
    assert.throws(() => new Block(FIGURES, new ArrayBuffer(bytes)), RangeError, `${bytes} bytes`);
  }
  assert.equal(new Block({ dtype: "u1", shape: [0, 5] }, new ArrayBuffer(0)).data.length, 0);
});

test("the row nearest to an epoch, where a block holds some of them", () => {
  const every = new Block({ dtype: "u1", shape: [3] }, new ArrayBuffer(3));
  assert.deepEqual([0, 1, 2].map((epoch) => every.nearestRow(epoch)), [0, 1, 2]);
  const some = new Block({ dtype: "u1", shape: [3], rows: [0, 4, 9] }, new ArrayBuffer(3));
  assert.deepEqual(Array.from({ length: 10 }, (_, epoch) => some.nearestRow(epoch)), [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]);
  assert.equal(some.nearestRow(25), 2); // the run goes on, the block does not yet
});

test("figures that are missing in the document are NaN", () => {
  const [run] = runOf({}, {});
  assert.deepEqual(run.loss, [1.5, NaN, 1.5]);
  assert.deepEqual(run.accuracy, [NaN, NaN, NaN]);
  assert.deepEqual(run.smoothed, [NaN, 1, 2]);
  assert.deepEqual(run.calibrated, [NaN, 1.25, 1.25]);
  assert.deepEqual(run.temperature, [NaN, 2, 2]);
  assert.deepEqual([run.confidence, run.calibrationError], [[NaN, NaN, NaN], [NaN, NaN, NaN]]);
  assert.deepEqual(run.layers.map(({ index, top }) => [index, top]), [[0, 2], [1, 2]]);
  assert.equal(run.onset, 4);
  assert.ok(Number.isNaN(run.at("entropy", 0, 0)));
});

test("an epoch that was not measured is at the nearest that was", () => {
  const [run] = runOf({}, {});
  assert.deepEqual([-9, -1, 0, 1, 2, 3, 4, 99].map((epoch) => run.indexOf(epoch)), [0, 0, 1, 1, 1, 2, 2, 2]);
});

test("figures are those of the block, by epoch and layer", async () => {
  const [run] = runOf({ entropy: new Float32Array([1, 2, 3, 4, 5, 6]) }, { entropy: FIGURES });
  await run.ready();
  assert.equal(run.at("entropy", 2, 1), 6);
  assert.deepEqual(run.course("entropy", 0), [1, 3, 5]);
  assert.deepEqual(run.course("sample_std", 0), [NaN, NaN, NaN]);
});

test("a block is asked for once, by the revision that the manifest told", async () => {
  const [run, source] = runOf({ entropy: new Float32Array(6) }, { entropy: FIGURES });
  const [one, other] = await Promise.all([run.block("entropy"), run.block("entropy")]);
  assert.equal(one, other);
  assert.equal(await run.block("entropy"), one);
  assert.deepEqual(source.asked, [["7", "entropy", "r1"]]);
});

test("a block that the run has not is null, and nobody is asked", async () => {
  const [run, source] = runOf({}, {});
  assert.equal(await run.block("map/0"), null);
  assert.equal(run.withBlocks(["map/0"], (block) => [block])[0], null);
  assert.deepEqual(source.asked, []);
});

test("a block that cannot be read is null, and asked for again", async () => {
  const [run, source] = runOf({ entropy: new Float32Array(6) }, { entropy: FIGURES });
  source.failing = true;
  assert.equal(await run.block("entropy"), null);
  await assert.rejects(run.needed("entropy"), /away/);
  assert.equal(await run.block("entropy"), null);
  source.failing = false;
  assert.equal((await run.block("entropy")).data.length, 6);
  assert.ok(source.asked.length >= 3);
});

test("bytes that are cut, not deflated, or of no known type are no block", async () => {
  const described = { short: FIGURES, odd: FIGURES, torn: FIGURES, plain: FIGURES, strange: { dtype: "f8", shape: [1] } };
  const [run, source] = runOf({ short: new Float32Array(5), odd: new Uint8Array(23), strange: new Uint8Array(8) }, described);
  const whole = source.block;
  source.block = async (id, name, revision) => {
    if (name === "torn") return (await deflated(new Float32Array(6))).slice(0, 5);
    return name === "plain" ? new Float32Array(6).buffer : whole(id, name, revision);
  };
  for (const name of Object.keys(described)) assert.equal(await run.block(name), null, name);
});

test("what every view needs cannot be missing: without it, the run is not ready", async () => {
  const [run, source] = runOf({ entropy: new Float32Array(6) }, { entropy: FIGURES });
  source.failing = true;
  await assert.rejects(run.ready(), /away/);
});

test("blocks that were read before are handed over at once, as paper does not wait", async () => {
  const [run] = runOf({ entropy: new Float32Array([1, 2, 3, 4, 5, 6]) }, { entropy: FIGURES });
  const waiting = run.withBlocks(["entropy", "map/0"], (entropy, map) => [entropy.data[5], map]);
  assert.ok(waiting instanceof Promise);
  assert.deepEqual(await waiting, [6, null]);
  assert.deepEqual(run.withBlocks(["entropy", "map/0"], (entropy, map) => [entropy.data[5], map]), [6, null]);
});
