import "./fake_dom.mjs";

import assert from "node:assert/strict";
import { test } from "node:test";

import { DASHES, css, layerColour, picture, table } from "../../../../rfav_cli/render/html/frontend/colour.js";

const LIGHT = [255, 255, 255];
const DARK = [24, 28, 36]; // the card of style.css in the dark

/** Bytes of "#rrggbb" or "rgb(r g b)". */
function bytes(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return colour.match(/\d+/g).map(Number);
}

/** Relative luminance, WCAG 2. */
function luminance(colour) {
  const [red, green, blue] = colour.map((byte) => (byte <= 10.31 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const colours = (scale) => Array.from({ length: 256 }, (_, i) => [...table(scale).subarray(3 * i, 3 * i + 3)]);

test("lightness alone orders a scale: it rises on screens, and falls on paper", () => {
  for (const [scale, sign] of [["default", 1], ["paper", -1]]) {
    const lights = colours(scale).map(luminance);
    assert.equal(lights.length, 256);
    for (let i = 8; i < 256; i++) assert.ok(sign * (lights[i] - lights[i - 8]) > 0, `${scale} at ${i}`);
  }
});

test("the ends of a scale are far apart, and its high end stands out from the page it is made for", () => {
  for (const scale of ["default", "paper"]) assert.ok(contrast(colours(scale)[0], colours(scale)[255]) > 7, scale);
  assert.ok(contrast(colours("default")[255], DARK) > 7);
  assert.ok(contrast(colours("paper")[255], LIGHT) > 7);
});

test("the first and the last colour are those of 0 and 1, and what is beyond is as the end", () => {
  for (const scale of ["default", "paper"]) {
    const all = colours(scale).map((colour) => `rgb(${colour.join(" ")})`);
    for (const [share, expected] of [[0, all[0]], [-3, all[0]], [1, all[255]], [7, all[255]], [1 / 255, all[1]], [0.5, all[128]]]) {
      assert.equal(css(scale, share), expected, `${scale} at ${share}`);
    }
  }
});

test("the ends are what CSS calls oklch(0.2 0.09 290) to oklch(0.93 0.17 107), and on paper oklch(0.97 0.1 107) to oklch(0.3 0.13 268)", () => {
  assert.deepEqual([css("default", 0), css("default", 1)], ["rgb(24 8 59)", "rgb(245 239 84)"]);
  assert.deepEqual([css("paper", 0), css("paper", 1)], ["rgb(252 251 171)", "rgb(19 35 110)"]);
});

test("a table is made once", () => assert.equal(table("paper"), table("paper")));

test("few layers have colours of their own, which can be seen on both pages", () => {
  for (let count = 1; count <= 8; count++) {
    const own = Array.from({ length: count }, (_, index) => layerColour(index, count));
    assert.equal(new Set(own).size, count);
    for (const colour of own) for (const page of [LIGHT, DARK]) assert.ok(contrast(bytes(colour), page) > 2.3, colour);
  }
});

test("many layers are coloured by their place, from dark to light", () => {
  const lights = Array.from({ length: 60 }, (_, index) => luminance(bytes(layerColour(index, 60))));
  assert.ok(lights.every((light, i) => i === 0 || light >= lights[i - 1]));
  assert.ok(lights[59] > 2 * lights[0]);
});

test("runs have different dashes", () => assert.equal(new Set(DASHES).size, DASHES.length));

test("a picture has a pixel a cell, clear where there is no number", () => {
  const shares = [[0, 1, NaN], [-5, 9, 0.5]];
  const { image, width, height } = picture(3, 2, "default", (x, y) => shares[y][x]);
  assert.deepEqual([width, height], [3, 2]);
  const all = colours("default");
  const expected = [all[0], all[255], null, all[0], all[255], all[128]];
  expected.forEach((colour, i) => assert.deepEqual([...image.data.subarray(4 * i, 4 * i + 4)], colour ? [...colour, 255] : [0, 0, 0, 0]));
});

test("a picture of nothing is a clear pixel, as no canvas is smaller", () => {
  const { image, width, height } = picture(0, 0, "paper", () => assert.fail("no cell"));
  assert.deepEqual([width, height, ...image.data], [1, 1, 0, 0, 0, 0]);
});
