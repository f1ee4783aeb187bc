// The states of runs and layers: tone and mark of each, as rfav_cli/render/states.py has them.

const RUNS = {
  healthy: ["good", "✓"],
  overfitting: ["bad", "▼"],
  sparsifying: ["warn", "▲"],
  unclear: ["warn", "◐"],
  "not learning": ["bad", "–"],
  broken: ["bad", "↯"],
  diverged: ["bad", "✕"],
  unknown: ["plain", "?"],
};
const LAYERS = {
  stable: ["good", "●"],
  falling: ["warn", "▲"],
  collapsed: ["bad", "▼"],
};

/** The class of a run's state: its tone; a state of a later version has none. */
export function toneOf(state) {
  return (RUNS[state] ?? ["plain"])[0];
}

/** The mark of a run's state. */
export function markOf(state) {
  return (RUNS[state] ?? ["", "?"])[1];
}

/** The class of a layer's state. */
export function layerTone(state) {
  return (LAYERS[state] ?? ["plain"])[0];
}

/** The mark of a layer's state; a circle where it has none. */
export function layerMark(state) {
  return (LAYERS[state] ?? ["", "○"])[1];
}

/** Since when: " since epoch 11", " at or before epoch 3"; nothing where that is not known. */
export function since(finding) {
  if (finding.onset === null || finding.onset === undefined) return "";
  return ` ${finding.at_or_before ? "at or before" : "since"} ${finding.unit ?? "epoch"} ${finding.onset}`;
}
