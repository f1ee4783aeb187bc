// Views as files.

import { h, s } from "./dom.js";

const STYLES = [
  ["fill", "fill"],
  ["fill-opacity", "fillOpacity"],
  ["stroke", "stroke"],
  ["stroke-width", "strokeWidth"],
  ["stroke-opacity", "strokeOpacity"],
  ["stroke-dasharray", "strokeDasharray"],
  ["stroke-linejoin", "strokeLinejoin"],
  ["opacity", "opacity"],
  ["font-family", "fontFamily"],
  ["font-size", "fontSize"],
  ["font-weight", "fontWeight"],
  ["text-anchor", "textAnchor"],
  ["dominant-baseline", "dominantBaseline"],
  ["paint-order", "paintOrder"],
  ["visibility", "visibility"],
  ["image-rendering", "imageRendering"],
];

/** Buttons that download a view. `view` has `name()`, `rows()` for a table, and for a drawing `svg()` and `subject()`. */
export function downloads(title, view) {
  const drawing = () => standalone(view.svg(), `${title}: ${view.subject()}`);
  const button = (kind, make) =>
    h("button", { type: "button", title: `Download this view as ${kind}`, onclick: async () => save(`${view.name()}.${kind.toLowerCase()}`, await make()) }, kind);
  return h(
    "div",
    { class: "downloads", role: "group", "aria-label": "Download" },
    view.svg && button("PNG", () => png(drawing())),
    view.svg && button("SVG", () => new Blob([new XMLSerializer().serializeToString(drawing())], { type: "image/svg+xml" })),
    view.rows && button("CSV", async () => new Blob([csv(await view.rows())], { type: "text/csv" })),
  );
}

function save(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name.replace(/[^\w.-]+/g, "-") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Rows of cells as comma-separated text; none is a formula to a spreadsheet. */
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : ""; // of single precision
  let text = String(value ?? "");
  if (/^\s*[=+\-@]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A drawing on the page as one of its own, under a title and the legend of its card. */
function standalone(svg, title) {
  const card = svg.closest(".card");
  const { backgroundColor, color, fontFamily } = getComputedStyle(card);
  const keys = [...card.querySelectorAll(".legend svg")];
  const top = keys.length ? 62 : 30;
  const [width, height] = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height")) + top];
  let left = 8;
  const legend = keys.map((key) => {
    const copy = styled(key, { x: left, y: 28 });
    left += Number(key.getAttribute("width")) + 14;
    return copy;
  });
  return s(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
    s("rect", { width, height, fill: backgroundColor }),
    s("text", { x: 8, y: 19, fill: color, "font-family": fontFamily, "font-size": 13, "font-weight": 600 }, title),
    legend,
    styled(svg, { y: top }),
  );
}

/** A copy into which is written what the stylesheet says. */
function styled(svg, place) {
  const copy = svg.cloneNode(true);
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const [attribute, property] of STYLES) {
      if (style[property]) element.setAttribute(attribute, style[property]);
    }
    for (const attribute of ["class", "tabindex", "role"]) element.removeAttribute(attribute);
  });
  copy.querySelectorAll('[visibility="hidden"]').forEach((element) => element.remove());
  copy.removeAttribute("class");
  copy.setAttribute("overflow", "visible");
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
  return copy;
}

async function png(svg) {
  const scale = 2;
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = h("canvas", { width: Math.round(svg.getAttribute("width") * scale), height: Math.round(svg.getAttribute("height") * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
