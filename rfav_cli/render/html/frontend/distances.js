// How far each layer's weights are from those of the epoch before: a restart, a frozen layer, a change of the rate.

import { linear } from "./chart.js";
import { courses } from "./courses.js";
import { extent, moved } from "./numbers.js";

/** The curves on a scale of powers of ten; what has not moved is on the line at the bottom. */
export function distances(app, body) {
  return courses(app, body, {
    figure: "distance",
    words: "distance of the weights from the epoch before",
    empty: "The store has no distances between the weights of its epochs.",
    text: moved,
    axis: (values, height) => {
      const range = powers(values);
      return range && { y: heights(range, height), marks: [0, ...decades(range)] };
    },
  });
}

/** The whole powers of ten around the distances that are not 0; null where there is none at all, one decade for zeros. */
export function powers(values) {
  if (!extent(values)) return null;
  const some = extent(values.filter((value) => value > 0).map(Math.log10)) ?? [-1, 0];
  const [low, high] = [Math.floor(some[0]), Math.ceil(some[1]) + 0]; // no -0
  return [low, Math.max(high, low + 1)];
}

/** From distances to pixels; 0 is at the bottom, apart from the others. */
export function heights([low, high], height) {
  const scale = linear(low, high, height - 14, 0);
  return (value) => (value === 0 ? height : scale(Math.log10(value)));
}

function decades([low, high]) {
  const step = Math.ceil((high - low) / 6);
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => 10 ** (low + i * step));
}
