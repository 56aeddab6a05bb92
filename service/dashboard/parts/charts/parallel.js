// Every run as a line over axes of its parameters and its outcome. Ranges of the axes select runs.
import { axisOf, canvasIn, css, empty, onWidth, ranks, shade } from "./axis.js";

const TOP = 40;
const BOTTOM = 16;
const HEIGHT = 340;
const MANY = 2000; // runs

export class Parallel {
  constructor(figure, changed) {
    this.figure = figure;
    this.changed = changed;
    this.ranges = new Map(); // by the axis's name: [low, high], or of texts a Set
    this.dragged = null;
    Object.assign(this, canvasIn(figure, HEIGHT, "Each run as a line over its parameters. The ranges below select by keyboard."));
    this.canvas.tabIndex = -1;
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    this.canvas.addEventListener("pointerup", (event) => this.end(event));
    onWidth(figure, () => this.draw());
  }

  show({ columns, outcome, mode, failed }) { // columns: [{ name, values }], the outcome last
    const kept = columns.map((each) => each.name);
    for (const name of this.ranges.keys()) if (!kept.includes(name)) this.ranges.delete(name);
    this.columns = columns;
    this.failed = failed;
    this.colors = ranks(outcome, mode);
    this.draw();
  }

  // One boolean for each run; null: all are.
  get chosen() {
    if (!this.ranges.size || !this.columns) return null;
    const asked = this.columns.filter((each) => this.ranges.has(each.name)).map((each) => [each.values, this.ranges.get(each.name)]);
    return this.columns[0].values.map((_, at) => asked.every(([values, range]) => inside(values[at], range)));
  }

  setRange(name, range) {
    if (range) this.ranges.set(name, range); else this.ranges.delete(name);
    this.draw();
    this.changed();
  }

  clear() {
    this.ranges.clear();
    this.draw();
    this.changed();
  }

  draw() {
    if (!this.columns) return;
    const { pen, width, height } = this.fit();
    this.axes = this.columns.map((each) => axisOf(each.values, height - BOTTOM, TOP));
    const apart = this.columns.length > 1 ? (width - 130) / (this.columns.length - 1) : 0;
    this.lefts = this.columns.map((_, at) => 60 + at * apart);
    this.drawRuns(pen);
    this.columns.forEach((each, at) => this.drawAxis(pen, each, at, apart));
    if (!this.columns[0].values.length) empty(pen, width, height, "No runs.");
  }

  drawRuns(pen) {
    const chosen = this.chosen;
    const count = this.colors.length;
    const order = [...this.colors.keys()].sort((one, other) => (this.colors[other] ?? 2) - (this.colors[one] ?? 2)); // the best on top
    const alpha = Math.max(0.06, Math.min(0.8, 120 / Math.max(1, chosen ? chosen.filter(Boolean).length : count)));
    const buckets = new Map();
    for (const at of order) {
      const light = chosen && !chosen[at];
      const key = light ? -1 : this.failed[at] ? -2 : this.colors[at] === null ? -1 : Math.round(this.colors[at] * 31);
      if (light && count > 3000 && at % Math.ceil(count / 3000)) continue; // those not selected are a shade behind
      if (!buckets.has(key)) buckets.set(key, { path: new Path2D(), drawn: new Set() });
      if (count > MANY) this.traceOnce(buckets.get(key), at); else this.trace(buckets.get(key).path, at);
    }
    pen.lineWidth = count > MANY ? 1 : 1.2; // of one pixel a browser without a GPU draws ten times as fast
    for (const [key, { path }] of [...buckets].sort(([one], [other]) => (one < 0 ? -1 : other < 0 ? 1 : other - one))) {
      pen.globalAlpha = key < 0 ? alpha * 0.5 : key < 2 ? Math.max(alpha, 0.5) : alpha;
      pen.strokeStyle = key === -2 ? css("--red") : key < 0 ? css("--gray") : shade(key / 31);
      pen.stroke(path);
    }
    pen.globalAlpha = 1;
  }

  trace(path, at) {
    let down = false;
    this.columns.forEach((each, column) => {
      const top = this.axes[column].of(each.values[at] ?? null);
      if (top === null || top === undefined || Number.isNaN(top)) { down = false; return; }
      path[down ? "lineTo" : "moveTo"](this.lefts[column], top);
      down = true;
    });
  }

