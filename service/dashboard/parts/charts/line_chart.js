// Lines and points in SVG: log and linear, a range of x by dragging, values under the pointer, all of it by keys as well.
import { drawn } from "./elements.js";
import { listenTo } from "./gestures.js";
import { decades, linear, logarithmic, ticks, words } from "./scales.js";

const MARGIN = { top: 10, right: 14, bottom: 34, left: 62 };
const COLORS = 8;
const MOST_TOLD = 8; // curves, of those under the pointer

export class LineChart {
  // options: label (said to those who hear the page), height, xLabel, log, zoomed(range or null): a finer curve, please;
  // named: a single curve has its name in the legend as well.
  constructor(figure, options) {
    this.figure = figure;
    this.options = { height: 300, xLabel: "step", log: false, ...options };
    this.series = [];
    this.range = null; // of x; null: all of it
    this.cursor = null;
    this.svg = drawn("svg", { class: "line-chart", role: "application", tabindex: "0", "aria-label": `${options.label}. Arrow keys move along it, plus and minus zoom, Escape shows all.` });
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.said = document.createElement("p");
    this.said.className = "visually-hidden";
    this.said.setAttribute("aria-live", "polite");
    this.legend = document.createElement("ul");
    this.legend.className = "legend";
    figure.querySelectorAll(":scope > .spark, :scope > p").forEach((each) => each.remove());
    figure.prepend(this.svg, this.tip, this.legend, this.said);
    listenTo(this);
    new ResizeObserver(() => { if (this.width !== this.drawnWidth) this.draw(); }).observe(figure);
  }

  // Each of the series: { name, x, y, points: whether it is drawn as points }. Values that are null are gaps.
  show(series) {
    this.series = series;
    this.draw();
  }

  setLog(log) {
    this.options.log = log;
    this.draw();
  }

  setRange(range) {
    this.range = range;
    this.draw();
    this.options.zoomed?.(range);
  }

  get width() { return Math.max(240, this.figure.clientWidth); }

  bounds() {
    const xs = this.series.flatMap((each) => (each.x.length ? [each.x[0], each.x.at(-1)] : []));
    const [left, right] = this.range ?? [Math.min(...xs), Math.max(...xs)];
    let low = Infinity;
    let high = -Infinity;
    for (const each of this.series) {
      for (let at = 0; at < each.x.length; at += 1) {
        const y = each.y[at];
        if (y === null || each.x[at] < left || each.x[at] > right || (this.options.log && y <= 0)) continue;
        if (y < low) low = y;
        if (y > high) high = y;
      }
    }
    if (low > high) [low, high] = this.options.log ? [0.1, 1] : [0, 1];
    if (low === high) [low, high] = this.options.log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
    const room = this.options.log ? 0 : (high - low) * 0.04;
    return { left, right, low: low - room, high: high + room };
  }

  draw() {
    const { width } = this;
    const { height, log } = this.options;
    this.drawnWidth = width;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    this.svg.replaceChildren();
    this.svg.dataset.values = this.series.reduce((sum, each) => sum + each.x.length, 0);
    this.tip.hidden = true;
    if (!this.series.some((each) => each.x.length)) return;
    const { left, right, low, high } = this.bounds();
    this.x = linear(left, right, MARGIN.left, width - MARGIN.right);
    this.y = (log ? logarithmic : linear)(low, high, height - MARGIN.bottom, MARGIN.top);
    this.drawAxes(left, right, log ? decades(low, high) : ticks(low, high, height / 60));
    const clip = drawn("clipPath", { id: `${this.svg.id || "chart"}-clip-${Math.round(left)}-${Math.round(right)}` });
    clip.append(drawn("rect", { x: MARGIN.left, y: 0, width: width - MARGIN.left - MARGIN.right, height }));
    const inside = drawn("g", { "clip-path": `url(#${clip.id})` });
    this.series.forEach((each, place) => inside.append(this.drawOne(each, place)));
    this.mark = drawn("g", { class: "mark" });
    this.chosen = drawn("rect", { class: "chosen", y: MARGIN.top, height: height - MARGIN.top - MARGIN.bottom, width: 0 });
    this.svg.append(clip, inside, this.chosen, this.mark);
    this.drawLegend();
    if (this.cursor !== null && document.activeElement === this.svg) this.point(this.cursor);
  }

