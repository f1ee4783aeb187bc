// Numbers in words.

/** Nats, or a dash. */
export function nats(value) {
  return Number.isFinite(value) ? `${value.toFixed(value !== 0 && Math.abs(value) < 0.1 ? 3 : 2)} nat` : "–";
}

/** A share in per cent, or a dash. */
export function percent(share, digits = 0) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

/** A number with a few digits, or a dash. */
export function plain(value, digits = 2) {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

/** A figure of a run, as a share where it is an accuracy. */
export function figureText(run, value) {
  return run.hasAccuracy ? percent(value, 1) : plain(value, 3);
}

/** The loss of the last epoch, whatever it is, and what stands beside it: the task's figure, or the last finite loss. */
export function lastLoss(run) {
  const { epochs, loss, unit = "epoch" } = run;
  if (Number.isFinite(loss.at(-1))) return [plain(loss.at(-1), 3), run.figureName ? `${run.figureName} ${figureText(run, run.figure.at(-1))}` : ""];
  const row = loss.findLastIndex(Number.isFinite);
  return ["not finite", row < 0 ? "" : `${plain(loss[row], 3)} at ${unit} ${epochs[row]}`];
}

/** A share of any size in per cent with two digits, or a dash. */
export function moved(share) {
  return Number.isFinite(share) ? `${Number((100 * share).toPrecision(2))} %` : "–";
}

/** Round values that divide a range, about as many as are wanted. */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

/** Digits that tell ticks apart. */
export function decimals(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 1;
  for (let digits = 0; digits < 6; digits++) {
    if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6) return digits;
  }
  return 6;
}

/** The lowest and the highest of what is finite, or null. */
export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** The index of the nearest of ascending numbers. */
export function nearest(ascending, value) {
  let best = 0;
  for (let i = 1; i < ascending.length; i++) {
    if (Math.abs(ascending[i] - value) <= Math.abs(ascending[best] - value)) best = i;
  }
  return best;
}

/** At most `wanted` of `count` indices, evenly spread from the first to the last. */
export function spread(count, wanted) {
  if (count <= wanted) return Array.from({ length: count }, (_, i) => i);
  if (wanted < 2) return [count - 1];
  return Array.from({ length: wanted }, (_, i) => Math.round((i * (count - 1)) / (wanted - 1)));
}
