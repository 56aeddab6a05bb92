// The charts of a batch, which all draw the same runs.
import { ranks } from "../charts/axis.js";
import { BandChart, bandSeries } from "../charts/band.js";
import { element } from "../charts/elements.js";
import { heatMap } from "../charts/heat_map.js";
import { drawImportance } from "../charts/importance.js";
import { LineChart } from "../charts/line_chart.js";
import { Parallel } from "../charts/parallel.js";
import { Scatter } from "../charts/scatter.js";
import { words } from "../charts/scales.js";
import { get } from "../service/service.js";
import { runsTable, shown } from "./best_runs.js";
import { drawRanges } from "./ranges.js";
import { jobAddress, nameOf, names, state } from "./state.js";

const history = new LineChart(element("history"), { label: "Best outcome so far by ended jobs", height: 240, xLabel: "jobs that ended" });
const band = new BandChart(element("band"), { label: "Loss curves of all runs", height: 340, log: true });
const scatter = new Scatter(element("scatter"), { describe, open: (at) => location.assign(jobAddress(state.runs.ids[at])) });
export const parallel = new Parallel(element("parallel"), drawSelection);

export function draw() {
  const { runs } = state;
  drawHistory();
  drawImportance(element("importance"), runs.importance);
  const succeeded = runs.outcome.map((value, at) => (runs.states[at] === "failed" ? null : value));
  const good = succeeded.some((value) => value !== null) ? succeeded : runs.outcome; // what diverged takes no room from the others
  const columns = names().map((name) => ({ name, title: name, values: runs.parameters[name] }));
  parallel.show({ columns: [...columns, { name: runs.metric, title: runs.metric, values: good }], outcome: good, mode: runs.mode, failed: runs.states.map((each) => each === "failed") });
  drawRanges(element("ranges").querySelector(".ranges"), parallel);
  drawSelection();
}

function drawHistory() {
  const { runs } = state;
  const ended = [...runs.ids.keys()].filter((at) => runs.states[at] === "succeeded" && runs.outcome[at] !== null).sort((one, other) => runs.finished[one] - runs.finished[other]);
  const better = runs.mode === "max" ? Math.max : Math.min;
  let best = null;
  const [x, y] = [[], []];
  ended.forEach((at, place) => {
    const now = best === null ? runs.outcome[at] : better(best, runs.outcome[at]);
    if (now === best && place < ended.length - 1) return;
    if (best !== null) { x.push(place + 1); y.push(best); }
    best = now;
    x.push(place + 1);
    y.push(best);
  });
  history.options.log = y.length > 0 && y.every((value) => value > 0) && Math.max(...y) / Math.min(...y) > 20;
  history.show([{ name: `best ${runs.metric}`, x, y, color: 2 }]);
  history.figure.classList.toggle("nothing", !x.length);
}

// The curves of the best runs that are not here yet.
export async function loadTop() {
  const best = bestRuns(Number(element("top").value));
  const missing = best.filter((at) => !state.top.has(state.runs.ids[at]) || state.runs.states[at] === "running");
  if (missing.length) {
    const answer = await get("losses", [...missing.map((at) => ["job", state.runs.ids[at]]), ["points", "400"]], true);
    for (const each of answer?.curves ?? []) state.top.set(each.job, each);
  }
  return best;
}

export async function drawBand() {
  const { band: found } = state;
  if (!found?.steps.length) { band.show([]); element("band-told").textContent = "None of its runs has losses."; return; }
  const best = await loadTop();
  const curves = best.map((at) => state.top.get(state.runs.ids[at])).filter(Boolean);
  const lines = curves.map((each, place) => ({ name: nameOf(state.runs.ids.indexOf(each.job)), x: each.steps, y: each.losses, color: 1 + (place % 6) }));
  band.options.log = found.quantiles["10"].every((loss) => loss === null || loss > 0);
  band.show([...bandSeries(found), ...lines]);
  const of = found.read === found.having ? `all ${found.having.toLocaleString("en")} runs that have losses` : `${found.read.toLocaleString("en")} of the ${found.having.toLocaleString("en")} runs that have losses, evenly chosen`;
  element("band-told").textContent = `The line is the median, the darker band the middle half (25 to 75 %), the lighter one 10 to 90 % of ${of}${found.runs.at(-1) < found.read ? "; at each step of those that came so far" : ""}.${band.isCut ? " Higher losses, of runs that grow without bound, are cut off." : ""}`;
}

function bestRuns(count) {
  const { runs } = state;
  const chosen = parallel.chosen;
  const order = ranks(runs.outcome, runs.mode);
  return [...runs.ids.keys()].filter((at) => order[at] !== null && runs.states[at] !== "failed" && (!chosen || chosen[at])).sort((one, other) => order[one] - order[other]).slice(0, count);
}

function drawSelection() {
  const { runs } = state;
  const chosen = parallel.chosen;
  drawScatter(chosen);
  drawHeat(chosen);
  element("rows").replaceChildren(runsTable(runs, chosen, { names: names(), nameOf, addressOf: jobAddress }));
  element("as-question").hidden = element("select-all").hidden = !chosen;
  if (state.band) drawBand();
}

export function drawScatter(chosen = parallel.chosen) {
  const { runs } = state;
  const name = element("across").value;
  if (!name) return;
  element("scatter-title").textContent = `${runs.metric.replaceAll("_", " ")} by ${name}`;
  scatter.show({ x: runs.parameters[name], y: runs.outcome, states: runs.states, xName: name, yName: runs.metric, chosen });
}

export function drawHeat(chosen = parallel.chosen) {
  const { runs } = state;
  const [xName, yName] = [element("heat-x").value, element("heat-y").value];
  if (element("heat").closest("section").hidden) return;
  const told = runs.outcome.map((value, at) => (runs.states[at] === "succeeded" ? value : null));
  heatMap(element("heat"), { x: runs.parameters[xName], y: runs.parameters[yName], outcome: told, mode: runs.mode, of: element("heat-of").value, xName, yName, chosen });
}

function describe(at) {
  const { runs } = state;
  const parameters = names().slice(0, 8).map((name) => `${name} ${shown(runs.parameters[name][at])}`);
  return [`${nameOf(at)}, ${runs.states[at]}${runs.reasons[at] ? ` (${runs.reasons[at].replaceAll("_", " ")})` : ""}`, `${runs.metric} ${words(runs.outcome[at])}`, ...parameters];
}
