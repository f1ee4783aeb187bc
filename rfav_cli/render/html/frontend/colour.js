// Colour scales, made in OKLCH so that equal steps look equal and their lightness alone orders them: they can be read
// with any colour vision, and on paper.

const SCALES = {
  // lightness, chroma, hue at equal distances
  default: [
    [0.2, 0.09, 290],
    [0.36, 0.12, 275],
    [0.5, 0.1, 235],
    [0.64, 0.11, 190],
    [0.78, 0.15, 145],
    [0.93, 0.17, 107],
  ],
  paper: [
    [0.97, 0.1, 107],
    [0.88, 0.12, 125],
    [0.76, 0.11, 175],
    [0.62, 0.11, 225],
    [0.46, 0.14, 258],
    [0.3, 0.13, 268],
  ],
};

const tables = new Map();

/** 256 colours of a scale, as bytes of red, green and blue. */
export function table(scale) {
  if (!tables.has(scale)) {
    const bytes = new Uint8ClampedArray(256 * 3);
    for (let i = 0; i < 256; i++) bytes.set(colourAt(SCALES[scale], i / 255), 3 * i);
    tables.set(scale, bytes);
  }
  return tables.get(scale);
}

/** The colour of a share between 0 and 1, as CSS. */
export function css(scale, share) {
  const at = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  const [red, green, blue] = table(scale).subarray(at, at + 3);
  return `rgb(${red} ${green} ${blue})`;
}

function colourAt(stops, share) {
  const place = Math.min(share * (stops.length - 1), stops.length - 1.000001);
  const [from, to] = [stops[Math.floor(place)], stops[Math.floor(place) + 1]];
  const [lightness, chroma, hue] = from.map((value, i) => value + (to[i] - value) * (place % 1));
  const angle = (hue * Math.PI) / 180;
  return fromOklab(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle));
}

function fromOklab(lightness, a, b) {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ].map((linear) => 255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.max(linear, 0) ** (1 / 2.4) - 0.055));
}

const FEW = ["#0072b2", "#e08a00", "#009e73", "#d55e00", "#56a5d8", "#b8609a", "#8c7b00", "#6f6f78"];

/** The colour of a layer's line: one of its own among few, its place in the net among many. */
export function layerColour(index, count) {
  return count <= FEW.length ? FEW[index] : css("default", 0.3 + 0.42 * (index / (count - 1)));
}

/** How the line of a run is dashed. */
export const DASHES = ["none", "7 4", "2 3", "9 3 2 3", "12 4", "4 2 1 2"];

/** A picture of cells: `paint(x, y)` gives a share between 0 and 1 for each, or NaN for nothing. */
export function picture(width, height, scale, paint) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(width, 1), Math.max(height, 1)];
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const colours = table(scale);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const share = paint(x, y);
      if (Number.isNaN(share)) continue;
      const from = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
      const to = 4 * (y * width + x);
      image.data[to] = colours[from];
      image.data[to + 1] = colours[from + 1];
      image.data[to + 2] = colours[from + 2];
      image.data[to + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
