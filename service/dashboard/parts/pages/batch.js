// The page of one batch: what it loads and when, and what can be done to it.
import "./page.js";
import { draw, drawBand, drawHeat, drawScatter, loadTop, parallel } from "../batch/drawing.js";
import { drawRanges, expressionOf } from "../batch/ranges.js";
import { askedInAddress, head, id, names, state } from "../batch/state.js";
import { element } from "../charts/elements.js";
import { refresh } from "../service/live.js";
import { early, figures } from "../service/page_data.js";
import { ask, confirmed, post, projectQuery, readyToSend, root } from "../service/service.js";

const REST = 4; // times as long as the charts took: an open page asks for a small share of the service's time
const BUSY_SECONDS = 3; // after which a service that was busy is asked again
const loading = { counts: "", isOn: false, isWanted: false, isStale: false, restUntil: 0, timer: null };

// What a person asks for comes next; what changed by itself comes after a rest. One load at a time.
async function load() {
  loading.isWanted = true;
  if (loading.isOn) return;
  clearTimeout(loading.timer);
  Object.assign(loading, { isOn: true, isStale: false });
  const began = performance.now();
  while (loading.isWanted) {
    loading.isWanted = false;
    try { await loadOnce(); } catch (error) {
      element("where-problem").textContent = error.message;
      if (!error.isForNow) continue;
      await new Promise((resolve) => { setTimeout(resolve, 1000 * BUSY_SECONDS); });
      loading.isWanted = true;
    }
  }
  loading.isOn = false;
  loading.restUntil = performance.now() + REST * (performance.now() - began);
  if (loading.isStale) loadLater();
}

function loadLater() {
  loading.isStale = true;
  if (loading.isOn) return;
  clearTimeout(loading.timer);
  loading.timer = setTimeout(load, Math.max(0, loading.restUntil - performance.now()));
}

async function loadOnce() {
  element("where-problem").textContent = "";
  state.runs = (await early("first-runs")) ?? await figures(`batches/${id}/runs`, askedInAddress());
  if (loading.isWanted) return;
  const coming = figures(`batches/${id}/band`, askedInAddress()); // the service makes it while the runs are drawn here
  coming.catch(() => { /* told below, where it is waited for */ });
  fillChoices();
  draw();
  performance.mark("runs-drawn");
  const [found] = await Promise.all([coming, loadTop()]);
  if (loading.isWanted) return;
  state.band = found;
  await drawBand();
  performance.mark("band-drawn");
  element("charts").dataset.drawn = "all";
}

function options(select, values, chosen) {
  const now = values.includes(chosen) ? chosen : values.includes(select.value) ? select.value : values[0];
  select.replaceChildren(...values.map((value) => new Option(value, value, false, value === now)));
}

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
  element("told").textContent = `${count.toLocaleString("en")} ${count === 1 ? "run" : "runs"}${askedInAddress().where ? ` of ${runs.size.toLocaleString("en")}` : ""} in every chart below${runs.more ? ", the oldest of more" : ""}.${ranked.length ? "" : " No parameter differs between them."}${runs.left_out ? ` ${runs.left_out.toLocaleString("en")} more parameters differ, which matter less than the ${Object.keys(runs.parameters).length} that are drawn.` : ""}`;
}

function setAddress(change) {
  const address = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) if (value) address.set(name, value); else address.delete(name);
  history.pushState(null, "", `${location.pathname}${address.size ? `?${address}` : ""}`);
  fillForm();
  load();
}

function fillForm() { element("where").value = askedInAddress().where; }

element("chart-question").addEventListener("submit", (event) => {
  event.preventDefault();
  setAddress({ where: element("where").value.trim() });
});
readyToSend(element("chart-question"));
element("metric").addEventListener("change", () => setAddress({ metric: element("metric").value, mode: element("metric").value.startsWith("metrics.") ? element("mode").value : "" }));
element("mode").addEventListener("change", () => setAddress({ metric: element("metric").value, mode: element("mode").value }));
element("across").addEventListener("change", () => drawScatter());
for (const each of ["heat-x", "heat-y", "heat-of"]) element(each).addEventListener("change", () => drawHeat());
element("top").addEventListener("change", drawBand);
element("select-all").addEventListener("click", () => { parallel.clear(); drawRanges(element("ranges").querySelector(".ranges"), parallel); });
element("as-question").addEventListener("click", () => { const where = expressionOf(parallel.ranges, askedInAddress().where); parallel.ranges.clear(); setAddress({ where }); });
window.addEventListener("popstate", () => { fillForm(); load(); });
document.addEventListener("theme", () => { if (state.runs) { draw(); drawBand(); } });

document.addEventListener("refreshed", () => {
  const { counts } = head().dataset;
  if (counts === loading.counts) return;
  loading.counts = counts;
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

loading.counts = head().dataset.counts;
fillForm();
load();
