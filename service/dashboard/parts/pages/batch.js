// The page of one batch: its charts, which all draw the same runs, and what can be done to it.
import { ranks } from "./axis.js";
import { BandChart, bandSeries } from "./band.js";
import { heatMap } from "./heat_map.js";
import { drawImportance } from "./importance.js";
import { LineChart } from "./line_chart.js";
import { refresh } from "./live.js";
import { early, figures } from "./page_data.js";
import { Parallel } from "./parallel.js";
import { drawRanges, expressionOf } from "./ranges.js";
import { runsTable, shown } from "./best_runs.js";
import { Scatter } from "./scatter.js";
import { words } from "./scales.js";
import { ask, confirmed, get, post, projectQuery, root } from "./service.js";

const REST = 4; // times as long as the charts took: an open page asks for a small share of the service's time
const BUSY_SECONDS = 3; // after which a service that was busy is asked again
const element = (id) => document.getElementById(id);
const head = () => element("live-head");
const id = head().dataset.batch;
const state = { runs: null, band: null, top: new Map(), counts: "", isLoading: false, isWanted: false, isStale: false, restUntil: 0, timer: null };
const jobAddress = (job) => `${root}jobs/${job}?${projectQuery()}`;
const nameOf = (at) => state.runs.names?.[at] ?? `…${state.runs.ids[at].slice(-8)}`;

const history = new LineChart(element("history"), { label: "Best outcome so far by ended jobs", height: 240, xLabel: "jobs that ended" });
const band = new BandChart(element("band"), { label: "Loss curves of all runs", height: 340, log: true });
const scatter = new Scatter(element("scatter"), { describe, open: (at) => location.assign(jobAddress(state.runs.ids[at])) });
const parallel = new Parallel(element("parallel"), drawSelection);

function asked() {
  const address = new URLSearchParams(location.search);
  return { where: address.get("where") ?? "", metric: address.get("metric") ?? "", mode: address.get("mode") ?? "" };
}

// What a person asks for comes next; what changed by itself comes after a rest. One load at a time.
async function load() {
  state.isWanted = true;
  if (state.isLoading) return;
  clearTimeout(state.timer);
  Object.assign(state, { isLoading: true, isStale: false });
  const began = performance.now();
  while (state.isWanted) {
    state.isWanted = false;
    try { await loadOnce(); } catch (error) {
      element("where-problem").textContent = error.message;
      if (!error.isForNow) continue;
      await new Promise((resolve) => { setTimeout(resolve, 1000 * BUSY_SECONDS); });
      state.isWanted = true;
    }
  }
  state.isLoading = false;
  state.restUntil = performance.now() + REST * (performance.now() - began);
  if (state.isStale) loadLater();
}

function loadLater() {
  state.isStale = true;
  if (state.isLoading) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(load, Math.max(0, state.restUntil - performance.now()));
}

async function loadOnce() {
  element("where-problem").textContent = "";
  state.runs = (await early("first-runs")) ?? await figures(`batches/${id}/runs`, asked());
  if (state.isWanted) return;
  const coming = figures(`batches/${id}/band`, asked()); // the service makes it while the runs are drawn here
  coming.catch(() => { /* told below, where it is waited for */ });
  fillChoices();
  draw();
  performance.mark("runs-drawn");
  const [found] = await Promise.all([coming, loadTop()]);
  if (state.isWanted) return;
  state.band = found;
  await drawBand();
  performance.mark("band-drawn");
  element("charts").dataset.drawn = "all";
}

function options(select, values, chosen) {
  const now = values.includes(chosen) ? chosen : values.includes(select.value) ? select.value : values[0];
  select.replaceChildren(...values.map((value) => new Option(value, value, false, value === now)));
}

// Of the parameters that differ, those that matter most first.
const names = () => [...new Set([...Object.keys(state.runs.importance), ...Object.keys(state.runs.parameters)])];