  // The parts of a line that no other of its color has drawn, to two pixels: of many runs most are the same.
  traceOnce({ path, drawn }, at) {
    let before = null;
    this.columns.forEach((each, column) => {
      const top = this.axes[column].of(each.values[at] ?? null);
      const now = top === null || top === undefined || Number.isNaN(top) ? null : Math.round(top / 2) * 2;
      if (now !== null && before !== null) {
        const part = (column * HEIGHT + before) * HEIGHT + now;
        if (!drawn.has(part)) {
          drawn.add(part);
          path.moveTo(this.lefts[column - 1], before);
          path.lineTo(this.lefts[column], now);
        }
      }
      before = now;
    });
  }

  drawAxis(pen, each, at, apart) {
    const left = Math.round(this.lefts[at]) + 0.5;
    pen.strokeStyle = css("--quiet");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(left, TOP);
    pen.lineTo(left, HEIGHT - BOTTOM);
    pen.stroke();
    pen.textAlign = at === 0 ? "left" : at === this.columns.length - 1 ? "right" : "center";
    pen.fillStyle = css("--ink");
    const most = Math.max(6, Math.floor((apart || 120) / 7));
    const title = each.title.length > most ? `…${each.title.slice(1 - most)}` : each.title;
    pen.fillText(title, at === 0 ? 4 : at === this.columns.length - 1 ? left + 64 : left, at % 2 && apart < 90 ? 12 : 26);
    pen.textAlign = "left";
    for (const { value, text } of this.axes[at].marks) {
      const top = this.axes[at].of(value);
      pen.lineWidth = 3;
      pen.strokeStyle = css("--card");
      pen.strokeText(text, left + 6, top + 4);
      pen.fillStyle = css("--quiet");
      pen.fillText(text, left + 6, top + 4);
    }
    const range = this.ranges.get(each.name);
    if (range) this.drawRange(pen, left, this.axes[at], range);
  }

  drawRange(pen, left, axis, range) {
    const places = range instanceof Set ? [...range].map((text) => axis.of(text)) : range.map((value) => axis.of(Math.max(axis.low, Math.min(axis.high, value))));
    const half = range instanceof Set ? 10 : 0;
    const [top, bottom] = [Math.min(...places) - half, Math.max(...places) + half];
    pen.fillStyle = css("--accent");
    pen.globalAlpha = 0.35;
    pen.fillRect(left - 7, top, 14, Math.max(3, bottom - top));
    pen.globalAlpha = 1;
    pen.strokeStyle = css("--accent");
    pen.strokeRect(left - 7, top, 14, Math.max(3, bottom - top));
  }

  begin(event) {
    const column = this.lefts?.findIndex((left) => Math.abs(left - event.offsetX) < 16) ?? -1;
    if (column < 0) return;
    this.dragged = { column, from: event.offsetY };
    this.canvas.setPointerCapture(event.pointerId);
  }

  drag(event) {
    const over = this.lefts?.some((left) => Math.abs(left - event.offsetX) < 16);
    this.canvas.classList.toggle("brush", Boolean(over));
    if (!this.dragged) return;
    if (Math.abs(event.offsetY - this.dragged.from) < 4) return;
    this.ranges.set(this.columns[this.dragged.column].name, this.rangeOf(this.dragged.column, this.dragged.from, event.offsetY));
    this.draw();
  }

  end(event) {
    if (!this.dragged) return;
    const { column, from } = this.dragged;
    this.dragged = null;
    if (Math.abs(event.offsetY - from) < 4) this.ranges.delete(this.columns[column].name);
    this.draw();
    this.changed();
  }

  rangeOf(column, from, to) {
    const axis = this.axes[column];
    const within = (place) => Math.max(TOP, Math.min(HEIGHT - BOTTOM, place));
    const [low, high] = [axis.at(within(Math.max(from, to))), axis.at(within(Math.min(from, to)))];
    if (axis.kind !== "text") return [low, high];
    const places = [axis.texts.indexOf(low), axis.texts.indexOf(high)];
    return new Set(axis.texts.slice(Math.min(...places), Math.max(...places) + 1));
  }
}

function inside(value, range) {
  if (value === null || value === undefined) return false;
  return range instanceof Set ? range.has(String(value)) : value >= range[0] && value <= range[1];
}
