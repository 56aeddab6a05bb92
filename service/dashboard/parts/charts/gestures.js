// What a person does to a line chart: by mouse, by fingers, by keys.
export function listenTo(chart) {
  const placeOf = (event) => {
    const box = chart.svg.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * chart.width;
  };
  listenToMouse(chart, placeOf);
  listenToFingers(chart, placeOf);
  chart.svg.addEventListener("pointerleave", () => { chart.tip.hidden = true; chart.mark?.replaceChildren(); });
  chart.svg.addEventListener("dblclick", () => chart.setRange(null));
  chart.svg.addEventListener("keydown", (event) => byKey(chart, event));
}

function listenToMouse(chart, placeOf) {
  const { svg } = chart;
  let from = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse") return;
    from = placeOf(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const at = placeOf(event);
    if (from !== null && event.buttons) chart.choose(from, at);
    else chart.point(chart.x?.at(at), false, event.clientY - svg.getBoundingClientRect().top);
  });
  svg.addEventListener("pointerup", (event) => {
    if (from !== null) chart.setChosen(from, placeOf(event));
    from = null;
  });
}

// Two fingers hold the ends of a range; it is shown when one of them goes.
function listenToFingers(chart, placeOf) {
  const { svg } = chart;
  const fingers = new Map();
  svg.addEventListener("pointerdown", (event) => { if (event.pointerType === "touch") fingers.set(event.pointerId, placeOf(event)); });
  svg.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, placeOf(event));
    if (fingers.size === 2) chart.choose(...fingers.values());
  });
  svg.addEventListener("pointerup", (event) => {
    const ends = fingers.size === 2 && fingers.has(event.pointerId) ? [...fingers.values()] : [];
    fingers.delete(event.pointerId);
    if (ends.length) chart.setChosen(...ends);
  });
  svg.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
}

function byKey(chart, event) {
  const xs = chart.series[0]?.x ?? [];
  if (!xs.length) return;
  const { left, right } = chart.bounds();
  const seen = xs.filter((x) => x >= left && x <= right);
  const place = chart.cursor === null ? -1 : seen.findIndex((x) => x >= chart.cursor);
  const step = event.shiftKey ? Math.max(1, Math.round(seen.length / 20)) : 1;
  const middle = chart.cursor ?? (left + right) / 2;
  const zoom = (factor) => chart.setRange([Math.max(xs[0], middle - (middle - left) * factor), Math.min(xs.at(-1), middle + (right - middle) * factor)]);
  const doing = {
    ArrowRight: () => chart.point(seen[Math.min(seen.length - 1, place + step)], true),
    ArrowLeft: () => chart.point(seen[Math.max(0, place - step)], true),
    Home: () => chart.point(seen[0], true), End: () => chart.point(seen.at(-1), true),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => (right - left >= xs.at(-1) - xs[0] ? chart.setRange(null) : zoom(2)), Escape: () => chart.setRange(null),
  }[event.key];
  if (doing) { event.preventDefault(); doing(); }
}
