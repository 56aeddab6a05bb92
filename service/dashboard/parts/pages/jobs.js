// The table of jobs: what is chosen, and what is done to it or to all that the question finds.
import "./page.js";
import { ask, confirmed, get, projectQuery, root, say } from "../service/service.js";
import { refresh } from "../service/live.js";
import { quoted } from "../service/questions.js";

const bar = document.getElementById("selection");
const boxes = () => [...document.querySelectorAll(".choose")];
const chosen = () => boxes().filter((box) => box.checked);
const AT_ONCE = 6;
const MOST_COMPARED = 64;
const PAST = { cancel: "cancelled", retry: "submitted again", delete: "deleted", tag: "tagged" };

function show() {
  const count = chosen().length;
  bar.hidden = count === 0;
  document.getElementById("chosen").textContent = count;
  const all = document.getElementById("all");
  if (all) {
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.id === "all") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches("#all, .choose")) show();
});
document.addEventListener("refreshed", show);

const PATHS = {
  cancel: (id) => ["POST", `jobs/${id}/cancel`], retry: (id) => ["POST", `jobs/${id}/retry`, {}],
  delete: (id) => ["DELETE", `jobs/${id}`], tag: (id, tags) => ["PATCH", `jobs/${id}`, { tags }],
};

bar.addEventListener("click", async (event) => {
  const verb = event.target.closest("[data-do]")?.dataset.do;
  if (!verb) return;
  if (verb === "compare") {
    location.assign(`${root}compare?${projectQuery(chosen().slice(0, MOST_COMPARED).map((box) => ["job", box.value]))}`);
    return;
  }
  if (verb === "export") {
    location.assign(`${root}v1/jobs/export?${projectQuery([["format", "csv"], ["curves", "none"], ...chosen().map((box) => ["job", box.value])])}`);
    return;
  }
  if (verb !== "none") await toChosen(verb);
  for (const box of boxes()) box.checked = false;
  show();
});

async function toChosen(verb) {
  const ids = chosen().map((box) => box.value);
  const given = await agreed(verb, `${ids.length} ${ids.length === 1 ? "job" : "jobs"}`);
  if (given === null) return;
  let done = 0;
  const waiting = [...ids];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (waiting.length) {
      const [method, path, body] = PATHS[verb](waiting.shift(), given);
      if (await ask(method, path, { body, quiet: ids.length > 1 })) done += 1;
    }
  }));
  if (done || ids.length > 1) say(`${done} of ${ids.length} ${PAST[verb]}.`);
  refresh();
}

// null: no. Else what the verb needs: the tags, or {}.
async function agreed(verb, what) {
  if (verb !== "tag") {
    const lost = verb === "delete" ? " Their results and curves are lost." : "";
    return await confirmed(`${verb[0].toUpperCase()}${verb.slice(1)} ${what}?${lost}`) ? {} : null;
  }
  const text = await confirmed(`Tag ${what}.`, "Tag, as key=value");
  if (text === null) return null;
  const [key, ...value] = text.split("=");
  if (!key.trim() || !value.length) { say("A tag is key=value."); return null; }
  return { [key.trim()]: value.join("=").trim() };
}

// The question of this address, with its filters, as one expression.
function question() {
  const asked = new URLSearchParams(location.search);
  const parts = ["state", "stage", "batch", "name"].filter((name) => asked.get(name))
    .map((name) => `${name} == ${quoted(asked.get(name))}`);
  for (const tag of asked.getAll("tag")) {
    const [key, ...value] = tag.split("=");
    parts.push(`tags[${quoted(key)}] == ${quoted(value.join("="))}`);
  }
  if (asked.get("where")) parts.push(`(${asked.get("where")})`);
  return parts.join(" and ");
}

document.querySelector("details.all")?.addEventListener("click", async (event) => {
  const verb = event.target.closest("[data-all]")?.dataset.all;
  const form = event.target.closest("[data-export]")?.dataset.export;
  if (form) {
    const where = question();
    location.assign(`${root}v1/jobs/export?${projectQuery({ format: form, curves: "none", ...(where ? { where } : {}) })}`);
  }
  if (verb) toAll(verb);
});

async function toAll(verb) {
  const where = question();
  if (!where) return say("Ask a question first: what is done to all jobs needs one.");
  const counted = await get("jobs/count", { where });
  if (!counted) return;
  const given = await agreed(verb, `all ${counted.count.toLocaleString("en")} jobs of this question`);
  if (given === null) return;
  const body = { where, action: verb, expected_count: counted.count, ...(verb === "tag" ? { tags: given } : {}) };
  const done = await ask("POST", "jobs/actions", { body });
  if (done) say(`${done.done.toLocaleString("en")} of ${done.count.toLocaleString("en")} ${PAST[verb]}.`);
  refresh();
}

show();
