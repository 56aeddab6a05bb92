// Scales of a chart: where a value stands, and at which values a line is drawn.
export function linear(low, high, from, to) {
  const span = high - low || 1;
  return { of: (value) => from + ((value - low) / span) * (to - from), at: (place) => low + ((place - from) / (to - from)) * span };
}

export function logarithmic(low, high, from, to) {
  const inner = linear(Math.log10(low), Math.log10(high), from, to);
  return { of: (value) => inner.of(Math.log10(value)), at: (place) => 10 ** inner.at(place) };
}

export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}

export function decades(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (high / low < 4) return ticks(low, high, 4).filter((value) => value > 0);
  const every = Math.max(1, Math.ceil((last - first + 1) / 7)); // none is between two decades
  const between = last - first < 3 ? [1, 2, 5] : [1];
  const found = [];
  for (let power = first - 1; power <= last; power += every) {
    for (const factor of between) found.push(factor * 10 ** power);
  }
  return found.filter((value) => value >= low && value <= high);
}

const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export function words(value, digits = 6) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) {
    const [front, power] = value.toExponential(Math.min(digits - 1, 3)).split("e");
    const small = [...String(Math.abs(Number(power)))].map((digit) => POWERS[digit]).join("");
    const factor = front.replace(/\.?0+$/, "");
    return `${factor === "1" ? "" : `${factor}·`}10${Number(power) < 0 ? "⁻" : ""}${small}`;
  }
  // By hand: the first toLocaleString of a page takes 30 ms, more than all else that a chart does.
  const [whole, fraction] = String(Number(value.toPrecision(digits))).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${fraction ? `.${fraction}` : ""}`;
}
