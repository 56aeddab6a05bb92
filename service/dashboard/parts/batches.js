// The list of batches: the best of those that are too large for the service to look at all of them at once.
import { get } from "./service.js";
import { words } from "./scales.js";

const known = new Map();

async function fill() {
  for (const place of document.querySelectorAll("[data-best]")) {
    const id = place.dataset.best;
    if (!known.has(id)) {
      const found = await get(`batches/${id}/best`, { limit: 1 }, true);
      known.set(id, found?.jobs.length ? `${words(found.values[0], 5)} ${found.metric.replaceAll("_", " ")}` : "–");
    }
    const shown = document.querySelector(`[data-best="${CSS.escape(id)}"]`);
    if (shown) shown.textContent = known.get(id);
  }
}

document.addEventListener("refreshed", fill);
fill();
