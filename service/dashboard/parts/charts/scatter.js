// The outcome of every run by one of its parameters. A point's shape is its state, its colour as well.
import { axisOf, canvasIn, css, empty, onWidth, showTip } from "./axis.js";

const MARGIN = { top: 12, right: 16, bottom: 40, left: 66 };
const HEIGHT = 320;
const NEAR = 14; // pixels
const STATE_COLORS = { succeeded: "--green", failed: "--red", cancelled: "--purple", running: "--blue", queued: "--gray" };

export class Scatter {
  // describe(run): lines of its tip; open(run)
  constructor(figure, { describe, open }) {
    this.figure = figure;
    this.describe = describe;
    this.open = open;
    this.at = null;
    Object.assign(this, canvasIn(figure, HEIGHT, "Outcome of each run by a parameter. Arrow keys go from run to run, Enter opens one."));
    this.canvas.addEventListener("pointermove", (event) => this.point(this.nearest(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => { const run = this.nearest(event.offsetX, event.offsetY); if (run !== null) open(run); });
    this.canvas.addEventListener("keydown", (event) => this.byKey(event));
    onWidth(figure, () => this.draw());
  }

  show(shown) { // { x, y, states, xName, yName, chosen: null or one boolean a run }
    this.shown = shown;
    this.draw();
  }

  draw() {
    if (!this.shown) return;
    const { x, y, states, chosen } = this.shown;
    const { pen, width, height } = this.fit();
    this.across = axisOf(x, MARGIN.left + 8, width - MARGIN.right - 8, width / 120);
    const good = y.filter((value, at) => x[at] !== null && states[at] !== "failed"); // a run that diverged takes no room from the others
    this.up = axisOf(good.some((value) => value !== null) ? good : y, height - MARGIN.bottom - 6, MARGIN.top + 14);
    axes(pen, this, width, height);
    this.places = x.map((value, at) => {
      const [left, exact] = [this.across.of(value), y[at] === null ? null : this.up.of(y[at])];
      const top = exact === null && states[at] !== "failed" ? null : Math.max(MARGIN.top + 6, Number.isNaN(exact ?? NaN) ? 0 : exact);
      return left === null || top === null || Number.isNaN(top) ? null : [left + (this.across.kind === "text" ? spread(at) : 0), top];
    });
    const many = this.places.length > 2000;
    const colors = Object.fromEntries(Object.entries(STATE_COLORS).map(([state, name]) => [state, css(name)]));
    for (const light of [true, false]) {
      this.places.forEach((place, at) => {
        if (!place || Boolean(chosen && !chosen[at]) !== light) return;
        pen.globalAlpha = light ? 0.12 : many ? 0.45 : 0.8;
        mark(pen, states[at], colors[states[at]], place, many ? 2 : 3.2);
      });
    }
    pen.globalAlpha = 1;
    if (!this.places.some(Boolean)) empty(pen, width, height, "No run has both values yet.");
  }

  nearest(left, top) {
    let [found, best] = [null, NEAR ** 2];
    this.places?.forEach((place, at) => {
      if (!place) return;
      const distance = (place[0] - left) ** 2 + (place[1] - top) ** 2;
      if (distance < best) [found, best] = [at, distance];
    });
    return found;
  }

  point(run) {
    if (run === this.at) return;
    this.at = run;
    this.canvas.classList.toggle("over", run !== null);
    if (run === null) { this.tip.hidden = true; return; }
    showTip(this.tip, this.figure, ...this.places[run], this.describe(run));
  }

  byKey(event) {
    const order = this.places ? [...this.places.keys()].filter((at) => this.places[at]).sort((one, other) => this.places[one][0] - this.places[other][0]) : [];
    if (event.key === "Enter" && this.at !== null) return this.open(this.at);
    const by = { ArrowRight: 1, ArrowLeft: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (!by || !order.length) return undefined;
    event.preventDefault();
    const now = order.indexOf(this.at);
    this.point(order[now < 0 ? 0 : Math.max(0, Math.min(order.length - 1, now + by))]);
    this.canvas.setAttribute("aria-label", this.describe(this.at).join(", "));
    return undefined;
  }
}

const spread = (at) => ((at * 0.618034) % 1) * 26 - 13;

function mark(pen, state, color, [left, top], size) {
  pen.fillStyle = pen.strokeStyle = color;
  pen.lineWidth = 1.6;
  pen.beginPath();
  if (state === "failed") {
    pen.moveTo(left - size, top - size); pen.lineTo(left + size, top + size);
    pen.moveTo(left - size, top + size); pen.lineTo(left + size, top - size);
    pen.stroke();
  } else if (state === "cancelled") {
    pen.moveTo(left - size, top); pen.lineTo(left + size, top); pen.stroke();
  } else {
    pen.arc(left, top, size, 0, 7);
    if (state === "succeeded") pen.fill(); else pen.stroke();
  }
}

function axes(pen, { across, up, shown }, width, height) {
  const bottom = height - MARGIN.bottom;
  pen.lineWidth = 1;
  pen.fillStyle = css("--quiet");
  pen.textAlign = "right";
  for (const { value, text } of up.marks) {
    const top = Math.round(up.of(value)) + 0.5;
    pen.strokeStyle = css("--edge");
    line(pen, MARGIN.left, top, width - MARGIN.right, top);
    pen.fillText(text, MARGIN.left - 8, top + 4);
  }
  pen.strokeStyle = css("--gray");
  line(pen, MARGIN.left, bottom + 0.5, width - MARGIN.right, bottom + 0.5);
  pen.textAlign = "center";
  let free = 0;
  for (const { value, text } of across.marks) {
    const left = across.of(value);
    line(pen, left, bottom, left, bottom + 5);
    const half = pen.measureText(text).width / 2;
    if (left - half < free) continue;
    pen.fillText(text, left, bottom + 18);
    free = left + half + 6;
  }
  pen.textAlign = "right";
  pen.fillText(`${shown.xName}${across.kind === "log" ? " (log)" : ""}`, width - MARGIN.right, bottom + 34);
  pen.textAlign = "left";
  pen.fillText(`${shown.yName}${up.kind === "log" ? " (log)" : ""}`, MARGIN.left + 4, MARGIN.top - 1);
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}
