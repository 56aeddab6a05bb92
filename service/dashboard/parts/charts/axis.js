// An axis of values: numbers (by themselves logarithmic where they spread far), or texts side by side.
import { decades, linear, logarithmic, ticks, words } from "./scales.js";

const FAR = 50; // the largest is so many times the smallest: logarithmic
const EVEN = 0.15; // of the range: so close to its middle is the median of values that are spread evenly, which stay linear

export function axisOf(values, from, to, fewest = 5) {
  const present = values.filter((value) => value !== null && value !== undefined);
  if (present.some((value) => typeof value === "string")) return ofTexts(present, from, to);
  let [low, high] = [Infinity, -Infinity];
  for (const value of present) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const log = low > 0 && high / low >= FAR && !isEven(present, low, high);
  if (low === high) [low, high] = low ? [low - Math.abs(low) / 2, high + Math.abs(high) / 2] : [-1, 1];
  const scale = (log ? logarithmic : linear)(low, high, from, to);
  const marks = log ? decades(low, high) : ticks(low, high, fewest);
  return { kind: log ? "log" : "linear", low, high, of: (value) => (value === null ? null : scale.of(value)), at: (place) => scale.at(place), marks: marks.map((value) => ({ value, text: words(value, 3) })) };
}

function isEven(values, low, high) {
  const median = [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
  return Math.abs((median - low) / (high - low) - 0.5) < EVEN;
}

function ofTexts(present, from, to) {
  const texts = [...new Set(present.map(String))].sort();
  const step = (to - from) / texts.length;
  const places = new Map(texts.map((text, number) => [text, from + step * (number + 0.5)]));
  return {
    kind: "text", low: texts[0], high: texts.at(-1), texts, of: (value) => (value === null ? null : places.get(String(value)) ?? null),
    at: (place) => texts[Math.max(0, Math.min(texts.length - 1, Math.floor((place - from) / step)))],
    marks: texts.length > 16 ? [] : texts.map((value) => ({ value, text: value.length > 14 ? `${value.slice(0, 13)}…` : value })),
  };
}

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const isDark = () => document.documentElement.dataset.bsTheme === "dark";

// The colours of cividis, which people see alike whether or not they see red and green. The best stands out most.
const STOPS = [[0, 32, 77], [49, 68, 107], [102, 105, 112], [149, 143, 120], [203, 186, 105], [255, 234, 70]];
export function shade(share) {
  const place = Math.max(0, Math.min(1, isDark() ? 1 - share : share * 0.92)) * (STOPS.length - 1);
  const first = Math.min(STOPS.length - 2, Math.floor(place));
  const mixed = STOPS[first].map((part, color) => Math.round(part + (STOPS[first + 1][color] - part) * (place - first)));
  return `rgb(${mixed.join(" ")})`;
}

// From 0 (the best) to 1 of each outcome, by its rank: one that is far off takes no colours from the others.
export function ranks(values, mode) {
  const order = [...values.keys()].filter((at) => values[at] !== null).sort((one, other) => values[one] - values[other]);
  if (mode === "max") order.reverse();
  const found = new Array(values.length).fill(null);
  order.forEach((at, rank) => { found[at] = order.length > 1 ? rank / (order.length - 1) : 0; });
  order.forEach((at, rank) => { if (rank && values[at] === values[order[rank - 1]]) found[at] = found[order[rank - 1]]; });
  return found;
}

// Draws anew where the figure's width is another: an observer's first word is of a width that is drawn already.
export function onWidth(figure, draw) {
  let width = figure.clientWidth;
  new ResizeObserver(() => { if (figure.clientWidth !== width) { width = figure.clientWidth; draw(); } }).observe(figure);
}

export function canvasIn(figure, height, label) {
  const canvas = Object.assign(document.createElement("canvas"), { tabIndex: 0, className: "canvas-chart" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  figure.replaceChildren(canvas, tip);
  const fit = () => {
    const width = Math.max(260, figure.clientWidth);
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    return { pen, width, height };
  };
  return { canvas, tip, fit };
}

export function showTip(tip, figure, x, y, lines) {
  tip.replaceChildren(...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
  tip.hidden = false;
  tip.style.left = `${Math.max(0, x + 14 + tip.offsetWidth > figure.clientWidth ? x - tip.offsetWidth - 14 : x + 14)}px`;
  tip.style.top = `${Math.max(0, y - 12)}px`;
}

// What a chart says that has nothing to draw.
export function empty(pen, width, height, text) {
  pen.fillStyle = css("--quiet");
  pen.textAlign = "center";
  pen.fillText(text, width / 2, height / 2);
}