  drawAxes(left, right, levels) {
    const bottom = this.options.height - MARGIN.bottom;
    for (const level of levels) {
      const y = this.y.of(level);
      this.svg.append(drawn("line", { class: "grid", x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y }));
      this.svg.append(drawn("text", { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, words(level, 3)));
    }
    const whole = this.options.xLabel === "step";
    for (const at of ticks(left, right, this.width / 110).filter((each) => !whole || Number.isInteger(each))) {
      const x = this.x.of(at);
      this.svg.append(drawn("line", { class: "tick", x1: x, x2: x, y1: bottom, y2: bottom + 5 }));
      const isLast = x > this.width - MARGIN.right - 8; // half of it would be outside
      this.svg.append(drawn("text", { x: isLast ? this.width - 1 : x, y: bottom + 18, "text-anchor": isLast ? "end" : "middle" }, words(at, 6)));
    }
    this.svg.append(drawn("line", { class: "axis", x1: MARGIN.left, x2: this.width - MARGIN.right, y1: bottom, y2: bottom }));
    this.svg.append(drawn("text", { class: "axis-name", x: this.width - MARGIN.right, y: bottom + 31, "text-anchor": "end" }, this.options.xLabel));
  }

  drawOne(each, place) {
    const color = `c${(each.color ?? place) % COLORS}`;
    if (each.points) {
      const group = drawn("g", { class: `points ${color}` });
      each.x.forEach((x, at) => { if (each.y[at] !== null) group.append(drawn("circle", { cx: this.x.of(x).toFixed(1), cy: this.y.of(each.y[at]).toFixed(1), r: 1.8 })); });
      return group;
    }
    let path = "";
    let pen = "M";
    each.x.forEach((x, at) => {
      const y = each.y[at];
      if (y === null || (this.options.log && y <= 0)) { pen = "M"; return; }
      path += `${pen}${tenths(this.x.of(x))} ${tenths(this.y.of(y))}`;
      pen = "L";
    });
    return drawn("path", { class: `line ${color}${(each.color ?? place) < COLORS ? "" : " again"}`, d: path });
  }

  drawLegend() {
    this.legend.replaceChildren(...(this.series.length < (this.options.named ? 1 : 2) ? [] : this.series.map((each, place) => {
      const item = document.createElement("li");
      item.className = `c${(each.color ?? place) % COLORS}${each.points ? " dots" : ""}`;
      item.textContent = each.name;
      item.title = each.name;
      return item;
    })));
  }

  closest(all, height) {
    if (all.length <= MOST_TOLD) return all;
    const away = ({ each, at }) => (height === null ? 0 : Math.abs(this.y.of(each.y[at]) - height));
    const known = all.map((one) => [away(one), one]).filter(([distance]) => !Number.isNaN(distance));
    return known.sort(([one], [other]) => one - other).slice(0, MOST_TOLD).map(([, one]) => one).sort((one, other) => one.place - other.place);
  }

  choose(from, to) {
    const [left, right] = [Math.max(MARGIN.left, Math.min(from, to)), Math.min(this.width - MARGIN.right, Math.max(from, to))];
    this.chosen.setAttribute("x", left);
    this.chosen.setAttribute("width", Math.max(0, right - left));
  }

  setChosen(one, other) {
    if (Math.abs(other - one) > 6) this.setRange([this.x.at(Math.min(one, other)), this.x.at(Math.max(one, other))]);
  }

  // The values at this x, or nearest to it; of many curves those nearest to the pointer's height, by keys the first ones.
  point(x, aloud = false, height = null) {
    if (x === undefined || Number.isNaN(x) || !this.mark) return;
    const all = this.series.map((each, place) => ({ each, place, at: nearest(each.x, x) })).filter(({ each, at }) => at >= 0 && each.y[at] !== null);
    if (!all.length) return;
    const exact = all[0].each.x[all[0].at];
    const near = this.closest(all, height);
    this.cursor = exact;
    const across = this.x.of(exact);
    this.mark.replaceChildren(drawn("line", { x1: across, x2: across, y1: MARGIN.top, y2: this.options.height - MARGIN.bottom }));
    for (const { each, place, at } of near) this.mark.append(drawn("circle", { class: `c${(each.color ?? place) % COLORS}`, cx: this.x.of(each.x[at]), cy: this.y.of(each.y[at]), r: 3.5 }));
    const told = [`${this.options.xLabel} ${words(exact)}`, ...near.map(({ each, at }) => `${near.length > 1 || this.series.length > 1 ? `${each.name} ` : ""}${words(each.y[at])}`)];
    if (near.length < all.length) told.push(`and ${all.length - near.length} more curves`);
    this.tip.replaceChildren(...told.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
    this.tip.hidden = false;
    const scale = this.svg.getBoundingClientRect().width / this.width;
    const room = this.figure.clientWidth - this.tip.offsetWidth - 8;
    this.tip.style.left = `${Math.max(0, across * scale + 12 > room ? across * scale - this.tip.offsetWidth - 12 : across * scale + 12)}px`;
    if (aloud) this.said.textContent = told.join(", ");
  }
}

const tenths = (value) => Math.round(value * 10) / 10; // toFixed takes twice as long, of 16,000 numbers it is felt

function nearest(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1; else high = middle;
  }
  return low > 0 && Math.abs(xs[low - 1] - x) < Math.abs(xs[low] - x) ? low - 1 : low;
}
