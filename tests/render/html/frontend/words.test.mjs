import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { doubts } from "../../../../rfav_cli/render/html/frontend/words.js";

const text = (element) => (typeof element === "string" ? element : element.children.map(text).join(""));

test("a run that nobody doubts has no such place, nor has a document that is older", () => {
  assert.equal(doubts({ doubts: [] }), null);
  assert.equal(doubts({}), null);
});

test("each doubt says where, what and what to do, as text", () => {
  const said = doubts({ doubts: [{ where: "<b>fc1</b>", words: "two forwards differ", remedy: "Look." }, { where: "", words: "so so", remedy: "Think." }] });
  const [head, list] = said.children;
  assert.equal(text(head), "In doubt, for 2 reasons:");
  assert.deepEqual(list.children.map(text), ["<b>fc1</b>: two forwards differ. Look.", "so so. Think."]);
});

test("one doubt is one", () => {
  assert.equal(text(doubts({ doubts: [{ where: "", words: "x", remedy: "y" }] }).children[0]), "In doubt:");
});
