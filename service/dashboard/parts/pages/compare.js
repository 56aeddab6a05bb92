// Curves of several jobs over one another, by step or by time, as they are or smoothed.
import "./page.js";
import { element } from "../charts/elements.js";
import { LineChart } from "../charts/line_chart.js";
import { early } from "../service/page_data.js";
import { get } from "../service/service.js";

const POINTS = 600;
const jobs = () => JSON.parse(element("live").dataset.jobs);
const FAR = 4; // times as long as the others
const shown = { range: null, asking: 0, steps: "", usual: false };
let chart = null;

const smooth = () => Number(element("smooth").value);
const byTime = () => element("by").value === "time";
const seconds = (job) => (job.seconds && job.steps ? job.seconds / job.steps : null);

async function draw() {
  const number = ++shown.asking;
  const query = [...jobs().map((job) => ["job", job.id]), ["points", String(POINTS)], ["smooth", String(smooth())]];
  if (shown.range && !byTime()) query.push(["from", String(Math.max(0, Math.floor(shown.range[0])))], ["to", String(Math.ceil(shown.range[1]) + 1)]);
  const answer = (await early("first-curves")) ?? await get("losses", query, true);
  if (!answer || number !== shown.asking) return;
  const known = new Map(answer.curves.map((each) => [each.job, each]));
  const series = jobs().map((job, place) => ({ job, place, curve: known.get(job.id) })).filter(({ curve }) => curve?.steps.length)
    .filter(({ job }) => !byTime() || seconds(job))
    .map(({ job, place, curve }) => ({ name: job.name, color: place, x: byTime() ? curve.steps.map((step) => step * seconds(job)) : curve.steps, y: curve.losses }));
  if (!chart) {
    const positive = series.every((each) => each.y.every((loss) => loss === null || loss > 0));
    chart = new LineChart(element("curves"), { label: "Losses of the jobs", height: 380, log: positive, zoomed });
    element("log").setAttribute("aria-pressed", positive);
    chart.range = shown.range;
  }
  chart.options.xLabel = byTime() ? "seconds of training" : "step";
  chart.show(series);
  tell(series.length);
  performance.mark("curves-drawn");
  element("curves").dataset.drawn = "all";
}

// Where a few jobs have many more steps than the others, the curves of these come first.
function usualRange() {
  const lengths = jobs().map((job) => job.steps).filter(Boolean).sort((one, other) => one - other);
  const middle = lengths[Math.floor(lengths.length / 2)];
  return lengths.length > 2 && lengths.at(-1) > FAR * middle ? [0, middle] : null;
}

function tell(count) {
  const parts = [];
  if (shown.usual && chart.range) parts.push(`Shown are the first ${chart.range[1].toLocaleString("en")} steps; “all steps” shows the rest.`);
  if (count < jobs().length) parts.push(`${jobs().length - count} of the jobs have no curve ${byTime() ? "with a time " : ""}yet.`);
  if (smooth() > 1) parts.push(`Drawn is the moving average of ${smooth().toLocaleString("en")} steps, made from every recorded loss.`);
  if (byTime()) parts.push("Each job's steps are laid out evenly over the seconds that it trained; waiting and preparing are left out.");
  element("curves-told").textContent = parts.join(" ");
}

function zoomed(range) {
  shown.range = range;
  shown.usual = false;
  if (!byTime()) draw();
}

document.addEventListener("theme", () => chart?.draw());
document.addEventListener("refreshed", () => {
  const steps = jobs().map((job) => job.steps).join(" ");
  if (steps !== shown.steps) { shown.steps = steps; draw(); }
});
function listen() {
  element("by").addEventListener("change", () => { shown.range = null; shown.usual = false; if (chart) chart.range = null; draw(); });
  element("smooth").addEventListener("change", draw);
  element("log").addEventListener("click", () => {
    const on = element("log").getAttribute("aria-pressed") !== "true";
    element("log").setAttribute("aria-pressed", on);
    chart?.setLog(on);
  });
  element("all-steps").addEventListener("click", () => chart?.setRange(null));
}

if (element("live")) {
  listen();
  shown.steps = jobs().map((job) => job.steps).join(" ");
  shown.range = usualRange();
  shown.usual = Boolean(shown.range);
  draw();
}