function fillChoices() {
  const { runs } = state;
  options(element("metric"), [...new Set([runs.metric, ...runs.offered])], runs.metric);
  element("mode").value = runs.mode;
  const ranked = names();
  const isFresh = !element("across").options.length;
  for (const [place, select] of [[0, "across"], [0, "heat-x"], [1, "heat-y"]]) options(element(select), ranked, isFresh ? ranked[place] : undefined);
  element("scatter").closest("section").hidden = !ranked.length;
  element("heat").closest("section").hidden = ranked.length < 2;
  const count = runs.ids.length;
  element("told").textContent = `${count.toLocaleString("en")} ${count === 1 ? "run" : "runs"}${asked().where ? ` of ${runs.size.toLocaleString("en")}` : ""} in every chart below${runs.more ? ", the oldest of more" : ""}.${ranked.length ? "" : " No parameter differs between them."}${runs.left_out ? ` ${runs.left_out.toLocaleString("en")} more parameters differ, which matter less than the ${Object.keys(runs.parameters).length} that are drawn.` : ""}`;
}

function draw() {
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
async function loadTop() {
  const best = bestRuns(Number(element("top").value));
  const missing = best.filter((at) => !state.top.has(state.runs.ids[at]) || state.runs.states[at] === "running");
  if (missing.length) {
    const answer = await get("losses", [...missing.map((at) => ["job", state.runs.ids[at]]), ["points", "400"]], true);
    for (const each of answer?.curves ?? []) state.top.set(each.job, each);
  }
  return best;
}

async function drawBand() {
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

function drawScatter(chosen = parallel.chosen) {
  const { runs } = state;
  const name = element("across").value;
  if (!name) return;
  element("scatter-title").textContent = `${runs.metric.replaceAll("_", " ")} by ${name}`;
  scatter.show({ x: runs.parameters[name], y: runs.outcome, states: runs.states, xName: name, yName: runs.metric, chosen });
}

function drawHeat(chosen = parallel.chosen) {
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

function setAddress(change) {
  const address = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) if (value) address.set(name, value); else address.delete(name);
  window.history.pushState(null, "", `${location.pathname}${address.size ? `?${address}` : ""}`);
  fillForm();
  load();
}

function fillForm() { element("where").value = asked().where; }

element("chart-question").addEventListener("submit", (event) => {
  event.preventDefault();
  setAddress({ where: element("where").value.trim() });
});
element("metric").addEventListener("change", () => setAddress({ metric: element("metric").value, mode: element("metric").value.startsWith("metrics.") ? element("mode").value : "" }));
element("mode").addEventListener("change", () => setAddress({ metric: element("metric").value, mode: element("mode").value }));
element("across").addEventListener("change", () => drawScatter());
for (const each of ["heat-x", "heat-y", "heat-of"]) element(each).addEventListener("change", () => drawHeat());
element("top").addEventListener("change", drawBand);
element("select-all").addEventListener("click", () => { parallel.clear(); drawRanges(element("ranges").querySelector(".ranges"), parallel); });
element("as-question").addEventListener("click", () => { const where = expressionOf(parallel.ranges, asked().where); parallel.ranges.clear(); setAddress({ where }); });
window.addEventListener("popstate", () => { fillForm(); load(); });
document.addEventListener("theme", () => { if (state.runs) { draw(); drawBand(); } });

document.addEventListener("refreshed", () => {
  const { counts } = head().dataset;
  if (counts === state.counts) return;
  state.counts = counts;
  loadLater();
});

document.addEventListener("click", async (event) => {
  const verb = event.target.closest("[data-verb]")?.dataset.verb;
  if (!verb) return;
  const words = { cancel: "Cancel the jobs of this batch that have not ended?", retry: "Submit its failed jobs again? The new ones take their places.", delete: "Delete this batch and all of its jobs? Their results and curves are lost." };
  if (!(await confirmed(words[verb]))) return;
  const done = verb === "delete" ? await ask("DELETE", `batches/${id}`) : await post(`batches/${id}/${verb}`, verb === "retry" ? {} : undefined);
  if (done && verb === "delete") location.assign(`${root}batches?${projectQuery()}`);
  else if (done && head().dataset.live) refresh();
  else if (done) location.reload();
});

state.counts = head().dataset.counts;
fillForm();
load();
