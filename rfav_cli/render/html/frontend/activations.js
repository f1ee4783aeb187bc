// What the entropy of an activation has in one: how large it is, and how it is spread over the filters at unit scale.

import { linear } from "./chart.js";
import { courses } from "./courses.js";
import { extent, percent } from "./numbers.js";

const EMPTY = "The store was measured without scale and shape.";

/** How large each layer's activation is, on a scale of powers of two. */
export function scales(app, body) {
  return courses(app, body, {
    figure: "scale",
    words: "scale of the activation",
    empty: EMPTY,
    text: size,
    axis: (values, height) => {
      const range = doublings(values);
      if (!range) return null;
      const y = linear(...range, height, 0);
      const step = Math.ceil((range[1] - range[0]) / 6);
      const marks = Array.from({ length: Math.floor((range[1] - range[0]) / step) + 1 }, (_, i) => 2 ** (range[0] + i * step));
      return { y: (value) => y(Math.log2(value)), marks };
    },
  });
}

/** The entropy of each layer's activation with each filter at unit scale, as a share of ln D. */
export function shapes(app, body) {
  return courses(app, body, {
    figure: "shape",
    words: "shape of the activation / ln D",
    empty: EMPTY,
    value: (nats, layer) => nats / layer.top,
    text: (share) => percent(share),
    axis: (values, height) => extent(values) && { y: linear(0, 1, height, 0), marks: [0, 0.25, 0.5, 0.75, 1] },
  });
}

/** The whole powers of two around sizes; null where there are none above 0. */
export function doublings(values) {
  const some = extent(values.filter((value) => value > 0).map(Math.log2));
  if (!some) return null;
  const [low, high] = [Math.floor(some[0]) + 0, Math.ceil(some[1]) + 0]; // no -0
  return [low, Math.max(high, low + 1)];
}

/** A size in three digits, or a dash. */
export function size(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "–";
}
