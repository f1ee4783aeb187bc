import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { State } from "../../../../rfav_cli/render/html/frontend/state.js";

const replaced = [];
globalThis.location = { pathname: "/a/report.html", search: "?x=1" };
globalThis.history = { replaceState: (_, title, address) => replaced.push(address) };

const CHANGED = {
  run: 2,
  layer: 31,
  epoch: -1,
  image: 5,
  palette: "paper",
  theme: "dark",
  unit: "nat",
  scale: "layer",
  counts: "linear",
  order: "fall",
  sort: "onset",
  filter: "a&b=c#d %20+<script>é\u202e",
};

beforeEach(() => (replaced.length = 0));

/** What the address says once the state has come to rest. */
const settled = (change) => new Promise((resolve) => change(new State({}, resolve)));

test("the address says all that is selected, and is read back", async () => {
  const hash = await settled((state) => state.set(CHANGED));
  assert.deepEqual(State.read(`#${hash}`), CHANGED);
  assert.deepEqual(State.read(hash), CHANGED);
  assert.deepEqual(replaced, [`/a/report.html?x=1#${hash}`]);
});

test("the address says only what differs from the start", async () => {
  const hash = await new Promise((resolve) => {
    const state = new State({ layer: 3, epoch: 12 }, resolve);
    assert.equal(state.get("layer"), 3);
    assert.equal(state.get("theme"), "auto");
    state.set({ layer: 4, epoch: 13, theme: "auto" });
    state.set({ epoch: 12 });
  });
  assert.equal(hash, "layer=4");
});

test("back at the start, the address has no hash", async () => {
  const hash = await settled((state) => {
    state.set({ layer: 1 });
    state.set({ layer: 0 });
  });
  assert.equal(hash, "");
  assert.deepEqual(replaced, ["/a/report.html?x=1"]);
});

test("many changes at once are one change of the address", async () => {
  await settled((state) => {
    for (let epoch = 1; epoch < 100; epoch++) state.set({ epoch });
  });
  assert.deepEqual(replaced, ["/a/report.html?x=1#epoch=99"]);
});

test("a silent change leaves the address alone", async () => {
  const state = new State({}, () => assert.fail("was remembered"));
  const heard = [];
  state.listen((changed) => heard.push([...changed]));
  state.set({ layer: 7 }, { silent: true });
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual([heard, state.get("layer")], [[["layer"]], 7]);
  assert.deepEqual(replaced, []);
});

test("listeners hear what is another value now, and nothing of what is not", () => {
  const state = new State({ layer: 2 }, () => {});
  const heard = [];
  state.listen((changed) => heard.push([...changed].sort()));
  state.listen((changed) => heard.push(changed.size));
  state.set({ layer: 2, epoch: 0 });
  assert.deepEqual(heard, []);
  state.set({ layer: 3, epoch: 0, unit: "nat" });
  assert.deepEqual(heard, [["layer", "unit"], 2]);
  clearTimeout(state.timer);
});

test("what makes no sense in an address is left out, and the rest is read", () => {
  const senseless = [
    "layer=1e9",
    "layer=9999999999",
    "layer=1.5",
    "layer=",
    "layer=-",
    "layer=NaN",
    "theme=red",
    "palette=default%00",
    "unit=NAT",
    "nothing=1",
    "=3",
    "&&&",
    "%",
  ];
  for (const text of senseless) assert.deepEqual(State.read(`#${text}&epoch=4`), { epoch: 4 }, text);
  assert.deepEqual(State.read(""), {});
});

test("names that every object has are none of ours", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"]) {
    assert.deepEqual(State.read(`#${name}=auto&epoch=4`), { epoch: 4 }, name);
  }
});
