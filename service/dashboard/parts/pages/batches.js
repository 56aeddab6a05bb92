// The list of batches: the best of those that are too large for the service to look at all of them at once.
import "./page.js";
import { get } from "../service/service.js";
import { words } from "../charts/scales.js";

const known = new Map();

// What was varied in the batch, as the job has it.
function by(place, job) {
  const values = { ...job.spec, learning_rate: job.resolved?.learning_rate ?? job.spec.learning_rate };
  const inner = (name) => name.split(".").reduce((value, part) => value?.[part], values);
  const told = (value) => (typeof value === "number" ? words(value, 5) : String(value ?? "–"));
  return place.dataset.varied.split(" ").filter(Boolean).map((name) => `${name} ${told(inner(name))}`);
}

function lowest({ values: [value], jobs: [job] }) {
  const told = words(job.result.loss.min, 5);
  return told === words(value, 5) ? "" : `, lowest ${told}`;
}

async function fill() {
  for (const place of document.querySelectorAll("[data-best]")) {
    const id = place.dataset.best;
    if (!known.has(id)) {
      const found = await get(`batches/${id}/best`, { limit: 1 }, true);
      known.set(id, found?.jobs.length ? [`${words(found.values[0], 5)} ${found.metric.replaceAll("_", " ")}${lowest(found)}`, ...by(place, found.jobs[0])].join(" · ") : "–");
    }
    const shown = document.querySelector(`[data-best="${CSS.escape(id)}"]`);
    if (shown) shown.textContent = known.get(id);
  }
}

document.addEventListener("refreshed", fill);
fill();
