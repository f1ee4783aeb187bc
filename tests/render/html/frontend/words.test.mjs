import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { advice, doubts, verdict } from "../../../../rfav_cli/render/html/frontend/words.js";

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

const diverged = {
  finding: { state: "diverged", onset: 13, interval: [13, 13], reason: "diverged since epoch 13: the held-out loss is not finite", basis: "held-out loss", confidence: null },
  document: { probe: { size: 1000, labels: true } },
  unit: "epoch",
  epochs: [11, 12, 13, 14],
  loss: [1.2, 1.106, NaN, NaN],
  lossName: "held-out loss",
  figureName: "accuracy",
  hasAccuracy: true,
  figure: [0.5, 0.627, 0.1, NaN],
  calibrated: [1.1, 1.05, NaN, NaN],
  temperature: [1.2, 1.3, NaN, NaN],
  confidence: [0.6, 0.7, NaN, NaN],
  layers: [{ state: null }, { state: null }],
};

test("a run that diverged is called so, and its last loss is not an earlier one", () => {
  const said = verdict({ run: diverged }).map(text).join(" ");
  assert.match(said, /✕diverged since epoch 13/);
  assert.match(said, /best held-out loss1\.106epoch 12/);
  assert.match(said, /last held-out lossnot finite1\.106 at epoch 12/);
  assert.doesNotMatch(said, /62\.7|stable|undefined|NaN/);
});

test("with a temperature stands beside the last loss where the last epoch has one", () => {
  const run = { ...diverged, loss: [1.2, 1.1, 1.3, 1.5], calibrated: [1.1, 1.05, 1.06, 1.07], temperature: [1, 1.2, 1.8, 2.345], confidence: [0.6, 0.7, 0.8, 0.9] };
  const said = verdict({ run }).map(text).join(" ");
  assert.match(said, /last with a temperature1\.070temperature 2\.35, confidence 90\.0 %/);
  assert.doesNotMatch(verdict({ run: diverged }).map(text).join(" "), /with a temperature/);
});

const unclear = {
  ...diverged,
  finding: { state: "unclear", kind: null, onset: null, interval: null, reason: "neither is sure", basis: "x", probability: 0.6, confidence: null },
};

test("a run that is unclear says how probable it is that it overfits, and is never called healthy", () => {
  const said = verdict({ run: unclear }).map(text).join(" ");
  assert.match(said, /◐unclear/);
  assert.match(said, /Probability that the run overfits: 60/);
  assert.doesNotMatch(said, /healthy|sure\.|undefined|NaN/);
});

const overconfident = {
  ...diverged,
  finding: { state: "overfitting", kind: "overconfidence", onset: 11, at_or_before: true, interval: [11, 12], reason: "x", basis: "x", probability: 0.97, confidence: 0.97 },
};

test("the kind of overfitting is said, and that it may have begun before", () => {
  const said = verdict({ run: overconfident }).map(text).join(" ");
  assert.match(said, /▼overfitting at or before epoch 11 \(overconfidence, between 11 and 12\)/);
  assert.match(said, /97\s?% sure\./);
  assert.doesNotMatch(said, /Probability/);
});

test("what to do is a list, each with its command, as text", () => {
  const steps = [{ kind: "keep", words: "Keep <b>.", command: "" }, { kind: "retrain", words: "Train.", command: "rfav recommend a.h5" }];
  const [head, list] = advice({ advice: { steps } }).children;
  assert.equal(text(head), "What to do");
  assert.deepEqual(list.children.map(text), ["Keep <b>.", "Train. rfav recommend a.h5"]);
});

test("without advice, as in an older document, there is no such place", () => {
  assert.equal(advice({}), null);
  assert.equal(advice({ advice: null }), null);
  assert.equal(advice({ advice: { steps: [] } }), null);
});
