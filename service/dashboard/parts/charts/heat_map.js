// The best or the median outcome of the runs by two of their parameters, as a grid of colours.
import { axisOf, ranks, shade } from "./axis.js";
import { drawn } from "./elements.js";
import { words } from "./scales.js";

const MARGIN = { top: 8, right: 8, bottom: 44, left: 78 };
const HEIGHT = 320;
const MOST_TEXTS = 60; // a side
const MOST_CELLS = 16; // a side; of numbers with more values in so many even ranges

export function heatMap(figure, { x, y, outcome, mode, of, xName, yName, chosen }) {
  const width = Math.max(260, figure.clientWidth);
  const [columns, rows] = [cellsOf(x), cellsOf(y)];
  const groups = new Map();
  x.forEach((value, at) => {
    const [column, row] = [columns.of(value), rows.of(y[at])];
    if (column === null || row === null || outcome[at] === null || (chosen && !chosen[at])) return;
    const key = row * columns.texts.length + column;
    groups.set(key, [...(groups.get(key) ?? []), outcome[at]]);
  });
  const keys = [...groups.keys()];
  const values = keys.map((key) => summary(groups.get(key), of, mode));
  const colors = ranks(values, mode);
  const svg = drawn("svg", { class: "heat", viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": `${of} outcome by ${xName} and ${yName}` });
  const [wide, high] = [(width - MARGIN.left - MARGIN.right) / columns.texts.length, (HEIGHT - MARGIN.top - MARGIN.bottom) / rows.texts.length];
  keys.forEach((key, at) => {
    const [row, column] = [Math.floor(key / columns.texts.length), key % columns.texts.length];
    const cell = drawn("rect", { x: MARGIN.left + column * wide + 0.5, y: HEIGHT - MARGIN.bottom - (row + 1) * high + 0.5, width: Math.max(1, wide - 1), height: Math.max(1, high - 1), rx: 2, fill: shade(colors[at]) });
    cell.append(drawn("title", {}, `${xName} ${columns.texts[column]}, ${yName} ${rows.texts[row]}: ${of} ${words(values[at], 5)}, ${groups.get(key).length} ${groups.get(key).length === 1 ? "run" : "runs"}`));
    svg.append(cell);
  });
  labels(svg, columns, rows, wide, high, width);
  svg.append(drawn("text", { x: width - MARGIN.right, y: HEIGHT - 6, "text-anchor": "end" }, `${xName} → `), drawn("text", { x: 4, y: HEIGHT - 6 }, `${yName} ↑`));
  if (!keys.length) svg.append(drawn("text", { x: width / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "No run has these values yet."));
  figure.replaceChildren(svg, key(values, colors), ...untold(xName, columns), ...untold(yName, rows));
}

function labels(svg, columns, rows, wide, high, width) {
  const every = Math.ceil((columns.texts.length * 58) / (width - MARGIN.left));
  columns.texts.forEach((text, at) => { if (at % every === 0) svg.append(drawn("text", { x: MARGIN.left + (at + 0.5) * wide, y: HEIGHT - MARGIN.bottom + 16, "text-anchor": "middle" }, short(text))); });
  const apart = Math.ceil(rows.texts.length / 12);
  rows.texts.forEach((text, at) => { if (at % apart === 0) svg.append(drawn("text", { x: MARGIN.left - 8, y: HEIGHT - MARGIN.bottom - (at + 0.5) * high + 4, "text-anchor": "end" }, short(text))); });
}

const untold = (name, { texts, left }) => (left ? [Object.assign(document.createElement("p"), { className: "quiet", textContent: `${texts.length} of the ${texts.length + left} values of ${name} are drawn.` })] : []);

const short = (text) => (text.length > 11 ? `${text.slice(0, 10)}…` : text);

function summary(values, of, mode) {
  const ordered = values.sort((one, other) => one - other);
  if (of === "best") return mode === "max" ? ordered.at(-1) : ordered[0];
  const middle = (ordered.length - 1) / 2;
  return (ordered[Math.floor(middle)] + ordered[Math.ceil(middle)]) / 2;
}

function cellsOf(values) {
  const distinct = [...new Set(values.filter((value) => value !== null))];
  if (distinct.length <= MOST_CELLS || distinct.some((value) => typeof value === "string")) {
    const ordered = distinct.sort((one, other) => (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)))).slice(0, MOST_TEXTS);
    const places = new Map(ordered.map((value, at) => [value, at]));
    return { texts: ordered.map((value) => (typeof value === "number" ? words(value, 3) : value)), left: distinct.length - ordered.length, of: (value) => places.get(value) ?? null };
  }
  const axis = axisOf(values, 0, MOST_CELLS);
  return {
    left: 0,
    texts: Array.from({ length: MOST_CELLS }, (_, at) => words(axis.at(at + 0.5), 2)),
    of: (value) => (value === null ? null : Math.max(0, Math.min(MOST_CELLS - 1, Math.floor(axis.of(value))))),
  };
}

function key(values, colors) {
  const list = Object.assign(document.createElement("p"), { className: "heat-key quiet" });
  if (!values.length) return list;
  const [best, worst] = [values[colors.indexOf(0)], values[colors.indexOf(Math.max(...colors))]];
  const bar = drawn("svg", { viewBox: "0 0 100 8", width: 120, height: 10, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (let at = 0; at < 20; at += 1) bar.append(drawn("rect", { x: at * 5, y: 0, width: 5.2, height: 8, fill: shade(at / 19) }));
  list.append(`${words(best, 4)} `, bar, ` ${words(worst, 4)}, colored by rank`);
  return list;
}
