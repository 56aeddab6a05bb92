// All curves of a batch as a band: the middle half, the middle eight tenths, the median; and single curves over it.
import { drawn } from "./elements.js";
import { LineChart } from "./line_chart.js";

const FAR = 100; // so many times over all else: cut off

export class BandChart extends LineChart {
  // Where some runs grow without bound, the others are what is looked at.
  bounds() {
    const whole = super.bounds();
    const all = this.series;
    this.series = all.filter((each) => !each.low && !each.upper);
    const inner = super.bounds();
    this.series = all;
    const begin = Math.max(inner.high, ...all.filter((each) => each.upper).map((each) => each.y[0] ?? 0));
    this.isCut = whole.high > FAR * begin;
    return this.isCut ? { ...whole, high: begin * (this.options.log ? 3 : 1.1) } : whole;
  }

  drawOne(each, place) {
    if (!each.low) return super.drawOne(each, place);
    const there = each.x.map((_, at) => at).filter((at) => each.low[at] !== null && each.high[at] !== null && (!this.options.log || each.low[at] > 0));
    const point = (at, y) => `${this.x.of(each.x[at]).toFixed(1)} ${this.y.of(y).toFixed(1)}`;
    const outline = [...there.map((at) => point(at, each.high[at])), ...there.reverse().map((at) => point(at, each.low[at]))];
    return drawn("path", { class: `band ${each.look}`, d: outline.length ? `M${outline.join("L")}Z` : "" });
  }

  drawLegend() {
    const all = this.series;
    this.series = all.filter((each) => !each.low && !each.quiet);
    super.drawLegend();
    this.series = all;
  }
}

export function bandSeries({ steps, quantiles }) {
  const nothing = steps.map(() => null);
  const area = (look, low, high) => ({ name: look, look, x: steps, y: nothing, low: quantiles[low], high: quantiles[high] });
  const edge = (share, words) => ({ name: words, x: steps, y: quantiles[share], color: 7, quiet: true });
  return [
    area("outer", "10", "90"), area("inner", "25", "75"), { name: "median of all runs", x: steps, y: quantiles["50"], color: 0 },
    edge("10", "10 %"), edge("25", "25 %"), { ...edge("75", "75 %"), upper: true }, { ...edge("90", "90 %"), upper: true },
  ];
}
