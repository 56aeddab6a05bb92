// The page of one job: its live curve, its model, and what can be done to it.
import "./page.js";
import { LineChart } from "../charts/line_chart.js";
import { refresh } from "../service/live.js";
import { pictureOf, save, saveAnswer, savePng } from "../service/save.js";
import { ask, confirmed, get, post, projectQuery, root } from "../service/service.js";

const POINTS = 1000;
const head = () => document.getElementById("live-head");
const id = head().dataset.job;
const figure = document.querySelector("[data-chart=curve]");
const metrics = JSON.parse(figure.dataset.metrics);
const shown = { metrics: new Set(), range: null, stepsDone: -1, log: true };
let chart = null;
let beside = null; // the chart of metrics, which have an axis of their own: an accuracy is no loss, and may be 0

function rangeQuery() {
  if (!shown.range) return { points: POINTS };
  return { points: POINTS, from: Math.max(0, Math.floor(shown.range[0])), to: Math.ceil(shown.range[1]) + 1 };
}

async function drawCurve() {
  const losses = await get(`jobs/${id}/losses`, rangeQuery(), true);
  if (!losses || !losses.steps.length) return;
  if (!chart) {
    shown.log = isPositive(losses.losses);
    chart = new LineChart(figure, { label: "Loss by step", log: shown.log, zoomed });
    controls(shown.log);
  }
  chart.show([{ name: "loss", x: losses.steps, y: losses.losses }]);
  await drawMetrics();
}

const isPositive = (values) => values.every((value) => value === null || value > 0);

function zoomed(range) {
  shown.range = range;
  for (const each of [chart, beside]) if (each) each.range = range;
  drawCurve();
}

async function drawMetrics() {
  const series = [];
  for (const name of shown.metrics) {
    const curve = await get(`jobs/${id}/metrics/${encodeURIComponent(name)}`, rangeQuery(), true);
    if (curve?.steps.length) series.push({ name, x: curve.steps, y: curve.values, color: 1 + metrics.indexOf(name) });
  }
  if (!beside && !series.length) return;
  if (!beside) {
    const place = Object.assign(document.createElement("figure"), { className: "chart" });
    figure.after(place);
    beside = new LineChart(place, { label: "Metrics by step", height: 200, named: true, zoomed });
    beside.range = shown.range;
  }
  beside.figure.hidden = !series.length;
  beside.options.log = shown.log && series.every(({ y }) => isPositive(y));
  beside.show(series);
}

function controls(positive) {
  const place = document.getElementById("curve-controls");
  const button = (text, pressed, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-outline-secondary", textContent: text });
    if (pressed !== null) made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", () => act(made));
    place.append(made);
  };
  const toggle = (made) => {
    const on = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", on);
    return on;
  };
  for (const name of metrics) button(name, false, (made) => { shown.metrics[toggle(made) ? "add" : "delete"](name); drawMetrics(); });
  button("log", positive, (made) => { shown.log = toggle(made); chart.setLog(shown.log); drawMetrics(); });
  button("all steps", null, () => chart.setRange(null));
}

function drawModel() {
  const place = document.querySelector("[data-chart=model]:not([data-drawn])");
  if (!place) return;
  place.dataset.drawn = "yes";
  const { x, y, fitted, residual, others } = JSON.parse(place.dataset.model);
  const more = Object.entries(others);
  const [above, below] = [document.createElement("div"), document.createElement("div")];
  place.prepend(above, below);
  new LineChart(above, { label: "The data and the fitted curve", height: 260, xLabel: "x" })
    .show([{ name: "data", x, y, points: true, color: 0 }, { name: more.length ? "cubic" : "fitted", x, y: fitted, color: 1 }, ...more.map(([name, values], at) => ({ name, x, y: values, color: 3 + at }))]);
  new LineChart(below, { label: "Residuals: data less fitted", height: 130, xLabel: "x" })
    .show([{ name: "residual", x, y: residual, points: true, color: 2 }]);
}

function follow() {
  drawModel();
  const { stepsDone } = head().dataset;
  if (stepsDone === shown.stepsDone) return;
  shown.stepsDone = stepsDone;
  drawCurve();
}

const FILES = { csv: "text/csv", npy: "application/x-npy", json: "application/json" };

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { verb, pin, save: form } = button.dataset;
  if (FILES[form]) saveAnswer(`jobs/${id}/losses`, FILES[form], `losses-${id}.${form}`, form === "json" ? { points: 100_000 } : {});
  else if (form === "svg" && chart) save(pictureOf(chart.svg).text, `losses-${id}.svg`, "image/svg+xml");
  else if (form === "png" && chart) savePng(chart.svg, `losses-${id}.png`);
  if (pin && (await ask("PATCH", `jobs/${id}`, { body: { pinned: pin === "true" } }))) refresh();
  if (verb) act(verb, button);
});

async function act(verb, button) {
  const question = { cancel: "Cancel this job?", delete: "Delete this job? Its result and curve are lost." }[verb];
  if (question && !(await confirmed(question))) return;
  button.disabled = true;
  const done = verb === "delete" ? await ask("DELETE", `jobs/${id}`) : await post(`jobs/${id}/${verb}`, verb === "retry" ? {} : undefined);
  button.disabled = false;
  if (!done) return;
  if (verb === "delete") location.assign(`${root}jobs?${projectQuery()}`);
  else if (done.id !== id) open(done.id);
  else refresh();
}

const open = (job) => location.assign(`${root}jobs/${job}?${projectQuery()}`);

document.addEventListener("refreshed", follow);
document.addEventListener("theme", () => { chart?.draw(); beside?.draw(); });
follow();
if (navigator.clipboard === undefined) for (const copy of document.querySelectorAll("[data-copy]")) copy.hidden = true;
