// Elements. Text from a store only ever becomes text nodes; styles come from the stylesheet.

/** An element of HTML: properties that start with "on" are listeners, others are attributes; null leaves one out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of SVG, likewise. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A name out of a store, kept apart from the direction of the text around it; of more than `length`, the end. */
export function name(text, length = Infinity) {
  return h("bdi", { class: "name", title: text }, shortened(text, length));
}

/** The end of a long name, which says more than its beginning. */
export function shortened(text, length) {
  return text.length <= length ? text : `…${text.slice(-(length - 1))}`;
}

/** A group of buttons of which one is pressed. */
export function choice(label, options, current, chosen) {
  const buttons = options.map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(value === current()), onclick: () => chosen(value) }, text),
  );
  const group = h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
  group.refresh = () =>
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(options[i][0] === current())));
  return group;
}

const tip = h("div", { class: "tip", role: "status", "aria-hidden": "true", hidden: true });

/** Show lines beside the pointer; a line is a text, or a pair of texts that stand at both ends. */
export function showTip(event, title, lines) {
  if (!tip.isConnected) (document.querySelector(".rfav") ?? document.body).append(tip);
  fill(
    tip,
    h("strong", {}, title),
    lines.map((line) => (Array.isArray(line) ? h("div", { class: "pair" }, ...line.map((part) => h("span", {}, part))) : h("div", {}, line))),
  );
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = event.clientX + 16 + width > innerWidth ? event.clientX - width - 12 : event.clientX + 16;
  const top = Math.min(event.clientY + 14, innerHeight - height - 6);
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}

/** Take the lines away. */
export function hideTip() {
  tip.hidden = true;
}
