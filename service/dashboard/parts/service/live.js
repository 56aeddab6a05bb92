// Parts of the page that are kept as the service would draw them now: [data-live] with an id and a number of seconds.
// The service says by server-sent events that something moved; where it does not, the page asks every so often.
import { root, projectQuery } from "./service.js";

const SLOWER = 5; // while events tell
let stream = null;
let timer = null;
let asking = false;
let again = false; // asked for while an answer was under way, which may be older than what was done

const parts = () => [...document.querySelectorAll("[data-live]")];
const seconds = () => Math.min(...parts().map((part) => Number(part.dataset.live)));

export function keepLive() {
  if (!parts().length) return;
  if (!document.hidden) listen();
  plan();
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : wake()));
}

// A tab that is out of sight asks for nothing and has no stream, so that it neither keeps its session nor takes a place.
function rest() {
  stream?.close();
  clearTimeout(timer);
  clearTimeout(soon);
  soon = null;
}

function wake() {
  if (parts().length) listen();
  refresh();
}

function plan() {
  clearTimeout(timer);
  if (!parts().length) return stream?.close();
  if (document.hidden) return;
  timer = setTimeout(refresh, 1000 * seconds() * (stream?.readyState === EventSource.OPEN ? SLOWER : 1));
}

let soon = null;
let last = 0;
function moved() { // as often as the parts say, however much moves
  if (document.hidden) return;
  const wait = Math.max(300, last + 1000 * seconds() - Date.now());
  soon ??= setTimeout(() => { soon = null; refresh(); }, wait);
}

function listen() {
  stream?.close();
  const job = document.querySelector("[data-live][data-job]")?.dataset.job;
  stream = new EventSource(`${root}v1/${job ? `jobs/${job}/events` : "events"}?${projectQuery(job ? { points: 2 } : {})}`);
  for (const name of ["move", "curve", "progress", "ended", "counts", "project"]) stream.addEventListener(name, moved);
  stream.addEventListener("problem", () => stream.close());
}

export async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  last = Date.now();
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.status === 401) return location.reload();
    if (response.ok) replace(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch { /* the service is away: ask again later */ } finally {
    asking = false;
    plan();
    if (again) { again = false; refresh(); }
  }
}

// What a person opened, chose, or has the focus on stays so.
function replace(fresh) {
  for (const part of parts()) {
    const newer = fresh.getElementById(part.id);
    if (!newer || part.isEqualNode(newer)) continue;
    const busy = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    const chosen = new Set([...part.querySelectorAll(".choose:checked")].map((each) => each.value));
    if (busy && !document.activeElement.matches(".choose")) continue;
    const marked = window.getSelection();
    if (!marked.isCollapsed && part.contains(marked.anchorNode)) continue; // text to be copied
    const focused = part.contains(document.activeElement) ? placeOf(part, document.activeElement) : null;
    for (const open of part.querySelectorAll("details[id]")) {
      const same = newer.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = open.open;
    }
    for (const box of newer.querySelectorAll(".choose")) box.checked = chosen.has(box.value);
    const scrolled = [...part.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    part.replaceWith(document.adoptNode(newer));
    [...newer.querySelectorAll(".scroll")].forEach((each, place) => { each.scrollLeft = scrolled[place] ?? 0; });
    if (focused !== null) newer.querySelectorAll("a, button, input, summary")[focused]?.focus({ preventScroll: true });
  }
  document.dispatchEvent(new Event("refreshed"));
}

const placeOf = (part, element) => [...part.querySelectorAll("a, button, input, summary")].indexOf(element);
