// Views as files.

import { h } from "./dom.js";

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

/** Buttons that download a view. `view` has `name`, `rows()` for a table and `svg()` for a drawing. */
export function downloads(view) {
  const button = (kind, make) =>
    h("button", { type: "button", title: `Download this view as ${kind}`, onclick: async () => save(`${view.name()}.${kind.toLowerCase()}`, await make()) }, kind);
  return h(
    "div",
    { class: "downloads", role: "group", "aria-label": "Download" },
    view.svg && button("PNG", () => png(view.svg())),
    view.svg && button("SVG", () => new Blob([standalone(view.svg())], { type: "image/svg+xml" })),
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
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  let text = String(value ?? "");
  if (/^\s*[=+\-@]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A drawing on the page as a file of its own: what the stylesheet says of it is written into it. */
export function standalone(svg) {
  const copy = svg.cloneNode(true);
  const [width, height] = [svg.getAttribute("width"), svg.getAttribute("height")];
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const [attribute, property] of STYLES) {
      if (style[property]) element.setAttribute(attribute, style[property]);
    }
    for (const attribute of ["class", "tabindex", "role"]) element.removeAttribute(attribute);
  });
  copy.querySelectorAll('[visibility="hidden"]').forEach((element) => element.remove());
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  back.setAttribute("width", width);
  back.setAttribute("height", height);
  back.setAttribute("fill", getComputedStyle(svg.closest(".card")).backgroundColor);
  copy.prepend(back);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  copy.removeAttribute("class");
  return new XMLSerializer().serializeToString(copy);
}

async function png(svg) {
  const scale = 2;
  const url = URL.createObjectURL(new Blob([standalone(svg)], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = h("canvas", { width: Math.round(svg.getAttribute("width") * scale), height: Math.round(svg.getAttribute("height") * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
