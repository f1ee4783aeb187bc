// How sure the net is of samples that it was trained on, and of the probe: a gap says that it memorises.

import { epochAxis, epochCursor, epochScale, frame, linear, onsetMark, path, pointer, valueAxis } from "./chart.js";
import { DASHES } from "./colour.js";
import { hideTip, s, showTip } from "./dom.js";
import { extent, nearest, percent } from "./numbers.js";

const HEIGHT = 210;
const APART = 13;

/** The two curves of the run that is selected. */
export function confidences(app, body) {
  let parts = null;

  function draw() {
    const { run } = app;
    const trained = run.trained;
    if (!extent(trained.confidence)) {
      parts = null;
      body.textContent = "The run was measured without training samples (--train-probe).";
      return;
    }
    const chart = frame({ width: body.clientWidth, height: HEIGHT, margin: { left: 58, right: 112, top: 14, bottom: 36 }, label: `Mean confidence on training samples and on the probe in ${run.epochs.length} ${run.unit}s` });
    const x = epochScale(run.epochs, 0, chart.width);
    const y = linear(0, 1, chart.height, 0);
    valueAxis(chart.plot, y, 0, 1, chart.width, { wanted: 4, title: "mean confidence", height: chart.height, text: (value) => percent(value) });
    epochAxis(chart.plot, x, run.epochs, chart.width, chart.height, run.unit);
    const onset = onsetMark(run.finding, x, chart.height, "5 3");
    const courses = { "training samples": trained.confidence, probe: heldOut(trained) };
    const lines = Object.values(courses).map((course, i) => s("path", { class: "curve", stroke: "currentColor", "stroke-dasharray": DASHES[i], d: path(run.epochs.map(x), course.map(y)) }));
    const cursor = epochCursor(x, chart.height);
    chart.plot.append(...[onset].filter(Boolean), ...lines, ...names(courses, chart, y), cursor);
    parts = { chart, cursor };
    react(chart, x);
    body.replaceChildren(chart.svg);
    mark();
  }

  function react(chart, x) {
    pointer(chart, {
      move: (event, px) => {
        const row = nearest(app.run.epochs, x.inverse(px));
        const { confidence, gap } = app.run.trained;
        showTip(event, `${app.run.unit} ${app.run.epochs[row]}`, [
          ["training samples", percent(confidence[row], 1)],
          ["probe", percent(heldOut(app.run.trained)[row], 1)],
          ["difference", percent(gap[row], 1)],
        ]);
      },
      leave: hideTip,
      press: (event, px) => app.select({ epoch: app.run.epochs[nearest(app.run.epochs, x.inverse(px))] }),
    });
  }

  function mark() {
    if (parts) parts.cursor.move(app.epoch);
  }

  return {
    draw,
    mark,
    name: () => `${app.run.name}-confidences`,
    subject: () => app.run.name,
    svg: () => parts?.chart.svg ?? null,
    rows: () => [
      ["epoch", "mean confidence on training samples", "mean confidence on the probe", "difference"],
      ...app.run.epochs.map((epoch, i) => [epoch, app.run.trained.confidence[i], heldOut(app.run.trained)[i], app.run.trained.gap[i]]),
    ],
  };
}

/** The confidence on the probe, by what is known of the training samples. */
export function heldOut({ confidence, gap }) {
  return confidence.map((value, i) => value - gap[i]);
}

/** Where the names of two curves stand that end at these heights, so that neither is on the other. */
export function apart([first, second], least = APART) {
  const short = (least - Math.abs(first - second)) / 2;
  if (!(short > 0)) return [first, second];
  return first <= second ? [first - short, second + short] : [first + short, second - short];
}

function names(courses, chart, y) {
  const ends = Object.values(courses).map((course) => y(course.findLast(Number.isFinite) ?? 0));
  const places = apart(ends);
  return Object.keys(courses).map((name, i) => s("text", { class: "line-name", x: chart.width + 6, y: places[i], "dominant-baseline": "central" }, name));
}
